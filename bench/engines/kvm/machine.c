#include "bench/engines/kvm/machine.h"
#include "base/usage.h"
#include "bench/engines/kvm/nested.h"
#include "bench/engines/kvm/peer.h"
#include "bench/instruction.h"
#include "guest/longmode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct vt_mailbox *vt_kvm_machine_mailbox(const struct vt_kvm_machine *machine)
{
    return vt_vmm_memory(&machine->vm, VT_GUEST_MAILBOX, sizeof(struct vt_mailbox));
}

struct vt_scratch *vt_kvm_machine_scratch(const struct vt_kvm_machine *machine)
{
    return vt_vmm_memory(&machine->vm, VT_GUEST_SCRATCH, sizeof(struct vt_scratch));
}

static void close_machine(struct vt_kvm_machine *machine)
{
    if (machine->ending)
        machine->ending(machine->context);
    vt_kvm_partner_close(&machine->partner);
    vt_kvm_peer_close(&machine->peer);
    vt_kvm_devices_close(&machine->devices);
    vt_vmm_close(&machine->vm);
}

static int open_machine(struct vt_kvm_machine *machine, struct vt_error *error)
{
    int status = vt_vmm_open(&machine->vm, error);
    if (status != 0)
        return status;
    machine->settled = machine->hypervises = false;
    vt_kvm_devices_open(&machine->devices, &machine->vm);
    machine->watchdog.kick = &machine->vm.run->immediate_exit;
    return 0;
}

int vt_kvm_machine_open(struct vt_kvm_machine *machine, const struct vt_engine_settings *settings,
                        struct vt_error *error)
{
    *machine = (struct vt_kvm_machine){.settings = *settings, .peer = -1, .partner.vcpu = -1};
    int status = open_machine(machine, error);
    if (status != 0)
        return status;
    status = vt_watchdog_open(&machine->watchdog, error);
    if (status != 0)
        close_machine(machine);
    return status;
}

void vt_kvm_machine_close(struct vt_kvm_machine *machine)
{
    close_machine(machine); /* whose threads are ended by the watchdog's signal */
    vt_watchdog_close(&machine->watchdog);
}

static const struct {
    uint32_t need;
    const char *what;
} need_names[] = {
    {VT_NEED_PORTS, "an in-kernel interrupt controller (KVM_CREATE_IRQCHIP)"},
    {VT_NEED_EVENTFD, "KVM_IOEVENTFD"},
    {VT_NEED_COALESCED, "KVM_REGISTER_COALESCED_MMIO"},
    {VT_NEED_XAPIC, "an in-kernel local APIC (KVM_CREATE_IRQCHIP)"},
    {VT_NEED_X2APIC, "an in-kernel local APIC (KVM_CREATE_IRQCHIP)"},
    {VT_NEED_MSR_FILTER, "KVM_X86_SET_MSR_FILTER"},
    {VT_NEED_PEER, "a second vCPU (KVM_CAP_MAX_VCPUS)"},
    {VT_NEED_ANY_LENGTH, "a doorbell of any length (KVM_CAP_IOEVENTFD_ANY_LENGTH)"},
    {VT_NEED_DEADLINE, "the APIC timer's TSC-deadline mode (KVM_CAP_TSC_DEADLINE_TIMER)"},
    {VT_NEED_PARTNER, "a second vCPU (KVM_CAP_MAX_VCPUS)"},
    {VT_NEED_PKE, "protection keys (CPUID 0x7 ECX[3])"},
};

bool vt_kvm_machine_offers(const struct vt_kvm_machine *machine, uint32_t needs, char *reason, size_t size)
{
    uint32_t missing = needs & ~machine->devices.offered;

    if (needs & VT_NEED_PARTNER && vt_kvm_partner_cpu(machine->settings.cpus) < 0) {
        snprintf(reason, size, "needs a second CPU that this process may use, for the other vCPU");
        return false;
    }
    if (!vt_kvm_nested_offers(&machine->vm, needs, reason, size))
        return false;
    if (machine->vm.has_pku)
        missing &= ~(uint32_t)VT_NEED_PKE;

    for (size_t i = 0; i < sizeof need_names / sizeof need_names[0]; i++)
        if (missing & need_names[i].need) {
            snprintf(reason, size, "this kernel does not offer %s", need_names[i].what);
            return false;
        }
    return true;
}

static int fill_scratch(struct vt_kvm_machine *machine, struct vt_error *error)
{
    struct kvm_sregs sregs;

    if (ioctl(machine->vm.vcpu, KVM_GET_SREGS, &sregs) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, errno, "KVM_GET_SREGS failed: %s", strerror(errno));
    vt_longmode_scratch(vt_kvm_machine_scratch(machine), &sregs);
    return 0;
}

static uint64_t guest_address(const void *code)
{
    return VT_GUEST_CASES + (uint64_t)((const uint8_t *)code - vt_guest_code_start);
}

static struct vt_bench_instruction instruction_at(uint64_t rip)
{
    return vt_bench_instruction_at(rip - VT_GUEST_CASES);
}

/* Why the vCPU came back, when it was not the doorbell. */
static enum vt_batch_end explain_exit(struct vt_kvm_machine *machine, struct vt_error *error)
{
    struct kvm_run *run = machine->vm.run;
    bool internal = run->exit_reason == KVM_EXIT_INTERNAL_ERROR;
    struct kvm_regs regs = {0};

    ioctl(machine->vm.vcpu, KVM_GET_REGS, &regs);
    if (internal && run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
        vt_error_set(error, VT_EXIT_NO, 0,
                     "KVM's instruction emulator does not know %s (KVM_INTERNAL_ERROR_EMULATION)",
                     instruction_at(regs.rip).text);
        return VT_BATCH_ABSENT;
    }
    vt_error_set(error, VT_EXIT_NO, 0,
                 "the vCPU stopped with exit %s (%u, suberror %u) at %s, guest RIP 0x%llx",
                 vt_vmm_exit_name(run->exit_reason), run->exit_reason, internal ? run->internal.suberror : 0,
                 instruction_at(regs.rip).text, (unsigned long long)regs.rip);
    return VT_BATCH_FAULT;
}

static enum vt_batch_end explain_exception(struct vt_kvm_machine *machine, struct vt_error *error)
{
    const struct vt_guest_exception *e = &vt_kvm_machine_mailbox(machine)->exception;

    if (e->vector == 13 && machine->c->refusal) {
        vt_error_set(error, VT_EXIT_NO, 0, "#GP: %s", machine->c->refusal);
        return VT_BATCH_ABSENT;
    }
    if (e->vector == 6) {
        vt_error_set(error, VT_EXIT_NO, 0, "#UD: the instruction is not offered");
        return VT_BATCH_ABSENT;
    }
    vt_error_set(error, VT_EXIT_NO, 0,
                 "unexpected %s (vector %llu, error code 0x%llx, RIP 0x%llx, CR2 0x%llx) at %s",
                 vt_guest_vector_name(e->vector), (unsigned long long)e->vector, (unsigned long long)e->error,
                 (unsigned long long)e->rip, (unsigned long long)e->cr2, instruction_at(e->rip).text);
    return VT_BATCH_FAULT;
}

static enum vt_batch_end explain_left(const struct vt_kvm_machine *machine, struct vt_error *error)
{
    char text[160];

    vt_kvm_nested_tell(&machine->vm, machine->c, text, sizeof text);
    vt_error_set(error, VT_EXIT_NO, 0, "%s", text);
    return VT_BATCH_FAULT;
}

/*
 * KVM_RUN came back without an exit: an error of its own, or a signal. Ours, the user's, or somebody's we do
 * not know and ignore.
 */
static bool must_end(struct vt_kvm_machine *machine, int number, enum vt_batch_end *end,
                     struct vt_error *error)
{
    if (number != EINTR) {
        struct vt_obstacle obstacle;
        vt_vmm_explain("KVM_RUN", number, &obstacle);
        vt_obstacle_error(&obstacle, number, error);
        *end = VT_BATCH_BROKEN;
    } else if (*machine->settings.stop) {
        *end = VT_BATCH_INTERRUPTED;
    } else if (machine->watchdog.fired) {
        vt_error_set(error, VT_EXIT_NO, 0, "did not return from KVM_RUN within %llu ms%s",
                     (unsigned long long)(machine->settings.limit_ns / 1000000),
                     machine->partner.failed ? ": the second vCPU had stopped" : "");
        *end = VT_BATCH_TIMEOUT;
    } else {
        return false;
    }
    return true;
}

/*
 * Run the vCPU to its next doorbell, answering the devices' exits on the way.
 * Nothing but the answer is in this loop: it is what a user-space exit costs.
 */
static enum vt_batch_end run_to_doorbell(struct vt_kvm_machine *machine, struct vt_error *error)
{
    struct kvm_run *run = machine->vm.run;
    enum vt_batch_end end;

    for (;;) {
        if (ioctl(machine->vm.vcpu, KVM_RUN, 0) != 0) {
            if (must_end(machine, errno, &end, error))
                return end;
            continue;
        }
        if (run->exit_reason == KVM_EXIT_IO && run->io.port == VT_PORT_DOORBELL)
            return VT_BATCH_DONE;
        machine->users++;
        if (!vt_kvm_devices_answer(&machine->devices, run))
            return explain_exit(machine, error);
    }
}

static enum vt_batch_end guarded_run(struct vt_kvm_machine *machine, struct vt_error *error)
{
    vt_watchdog_arm(&machine->watchdog, machine->settings.limit_ns);
    enum vt_batch_end end = run_to_doorbell(machine, error);
    vt_watchdog_arm(&machine->watchdog, 0);
    machine->vm.run->immediate_exit = 0;
    if (end == VT_BATCH_DONE && vt_kvm_machine_mailbox(machine)->state == VT_STATE_EXCEPTION)
        return explain_exception(machine, error);
    if (end == VT_BATCH_DONE && vt_kvm_machine_mailbox(machine)->state == VT_STATE_LEFT)
        return explain_left(machine, error);
    return end;
}

static void fill_mailbox(struct vt_kvm_machine *machine)
{
    const struct vt_case *c = machine->c;
    *vt_kvm_machine_mailbox(machine) = (struct vt_mailbox){
        .batch = guest_address(vt_batch),
        .scratch = VT_GUEST_SCRATCH,
        .skip_vector = c->needs & VT_NEED_HANDLERS ? c->skip_vector : UINT64_MAX,
        .skip_length = c->skip_length,
    };
}

static bool has_second(const struct vt_kvm_machine *machine)
{
    return machine->peer >= 0 || machine->partner.vcpu >= 0;
}

static int open_partner(struct vt_kvm_machine *machine, struct vt_error *error)
{
    return vt_kvm_partner_open(&machine->partner, &machine->vm,
                               machine->c->partner_halts ? machine->vm.halt : machine->vm.spin,
                               vt_kvm_partner_cpu(machine->settings.cpus), error);
}

int vt_kvm_machine_set(struct vt_kvm_machine *machine, const struct vt_case *c, int cpl,
                       struct vt_error *error)
{
    enum vt_apic_mode apic = c->needs & VT_NEED_XAPIC ? VT_APIC_X : VT_APIC_X2;

    machine->c = c;
    machine->vm.features.pke = c->needs & VT_NEED_PKE;
    machine->vm.features.svm = c->needs & VT_NEED_SVM;
    machine->vm.features.vmx = c->needs & VT_NEED_VMX;
    machine->hypervises = c->needs & VT_NEED_HYPERVISOR;
    int status =
        vt_vmm_start(&machine->vm, cpl, apic, vt_kvm_nested_entry(&machine->vm, c), VT_GUEST_MAILBOX, error);
    if (status == 0 && c->needs & VT_NEED_PEER)
        status = vt_kvm_peer_open(&machine->vm, &machine->peer, error);
    if (status != 0)
        return status;
    fill_mailbox(machine);
    status = fill_scratch(machine, error);
    if (status == 0 && machine->hypervises)
        status = vt_kvm_nested_set(&machine->vm, c, vt_kvm_machine_scratch(machine), error);
    return status == 0 && c->needs & VT_NEED_PARTNER ? open_partner(machine, error) : status;
}

/*
 * A vCPU is made with its APIC switched off, and until a second after it was switched on KVM looks at each
 * exit whether it is (apic_sw_disabled; jump_label_rate_limit): instructions more, by how long ago some
 * machine was made.
 */
static void settle(struct vt_kvm_machine *machine)
{
    enum { SETTLE_MS = 1200 };
    if (machine->settings.simulated && !machine->settled)
        poll(NULL, 0, SETTLE_MS);
    machine->settled = true;
}

int vt_kvm_machine_start(struct vt_kvm_machine *machine, const struct vt_case *c, int cpl,
                         struct vt_error *error)
{
    /* After a run that ended badly anything may be half done: a new machine costs a millisecond. A second
     * vCPU comes and goes with its machine, and so does what KVM keeps for a guest that is a hypervisor. */
    if (machine->vm.vcpu < 0 || machine->vm.dirty || has_second(machine) || machine->hypervises ||
        c->needs & (VT_NEED_PEER | VT_NEED_PARTNER)) {
        close_machine(machine);
        int status = open_machine(machine, error);
        if (status != 0)
            return status;
    }
    int status = vt_kvm_machine_set(machine, c, cpl, error);
    settle(machine);
    return status;
}

int vt_kvm_machine_enter(struct vt_kvm_machine *machine, struct vt_error *error)
{
    machine->vm.dirty = true;
    if (guarded_run(machine, error) != VT_BATCH_DONE)
        return -EIO;
    machine->vm.dirty = false;
    vt_stats_read(&machine->vm.stats, &machine->counted);
    return 0;
}

/* The doorbell is ours, not the case's. */
static void take_off_doorbell(struct vt_counters *counters)
{
    static const enum vt_counter touched[] = {VT_EXITS, VT_IO_EXITS};
    for (size_t i = 0; i < sizeof touched / sizeof touched[0]; i++)
        if (vt_counters_has(counters, touched[i]) && counters->value[touched[i]] > 0)
            counters->value[touched[i]]--;
}

/* Of a case that calls another vCPU those that it has answered; of others the vCPU's own. */
static uint64_t interrupts_taken(const struct vt_kvm_machine *machine)
{
    return machine->c->needs & VT_NEED_PARTNER ? vt_kvm_machine_scratch(machine)->answered
                                               : vt_kvm_machine_mailbox(machine)->interrupts;
}

static enum vt_batch_end check_inner(const struct vt_kvm_machine *machine, struct vt_error *error)
{
    char reason[160];

    if (vt_kvm_nested_check(&machine->vm, machine->c, reason, sizeof reason))
        return VT_BATCH_DONE;
    vt_error_set(error, VT_EXIT_NO, 0, "%s", reason);
    return VT_BATCH_FAULT;
}

bool vt_kvm_machine_strayed(const struct vt_kvm_machine *machine, char *reason, size_t size)
{
    struct kvm_sregs sregs;

    if (!(machine->c->needs & VT_NEED_USER) || ioctl(machine->vm.vcpu, KVM_GET_SREGS, &sregs) != 0 ||
        (sregs.cs.selector & 3) == 0)
        return false;
    snprintf(reason, size, "this KVM has the program's SYSCALL lead to ring %u (CS 0x%x), not to ring 0",
             sregs.cs.selector & 3u, sregs.cs.selector);
    return true;
}

static enum vt_batch_end check_level(const struct vt_kvm_machine *machine, struct vt_error *error)
{
    char reason[160];

    if (!vt_kvm_machine_strayed(machine, reason, sizeof reason))
        return VT_BATCH_DONE;
    vt_error_set(error, VT_EXIT_NO, 0, "%s", reason);
    return VT_BATCH_ABSENT;
}

/*
 * Where instructions are counted, what the kernel keeps of free pages for each CPU is given back as well: how
 * many there are, and in which order, is what all batches before left.
 */
static void discard(const struct vt_kvm_machine *machine)
{
    madvise(machine->vm.memory + VT_GUEST_TOUCH, VT_GUEST_TOUCH_SIZE, MADV_DONTNEED);
    int fd = machine->settings.simulated ? open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t written = write(fd, "1", 1);
        (void)written;
        close(fd);
    }
}

enum vt_batch_end vt_kvm_machine_batch(struct vt_kvm_machine *machine, vt_case_function function,
                                       uint64_t iterations, struct vt_batch *out, struct vt_error *error)
{
    struct vt_mailbox *box = vt_kvm_machine_mailbox(machine);
    uint64_t users = machine->users, interrupts = interrupts_taken(machine),
             calls = machine->devices.xen_calls;
    struct vt_usage before = vt_usage_now();
    struct vt_counters now;

    if (machine->c->needs & VT_NEED_DISCARD)
        discard(machine);
    vt_kvm_devices_drain(&machine->devices, machine->vm.run);
    box->function = guest_address((const void *)function);
    box->iterations = iterations;
    box->state = 0;
    if (machine->hypervises)
        vt_kvm_nested_forget(&machine->vm, machine->c);
    enum vt_batch_end end = guarded_run(machine, error);
    if (end == VT_BATCH_DONE && machine->hypervises && function == machine->c->body)
        end = check_inner(machine, error);
    if (end == VT_BATCH_DONE)
        end = check_level(machine, error);
    if (end != VT_BATCH_DONE) {
        machine->vm.dirty = true;
        return end;
    }
    vt_stats_read(&machine->vm.stats, &now);
    struct vt_usage after = vt_usage_now();
    *out = (struct vt_batch){
        .cycles = box->tsc[1] - box->tsc[0],
        .counters = vt_counters_since(&machine->counted, &now),
        .marked = after.preemptions != before.preemptions,
    };
    take_off_doorbell(&out->counters);
    if (machine->devices.xen_calls > calls)
        vt_counters_put(&out->counters, VT_HYPERCALLS,
                        out->counters.value[VT_HYPERCALLS] + machine->devices.xen_calls - calls);
    vt_counters_put(&out->counters, VT_USER_EXITS, machine->users - users);
    if (machine->c->needs & VT_NEED_PEER)
        interrupts -= vt_kvm_peer_take_interrupts(machine->peer);
    vt_counters_put(&out->counters, VT_INTERRUPTS, interrupts_taken(machine) - interrupts);
    vt_usage_count(&before, &after, &out->counters);
    machine->counted = now;
    return VT_BATCH_DONE;
}
