#include "bench/engines/hypercall/dispatch.h"
#include "base/code.h"
#include "base/usage.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>

/* linux/prctl.h and asm-generic/siginfo.h of kernels newer than the headers at hand. */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

/* Below where any program is linked (0x400000) and above what may not be mapped (vm.mmap_min_addr, 64 KiB).
 */
#define CODE_ADDRESS 0x100000
#define CODE_LIMIT   0x400000

/* RIP is already behind the SYSCALL when the kernel compares it. */
#define BEHIND_LAST 16

/* A signal handler has no argument of ours. */
static _Thread_local struct vt_dispatch *current;

/* System calls from `first` up are let through; below it lies nothing but the guest. */
static int switch_on(uintptr_t first)
{
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, first, UINTPTR_MAX - first, 0);
}

static int switch_off(void)
{
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0);
}

bool vt_dispatch_available(char *reason, size_t size)
{
    if (switch_on(CODE_LIMIT) == 0 && switch_off() == 0)
        return true;
    snprintf(reason, size, "no syscall user dispatch (Linux 5.11, prctl PR_SET_SYSCALL_USER_DISPATCH): %s",
             strerror(errno));
    return false;
}

static void leave_on_expiry(void *context, siginfo_t *info, void *ucontext)
{
    struct vt_dispatch *dispatch = context;
    (void)info, (void)ucontext;
    if (dispatch->inside)
        siglongjmp(dispatch->escape, 1);
}

/* The hypervisor's side: no number is in use. */
static void on_call(int number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;

    if (!current || !current->inside || info->si_code != SYS_USER_DISPATCH) {
        signal(number, SIG_DFL);
        return;
    }
    current->calls++;
    state->uc_mcontext.gregs[REG_RAX] = -KVM_ENOSYS;
}

static int copy_code(struct vt_dispatch *dispatch)
{
    struct vt_code code;
    size_t size = (size_t)(vt_guest_code_end - vt_guest_code_start);
    int status = vt_code_open(&code, size);

    if (status != 0)
        return status;
    memcpy(code.writable, vt_guest_code_start, size);
    status = CODE_ADDRESS + code.size + BEHIND_LAST > CODE_LIMIT
                 ? -ENOMEM
                 : vt_code_map(&code, (void *)CODE_ADDRESS, MAP_FIXED_NOREPLACE);
    vt_code_close(&code);
    if (status == 0) {
        dispatch->code = (uint8_t *)CODE_ADDRESS;
        dispatch->size = size;
    }
    return status;
}

int vt_dispatch_open(struct vt_dispatch *dispatch, const struct vt_engine_settings *settings,
                     struct vt_error *error)
{
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER};

    memset(dispatch, 0, sizeof *dispatch);
    dispatch->settings = *settings;
    dispatch->watchdog.expired = leave_on_expiry;
    dispatch->watchdog.context = dispatch;
    int status = copy_code(dispatch);
    if (status != 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status, "no room for code at 0x%x: %s", CODE_ADDRESS,
                            strerror(-status));
    status = vt_watchdog_open(&dispatch->watchdog, error);
    if (status != 0) {
        munmap(dispatch->code, dispatch->size);
        dispatch->code = NULL;
        return status;
    }
    sigemptyset(&action.sa_mask);
    sigaction(SIGSYS, &action, &dispatch->previous);
    current = dispatch;
    return 0;
}

void vt_dispatch_close(struct vt_dispatch *dispatch)
{
    if (!dispatch->code)
        return;
    current = NULL;
    sigaction(SIGSYS, &dispatch->previous, NULL);
    vt_watchdog_close(&dispatch->watchdog);
    munmap(dispatch->code, dispatch->size);
    dispatch->code = NULL;
}

static uint8_t *moved(const struct vt_dispatch *dispatch, const void *code)
{
    return dispatch->code + ((const uint8_t *)code - vt_guest_code_start);
}

/* Alone in its function: what a long jump may clobber stays here. False: the watchdog ended it. */
static __attribute__((noinline)) bool call_guarded(struct vt_dispatch *dispatch, vt_case_function function,
                                                   uint64_t iterations, uint64_t tsc[2])
{
    __typeof__(&vt_batch) batch = (__typeof__(&vt_batch))(void *)moved(dispatch, (const void *)vt_batch);
    vt_case_function there = (vt_case_function)(void *)moved(dispatch, (const void *)function);

    if (sigsetjmp(dispatch->escape, 1) != 0) {
        dispatch->inside = 0;
        return false;
    }
    dispatch->inside = 1;
    batch(there, iterations, &dispatch->scratch, tsc);
    dispatch->inside = 0;
    return true;
}

static enum vt_batch_end explain_expiry(const struct vt_dispatch *dispatch, struct vt_error *error)
{
    if (*dispatch->settings.stop)
        return VT_BATCH_INTERRUPTED;
    vt_error_set(error, VT_EXIT_NO, 0, "did not return within %llu ms",
                 (unsigned long long)(dispatch->settings.limit_ns / 1000000));
    return VT_BATCH_TIMEOUT;
}

enum vt_batch_end vt_dispatch_batch(struct vt_dispatch *dispatch, vt_case_function function,
                                    uint64_t iterations, struct vt_batch *out, struct vt_error *error)
{
    uint64_t tsc[2];
    struct vt_usage before = vt_usage_now();

    dispatch->calls = 0;
    if (switch_on((uintptr_t)dispatch->code + dispatch->size + BEHIND_LAST) != 0) {
        vt_error_set(error, VT_EXIT_INTERNAL, errno, "PR_SET_SYSCALL_USER_DISPATCH failed: %s",
                     strerror(errno));
        return VT_BATCH_BROKEN;
    }
    vt_watchdog_arm(&dispatch->watchdog, dispatch->settings.limit_ns);
    bool returned = call_guarded(dispatch, function, iterations, tsc);
    vt_watchdog_arm(&dispatch->watchdog, 0);
    switch_off();
    if (!returned)
        return explain_expiry(dispatch, error);
    struct vt_usage after = vt_usage_now();
    *out = (struct vt_batch){.cycles = tsc[1] - tsc[0], .marked = after.preemptions != before.preemptions};
    vt_counters_put(&out->counters, VT_SIGNALS, dispatch->calls);
    vt_usage_count(&before, &after, &out->counters);
    return VT_BATCH_DONE;
}
