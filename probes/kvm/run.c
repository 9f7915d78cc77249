#include "probes/kvm/run.h"
#include "base/text.h"
#include "base/process/watchdog.h"
#include "guest/abi.h"
#include "probes/row.h"
#include "vmm/vm.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum {
    TURNS = 1000, /* interpreted, about half a millisecond; too short to time, long enough to count */
    TIMED_TURNS = 20000,
    TIMES = 7,
    INSTRUCTIONS_AROUND = 3,
    LIMIT_NS = 500000000, /* a run takes a millisecond; where the hypervisor is itself emulated, a hundred */
};

/*
 * A turn in the guest over the same turn in this process. A processor gives 1, and so does an emulated one
 * that emulates both; an interpreter gives some hundreds. What lies between proves nothing.
 */
#define DIRECT_AT_MOST       8.0
#define INTERPRETED_AT_LEAST 50.0

/* mov ecx, turns; 1: dec ecx; jnz 1b; mov dx, doorbell; out dx, al */
static const uint8_t code[] = {
    0xb9, 0, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0x66, 0xba, VT_PORT_DOORBELL & 0xff, VT_PORT_DOORBELL >> 8,
    0xee};

/* The thread's own time: on a busy machine waiting for the CPU is no part of it. */
static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void fail(struct vt_trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct vt_trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trial->obstacle.reason, sizeof trial->obstacle.reason, format, arguments);
    va_end(arguments);
    trial->obstacle.code = "does-not-run";
    vt_obstacle_fix(&trial->obstacle, "look into the kernel's log: sudo dmesg | grep -i kvm");
}

/* 0 once the guest rang the doorbell. */
static int run_to_doorbell(struct vt_vm *vm, struct vt_watchdog *watchdog, struct vt_trial *trial)
{
    int status;
    watchdog->kick = &vm->run->immediate_exit;
    vt_watchdog_arm(watchdog, LIMIT_NS);
    do
        status = ioctl(vm->vcpu, KVM_RUN, 0);
    while (status != 0 && errno == EINTR && !watchdog->fired);
    int number = errno;
    vt_watchdog_arm(watchdog, 0);
    vm->run->immediate_exit = 0;
    if (status == 0 && vm->run->exit_reason == KVM_EXIT_IO && vm->run->io.port == VT_PORT_DOORBELL)
        return 0;
    if (status == 0)
        fail(trial, "the guest ended with KVM_EXIT reason %s (%u)", vt_vmm_exit_name(vm->run->exit_reason),
             vm->run->exit_reason);
    else if (number == EINTR)
        fail(trial, "the guest did not come back within %d ms", LIMIT_NS / 1000000);
    else
        vt_vmm_explain("KVM_RUN", number, &trial->obstacle);
    return -EIO;
}

static int run_turns(struct vt_vm *vm, struct vt_watchdog *watchdog, int cpl, uint32_t turns,
                     struct vt_trial *trial)
{
    struct vt_error error;
    uint8_t *place = vt_vmm_memory(vm, VT_GUEST_TOUCH, sizeof code);
    memcpy(place, code, sizeof code);
    memcpy(place + 1, &turns, sizeof turns);
    if (vt_vmm_start(vm, cpl, VT_APIC_X2, VT_GUEST_TOUCH, 0, &error) != 0) {
        trial->obstacle = vm->obstacle;
        return -EIO;
    }
    uint64_t start = nanoseconds();
    int status = run_to_doorbell(vm, watchdog, trial);
    trial->nanoseconds = nanoseconds() - start;
    trial->instructions = (uint64_t)2 * turns + INSTRUCTIONS_AROUND;
    return status;
}

/* The loop of `code`, here. */
static uint64_t time_here(uint32_t turns)
{
    uint64_t start = nanoseconds();
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(turns) : : "cc");
    return nanoseconds() - start;
}

static void keep_least(uint64_t *least, uint64_t value)
{
    *least = value < *least ? value : *least;
}

/*
 * Of two lengths the least of several each: what disturbs only adds, and the way in and out is in both. Turn
 * by turn with the same loop here, so that both see the same frequency.
 */
static int compare(struct vt_vm *vm, struct vt_watchdog *watchdog, int cpl, struct vt_trial *trial)
{
    static const uint32_t turns[2] = {TURNS, TIMED_TURNS};
    uint64_t there[2] = {UINT64_MAX, UINT64_MAX}, here[2] = {UINT64_MAX, UINT64_MAX};
    for (int i = 0; i < TIMES * 2; i++) {
        keep_least(&here[i % 2], time_here(turns[i % 2]));
        if (run_turns(vm, watchdog, cpl, turns[i % 2], trial) != 0)
            return -EIO;
        keep_least(&there[i % 2], trial->nanoseconds);
    }
    if (here[1] > here[0])
        trial->slowdown = ((double)there[1] - (double)there[0]) / (double)(here[1] - here[0]);
    return 0;
}

static void try_level(struct vt_vm *vm, struct vt_watchdog *watchdog, int cpl, struct vt_trial *trial)
{
    struct vt_counters before, after;
    trial->slowdown = NAN;
    vt_stats_read(&vm->stats, &before);
    if (run_turns(vm, watchdog, cpl, TURNS, trial) != 0)
        return;
    vt_stats_read(&vm->stats, &after);
    trial->counters = vt_counters_since(&before, &after);
    trial->ran =
        vt_counters_has(&trial->counters, VT_INSN_EMULATION) || compare(vm, watchdog, cpl, trial) == 0;
}

static void fail_both(struct vt_trials *trials, const struct vt_obstacle *obstacle,
                      const struct vt_error *error)
{
    if (obstacle->code)
        trials->cpl0.obstacle = *obstacle;
    else {
        trials->cpl0.obstacle = (struct vt_obstacle){.code = "limits"};
        vt_obstacle_reason(&trials->cpl0.obstacle, "%s", error->text);
    }
    trials->cpl3 = trials->cpl0;
}

void vt_kvm_try(struct vt_trials *trials)
{
    struct vt_error error;
    struct vt_vm vm;
    struct vt_watchdog watchdog = {0};
    *trials = (struct vt_trials){0};
    if (vt_vmm_open(&vm, &error) != 0) {
        fail_both(trials, &vm.obstacle, &error);
        return;
    }
    trials->tsc_khz = vm.tsc_khz;
    if (vt_watchdog_open(&watchdog, &error) == 0) {
        try_level(&vm, &watchdog, 0, &trials->cpl0);
        try_level(&vm, &watchdog, 3, &trials->cpl3);
        vt_watchdog_close(&watchdog);
    } else {
        fail_both(trials, &(struct vt_obstacle){0}, &error);
    }
    vt_vmm_close(&vm);
}

bool vt_kvm_runs(void)
{
    struct vt_vm vm;
    struct vt_watchdog watchdog = {0};
    struct vt_trial trial = {0};
    if (vt_vmm_open(&vm, NULL) != 0)
        return false;
    bool open = vt_watchdog_open(&watchdog, NULL) == 0;
    bool runs = open && (run_turns(&vm, &watchdog, 0, 1, &trial) == 0 ||
                         run_turns(&vm, &watchdog, 3, 1, &trial) == 0);
    if (open)
        vt_watchdog_close(&watchdog);
    vt_vmm_close(&vm);
    return runs;
}

static bool is_hardware(enum vt_backend backend)
{
    return backend == VT_BACKEND_VMX || backend == VT_BACKEND_SVM;
}

/* VT_YES and VT_NO are proved; by time alone a backend for VT-x or AMD-V is never said to leave it unused. */
static enum vt_answer is_interpreted(const struct vt_trial *trial, enum vt_backend backend)
{
    if (vt_counters_has(&trial->counters, VT_INSN_EMULATION))
        return trial->counters.value[VT_INSN_EMULATION] * 2 >= trial->instructions ? VT_YES : VT_NO;
    if (trial->slowdown <= DIRECT_AT_MOST)
        return VT_NO;
    return trial->slowdown >= INTERPRETED_AT_LEAST && !is_hardware(backend) ? VT_YES : VT_UNKNOWN;
}

enum vt_execution vt_kvm_judge(const struct vt_trial *trial, enum vt_backend backend)
{
    enum vt_answer interpreted = is_interpreted(trial, backend);
    if (!trial->ran)
        return VT_UNAVAILABLE;
    if (interpreted == VT_UNKNOWN)
        return VT_UNDECIDED;
    if (interpreted == VT_YES)
        return VT_INTERPRETED;
    if (is_hardware(backend))
        return VT_HARDWARE;
    return backend == VT_BACKEND_PVM ? VT_DEPRIVILEGED : VT_UNDECIDED;
}

static void tell_count(const struct vt_trial *trial, char *text, size_t size)
{
    const struct vt_counters *counters = &trial->counters;
    snprintf(text, size, "a loop of %llu instructions: %llu interpreted by KVM (insn_emulation)",
             (unsigned long long)trial->instructions, (unsigned long long)counters->value[VT_INSN_EMULATION]);
    if (vt_counters_has(counters, VT_EXITS))
        vt_text_append(text, size, ", %llu exits", (unsigned long long)counters->value[VT_EXITS]);
    vt_text_append(text, size, ", %.1f µs", (double)trial->nanoseconds / 1000);
}

static void tell_time(const struct vt_trial *trial, enum vt_backend backend, char *text, size_t size)
{
    snprintf(text, size, "%s",
             trial->counters.known ? "KVM counts here, but not what it interprets (insn_emulation)"
                                   : "KVM offers no counters here (KVM_GET_STATS_FD)");
    if (!isnan(trial->slowdown))
        vt_text_append(text, size, "; a loop takes %.1f times as long as in this process", trial->slowdown);
    if (is_interpreted(trial, backend) == VT_UNKNOWN)
        vt_text_append(text, size, "%s",
                       isnan(trial->slowdown) ? ", and its time cannot be compared"
                       : trial->slowdown < INTERPRETED_AT_LEAST
                           ? ", too long for the processor and too short for an interpreter"
                           : ", which does not prove that the backend's extension is unused");
}

void vt_kvm_tell(const struct vt_trial *trial, enum vt_backend backend, char *text, size_t size)
{
    if (!trial->ran)
        snprintf(text, size, "%s", trial->obstacle.reason);
    else if (vt_counters_has(&trial->counters, VT_INSN_EMULATION))
        tell_count(trial, text, size);
    else
        tell_time(trial, backend, text, size);
    if (trial->ran && backend == VT_BACKEND_UNKNOWN && is_interpreted(trial, backend) == VT_NO)
        vt_text_append(text, size,
                       "; whether on VT-x or AMD-V, its module would tell, which /sys/module does not show");
}

const char *vt_kvm_execution_name(enum vt_execution execution)
{
    static const char *const names[] = {
        [VT_UNAVAILABLE] = "unavailable", [VT_HARDWARE] = "hardware", [VT_DEPRIVILEGED] = "deprivileged",
        [VT_INTERPRETED] = "interpreted", [VT_UNDECIDED] = NULL,
    };
    return names[execution];
}
