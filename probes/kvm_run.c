#include "probes/kvm_run.h"
#include "base/watchdog.h"
#include "guest/abi.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum {
    TURNS = 1000, /* interpreted, about half a millisecond; else too short to time, long enough to count */
    TIMED_TURNS = 50000, /* where nothing is counted: the way in and out must not show in the time */
    INSTRUCTIONS_AROUND = 3,
    LIMIT_NS = 500000000, /* a run takes a millisecond; where the hypervisor is itself emulated, a hundred */
};

/* Above this, without counters, an instruction was not run by the processor itself. */
static const uint64_t slow_ns_per_instruction = 25;

/* mov ecx, turns; 1: dec ecx; jnz 1b; mov dx, doorbell; out dx, al */
static const uint8_t code[] = {
    0xb9, 0, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0x66, 0xba, VT_PORT_DOORBELL & 0xff, VT_PORT_DOORBELL >> 8,
    0xee};

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* 0 once the guest rang the doorbell. */
static int run_to_doorbell(struct vt_vm *vm, struct vt_watchdog *watchdog, struct vt_trial *trial)
{
    int status;
    watchdog->kick = &vm->run->immediate_exit;
    vt_watchdog_arm(watchdog, LIMIT_NS);
    do
        status = ioctl(vm->vcpu, KVM_RUN, 0);
    while (status != 0 && (errno == EINTR || errno == EAGAIN) && !watchdog->fired);
    int number = errno;
    vt_watchdog_arm(watchdog, 0);
    vm->run->immediate_exit = 0;
    if (status == 0 && vm->run->exit_reason == KVM_EXIT_IO && vm->run->io.port == VT_PORT_DOORBELL)
        return 0;
    if (status == 0)
        snprintf(trial->problem, sizeof trial->problem, "the guest ended with KVM_EXIT reason %s (%u)",
                 vt_vmm_exit_name(vm->run->exit_reason), vm->run->exit_reason);
    else if (number == EINTR)
        snprintf(trial->problem, sizeof trial->problem, "the guest did not come back within %d ms",
                 LIMIT_NS / 1000000);
    else
        snprintf(trial->problem, sizeof trial->problem, "KVM_RUN fails: %s", strerror(number));
    return -EIO;
}

static void try_level(struct vt_vm *vm, struct vt_watchdog *watchdog, int cpl, struct vt_trial *trial)
{
    struct vt_error error;
    struct vt_counters before, after;
    uint32_t turns = vm->stats.fd < 0 ? TIMED_TURNS : TURNS;
    uint8_t *place = vt_vmm_memory(vm, VT_GUEST_TOUCH, sizeof code);
    memcpy(place, code, sizeof code);
    memcpy(place + 1, &turns, sizeof turns);
    if (vt_vmm_start(vm, cpl, VT_APIC_X2, VT_GUEST_TOUCH, 0, &error) != 0) {
        snprintf(trial->problem, sizeof trial->problem, "%.250s", error.text);
        return;
    }
    vt_stats_read(&vm->stats, &before);
    uint64_t start = nanoseconds();
    trial->ran = run_to_doorbell(vm, watchdog, trial) == 0;
    trial->nanoseconds = nanoseconds() - start;
    vt_stats_read(&vm->stats, &after);
    trial->counters = vt_counters_since(&before, &after);
    trial->instructions = (uint64_t)2 * turns + INSTRUCTIONS_AROUND;
}

static void fail_both(struct vt_trials *trials, const struct vt_error *error)
{
    snprintf(trials->cpl0.problem, sizeof trials->cpl0.problem, "%.250s", error->text);
    trials->cpl3 = trials->cpl0;
}

void vt_kvm_try(struct vt_trials *trials)
{
    struct vt_error error;
    struct vt_vm vm;
    struct vt_watchdog watchdog = {0};
    *trials = (struct vt_trials){0};
    if (vt_vmm_open(&vm, &error) != 0) {
        fail_both(trials, &error);
        return;
    }
    trials->tsc_khz = vm.tsc_khz;
    if (vt_watchdog_open(&watchdog, &error) == 0) {
        try_level(&vm, &watchdog, 0, &trials->cpl0);
        try_level(&vm, &watchdog, 3, &trials->cpl3);
        vt_watchdog_close(&watchdog);
    } else {
        fail_both(trials, &error);
    }
    vt_vmm_close(&vm);
}

static bool is_interpreted(const struct vt_trial *trial)
{
    if (vt_counters_has(&trial->counters, VT_INSN_EMULATION))
        return trial->counters.value[VT_INSN_EMULATION] * 2 >= trial->instructions;
    return trial->nanoseconds > slow_ns_per_instruction * trial->instructions;
}

enum vt_execution vt_kvm_judge(const struct vt_trial *trial, bool hardware_backend)
{
    if (!trial->ran)
        return VT_UNAVAILABLE;
    if (is_interpreted(trial))
        return VT_INTERPRETED;
    return hardware_backend ? VT_HARDWARE : VT_DEPRIVILEGED;
}

const char *vt_kvm_execution_name(enum vt_execution execution)
{
    static const char *const names[] = {
        [VT_UNAVAILABLE] = "unavailable",
        [VT_HARDWARE] = "hardware",
        [VT_DEPRIVILEGED] = "deprivileged",
        [VT_INTERPRETED] = "interpreted",
    };
    return names[execution];
}
