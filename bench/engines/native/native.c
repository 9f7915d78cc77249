/*
 * Engine `native`: the cases called in place, at ring 3 of a process. What
 * faults there is not measured: that is engine `trap`'s road.
 */
#include "base/usage.h"
#include "base/process/watchdog.h"
#include "bench/engine.h"
#include "bench/engines/native/umip.h"
#include "guest/abi.h"

#include <cpuid.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const int caught[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
#define CAUGHT (sizeof caught / sizeof caught[0])

#define ALTERNATE_STACK 65536

struct native_engine {
    struct vt_engine_settings settings;
    struct vt_watchdog watchdog;
    struct vt_scratch scratch;
    const struct vt_case *c;
    uint8_t *touch;     /* VT_GUEST_TOUCH_SIZE bytes that are discarded before a batch */
    bool umip_emulated; /* the host kernel answers SGDT and its kin */
    void *stack;
    stack_t previous_stack;
    struct sigaction previous[CAUGHT];
    sigjmp_buf escape;
    volatile sig_atomic_t inside, signal, code;
};

/* A signal handler has no argument of ours: the engine whose case this thread is inside. */
static _Thread_local struct native_engine *current;

static void leave(int number, int code)
{
    if (!current || !current->inside)
        return;
    current->signal = number;
    current->code = code;
    siglongjmp(current->escape, 1);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    leave(number, info->si_code);
    /* Not the case's: let it take its usual course on return. */
    signal(number, SIG_DFL);
}

static void on_expiry(void *context, siginfo_t *info, void *ucontext)
{
    (void)context, (void)ucontext;
    leave(info->si_signo, 0);
}

static bool available(char *reason, size_t size)
{
    (void)reason, (void)size;
    return true;
}

static void install_handlers(struct native_engine *engine)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = engine->stack, .ss_size = ALTERNATE_STACK};

    sigaltstack(&stack, &engine->previous_stack);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &action, &engine->previous[i]);
}

static void remove_handlers(struct native_engine *engine)
{
    for (size_t i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &engine->previous[i], NULL);
    sigaltstack(&engine->previous_stack, NULL);
}

static void fill_scratch(struct native_engine *engine)
{
    uint64_t code, data;

    __asm__("mov %%cs, %0" : "=r"(code));
    __asm__("mov %%ss, %0" : "=r"(data));
    engine->scratch = (struct vt_scratch){
        .code_selector = code,
        .data_selector = data,
        .touch = (uintptr_t)engine->touch,
        .page = (uintptr_t)engine->scratch.buffer,
    };
}

static void release(struct native_engine *engine)
{
    if (engine->touch != MAP_FAILED)
        munmap(engine->touch, VT_GUEST_TOUCH_SIZE);
    free(engine->stack);
    free(engine);
}

static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct native_engine *engine = aligned_alloc(64, (sizeof *engine + 63) & ~(size_t)63);
    if (!engine)
        return vt_error_memory(error, "engine native");
    memset(engine, 0, sizeof *engine);
    engine->settings = *settings;
    engine->stack = malloc(ALTERNATE_STACK);
    engine->touch =
        mmap(NULL, VT_GUEST_TOUCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!engine->stack || engine->touch == MAP_FAILED) {
        release(engine);
        return vt_error_memory(error, "engine native");
    }
    madvise(engine->touch, VT_GUEST_TOUCH_SIZE, MADV_NOHUGEPAGE);
    engine->watchdog.expired = on_expiry;
    int status = vt_watchdog_open(&engine->watchdog, error);
    if (status != 0) {
        release(engine);
        return status;
    }
    fill_scratch(engine);
    install_handlers(engine);
    engine->umip_emulated = vt_native_umip_is_emulated();
    *state = engine;
    return 0;
}

static void engine_close(void *state)
{
    struct native_engine *engine = state;
    remove_handlers(engine);
    vt_watchdog_close(&engine->watchdog);
    release(engine);
}

static enum vt_path path(void *state)
{
    (void)state;
    return VT_PATH_NATIVE;
}

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    (void)state;
    if (c->needs & VT_NEED_USER)
        snprintf(reason, size,
                 "privileged: SYSRET faults at ring 3, and SYSCALL enters this machine's own kernel");
    else if (c->needs & ~(VT_NEED_DISCARD | VT_NEED_PKE))
        snprintf(reason, size, "needs a machine of its own (devices, tables or exception handlers)");
    else if (!vt_guest_case_runs_at(c, cpl, false))
        snprintf(reason, size, "privileged: faults at ring 3");
    else if (c->handler == VT_BY_HYPERCALL)
        snprintf(reason, size, "a hypercall from a process would go to whatever this machine runs under");
    else
        return true;
    return false;
}

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct native_engine *engine = state;
    (void)cpl, (void)error;
    engine->c = c;
    return 0;
}

static enum vt_batch_end explain_signal(const struct native_engine *engine, struct vt_error *error)
{
    if (engine->signal == SIGRTMIN) {
        if (*engine->settings.stop)
            return VT_BATCH_INTERRUPTED;
        vt_error_set(error, VT_EXIT_NO, 0, "did not return within %llu ms",
                     (unsigned long long)(engine->settings.limit_ns / 1000000));
        return VT_BATCH_TIMEOUT;
    }
    const char *name = sigabbrev_np(engine->signal);
    if (engine->signal == SIGILL || engine->c->refusal) {
        vt_error_set(error, VT_EXIT_NO, 0, "SIG%s: %s", name,
                     engine->signal == SIGILL
                         ? "the processor has no such instruction, or the system has not enabled it"
                         : engine->c->refusal);
        return VT_BATCH_ABSENT;
    }
    vt_error_set(error, VT_EXIT_NO, 0, "faults at ring 3 (SIG%s, code %d)", name, (int)engine->code);
    return VT_BATCH_FAULT;
}

/* The next watchdog may fire when this engine is no more. */
static void leave_case(struct native_engine *engine)
{
    engine->inside = 0;
    current = NULL;
}

/* Alone in its function: what a long jump may clobber stays here. False: a signal ended the case. */
static __attribute__((noinline)) bool call_guarded(struct native_engine *engine, vt_case_function function,
                                                   uint64_t iterations, uint64_t tsc[2])
{
    current = engine;
    if (sigsetjmp(engine->escape, 1) != 0) {
        leave_case(engine);
        return false;
    }
    engine->inside = 1;
    vt_batch(function, iterations, &engine->scratch, tsc);
    leave_case(engine);
    return true;
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    struct native_engine *engine = state;
    vt_case_function function = twin == VT_BODY ? engine->c->body : engine->c->baseline;
    bool emulated = engine->umip_emulated && twin == VT_BODY && vt_native_umip_covers(engine->c);
    uint64_t tsc[2];

    if (engine->c->needs & VT_NEED_DISCARD)
        madvise(engine->touch, VT_GUEST_TOUCH_SIZE, MADV_DONTNEED);
    struct vt_usage before = vt_usage_now();
    vt_watchdog_arm(&engine->watchdog, engine->settings.limit_ns);
    bool returned = call_guarded(engine, function, iterations, tsc);
    vt_watchdog_arm(&engine->watchdog, 0);
    if (!returned)
        return explain_signal(engine, error);
    struct vt_usage after = vt_usage_now();

    *out = (struct vt_batch){.cycles = tsc[1] - tsc[0], .marked = after.preemptions != before.preemptions};
    vt_counters_put(&out->counters, VT_SIGNALS, 0);
    vt_usage_count(&before, &after, &out->counters);
    vt_counters_put(&out->counters, VT_HOST_EMULATIONS, emulated ? iterations : 0);
    return VT_BATCH_DONE;
}

static size_t own(void *state, struct vt_own own[VT_OWN_MOST])
{
    const struct native_engine *engine = state;
    own[0] = (struct vt_own){engine, 0};
    own[1] = (struct vt_own){engine->stack, 0};
    return 2;
}

static const int levels[] = {3, -1};

const struct vt_engine vt_engine_native = {
    .name = "native",
    .summary = "in place, at ring 3 of a process",
    .levels = levels,
    .available = available,
    .open = engine_open,
    .path = path,
    .supports = supports,
    .prepare = prepare,
    .batch = batch,
    .own = own,
    .close = engine_close,
};
