/*
 * Engine `kvm`: the cases inside a virtual machine of our own, at CPL 0 and CPL 3.
 * One doorbell exit per batch; KVM's own counters around it are the evidence.
 */
#include "base/watchdog.h"
#include "bench/engine.h"
#include "bench/engines/kvm/devices.h"
#include "guest/abi.h"
#include "vmm/backend.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

struct kvm_engine {
    struct vt_engine_settings settings;
    struct vt_vm vm;
    struct vt_kvm_devices devices;
    struct vt_watchdog watchdog;
    const struct vt_case *c;
    int cpl;
    uint64_t users;             /* user exits since the engine was opened */
    struct vt_counters counted; /* KVM's counters at the end of the last run */
};

static struct vt_mailbox *mailbox(const struct kvm_engine *engine)
{
    return vt_vmm_memory(&engine->vm, VT_GUEST_MAILBOX, sizeof(struct vt_mailbox));
}

static bool available(char *reason, size_t size)
{
    struct vt_error error;
    int fd = vt_vmm_open_device(&error);
    if (fd < 0) {
        snprintf(reason, size, "%s", error.text);
        return false;
    }
    close(fd);
    return true;
}

static void close_machine(struct kvm_engine *engine)
{
    vt_kvm_devices_close(&engine->devices);
    vt_vmm_close(&engine->vm);
}

static int open_machine(struct kvm_engine *engine, struct vt_error *error)
{
    int status = vt_vmm_open(&engine->vm, error);
    if (status != 0)
        return status;
    vt_kvm_devices_open(&engine->devices, &engine->vm);
    engine->watchdog.kick = &engine->vm.run->immediate_exit;
    return 0;
}

static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct kvm_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "out of memory for engine kvm");
    engine->settings = *settings;
    int status = open_machine(engine, error);
    if (status == 0) {
        status = vt_watchdog_open(&engine->watchdog, error);
        if (status != 0)
            close_machine(engine);
    }
    if (status != 0) {
        free(engine);
        return status;
    }
    *state = engine;
    return 0;
}

static void engine_close(void *state)
{
    struct kvm_engine *engine = state;
    vt_watchdog_close(&engine->watchdog);
    close_machine(engine);
    free(engine);
}

static enum vt_path path(void *state)
{
    (void)state;
    enum vt_backend backend = vt_vmm_backend();
    return backend == VT_BACKEND_VMX || backend == VT_BACKEND_SVM ? VT_PATH_HARDWARE : VT_PATH_EMULATED;
}

static const struct {
    uint32_t need;
    const char *what;
} need_names[] = {
    {VT_NEED_PORTS,      "an in-kernel interrupt controller (KVM_CREATE_IRQCHIP)"},
    {VT_NEED_EVENTFD,    "KVM_IOEVENTFD"                                         },
    {VT_NEED_COALESCED,  "KVM_REGISTER_COALESCED_MMIO"                           },
    {VT_NEED_XAPIC,      "an in-kernel local APIC (KVM_CREATE_IRQCHIP)"          },
    {VT_NEED_X2APIC,     "an in-kernel local APIC (KVM_CREATE_IRQCHIP)"          },
    {VT_NEED_MSR_FILTER, "KVM_X86_SET_MSR_FILTER"                                },
};

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    struct kvm_engine *engine = state;
    uint32_t missing = c->needs & ~engine->devices.offered;

    if (!vt_guest_case_runs_at(c, cpl, true)) {
        snprintf(reason, size, c->ring0_only ? "set up for CPL 0 only" : "privileged: faults at CPL 3");
        return false;
    }
    for (size_t i = 0; i < sizeof need_names / sizeof need_names[0]; i++)
        if (missing & need_names[i].need) {
            snprintf(reason, size, "this kernel does not offer %s", need_names[i].what);
            return false;
        }
    return true;
}

static void fill_table_operand(uint8_t operand[16], uint16_t limit, uint64_t base)
{
    memcpy(operand, &limit, sizeof limit);
    memcpy(operand + 2, &base, sizeof base);
}

static int fill_scratch(struct kvm_engine *engine, struct vt_error *error)
{
    struct vt_scratch *scratch = vt_vmm_memory(&engine->vm, VT_GUEST_SCRATCH, sizeof *scratch);
    struct kvm_sregs sregs;

    if (ioctl(engine->vm.vcpu, KVM_GET_SREGS, &sregs) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, errno, "KVM_GET_SREGS failed: %s", strerror(errno));
    *scratch = (struct vt_scratch){
        .cr0 = sregs.cr0,
        .cr3 = sregs.cr3,
        .cr4 = sregs.cr4,
        .cr8 = sregs.cr8,
        .dr7 = 0x400,
        .xcr0 = 1,
        .msr_user = VT_MSR_USER,
        .msr_kernel_read = VT_MSR_KERNEL_READ,
        .msr_kernel_write = VT_MSR_KERNEL_WRITE,
        .port_kernel = VT_PORT_KERNEL,
        .port_user = VT_PORT_USER,
        .port_eventfd = VT_PORT_EVENTFD,
        .mmio_user = VT_GUEST_MMIO + VT_MMIO_USER,
        .mmio_eventfd = VT_GUEST_MMIO + VT_MMIO_EVENTFD,
        .mmio_coalesced = VT_GUEST_MMIO + VT_MMIO_COALESCED,
        .xapic = VT_GUEST_XAPIC,
        .code_selector = sregs.cs.selector,
        .data_selector = sregs.ds.selector,
        .tss_selector = VT_SEL_TSS,
        .ldt_selector = VT_SEL_LDT,
        .tss_descriptor = VT_GUEST_GDT + VT_SEL_TSS,
        .absent = VT_GUEST_ABSENT,
        .touch = VT_GUEST_TOUCH,
        .page = VT_GUEST_TOUCH,
    };
    fill_table_operand(scratch->gdtr, (uint16_t)sregs.gdt.limit, sregs.gdt.base);
    fill_table_operand(scratch->idtr, (uint16_t)sregs.idt.limit, sregs.idt.base);
    return 0;
}

static uint64_t guest_address(const void *code)
{
    return VT_GUEST_CASES + (uint64_t)((const uint8_t *)code - vt_guest_code_start);
}

/* Why the vCPU came back, when it was not the doorbell. */
static enum vt_batch_end explain_exit(struct kvm_engine *engine, struct vt_error *error)
{
    struct kvm_run *run = engine->vm.run;
    bool internal = run->exit_reason == KVM_EXIT_INTERNAL_ERROR;
    struct kvm_regs regs = {0};

    if (internal && run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
        vt_error_set(error, VT_EXIT_NO, 0,
                     "KVM's instruction emulator does not know it (KVM_INTERNAL_ERROR_EMULATION)");
        return VT_BATCH_ABSENT;
    }
    ioctl(engine->vm.vcpu, KVM_GET_REGS, &regs);
    vt_error_set(error, VT_EXIT_NO, 0, "the vCPU stopped with exit %s (%u, suberror %u) at guest RIP 0x%llx",
                 vt_vmm_exit_name(run->exit_reason), run->exit_reason, internal ? run->internal.suberror : 0,
                 (unsigned long long)regs.rip);
    return VT_BATCH_FAULT;
}

static enum vt_batch_end explain_exception(struct kvm_engine *engine, struct vt_error *error)
{
    const struct vt_guest_exception *e = &mailbox(engine)->exception;

    if (e->vector == 13 && engine->c->refusal) {
        vt_error_set(error, VT_EXIT_NO, 0, "#GP: %s", engine->c->refusal);
        return VT_BATCH_ABSENT;
    }
    if (e->vector == 6) {
        vt_error_set(error, VT_EXIT_NO, 0, "#UD: the instruction is not offered");
        return VT_BATCH_ABSENT;
    }
    vt_error_set(error, VT_EXIT_NO, 0,
                 "unexpected %s (vector %llu, error code 0x%llx, RIP 0x%llx, CR2 0x%llx)",
                 vt_guest_vector_name(e->vector), (unsigned long long)e->vector, (unsigned long long)e->error,
                 (unsigned long long)e->rip, (unsigned long long)e->cr2);
    return VT_BATCH_FAULT;
}

/* KVM_RUN came back without an exit: a signal. Ours, the user's, or somebody's we do not know and ignore. */
static bool must_end(struct kvm_engine *engine, int number, enum vt_batch_end *end, struct vt_error *error)
{
    if (number != EINTR && number != EAGAIN) {
        vt_error_set(error, VT_EXIT_INTERNAL, number, "KVM_RUN failed: %s", strerror(number));
        *end = VT_BATCH_BROKEN;
    } else if (*engine->settings.stop) {
        *end = VT_BATCH_INTERRUPTED;
    } else if (engine->watchdog.fired) {
        vt_error_set(error, VT_EXIT_NO, 0, "did not return from KVM_RUN within %llu ms",
                     (unsigned long long)(engine->settings.limit_ns / 1000000));
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
static enum vt_batch_end run_to_doorbell(struct kvm_engine *engine, struct vt_error *error)
{
    struct kvm_run *run = engine->vm.run;
    enum vt_batch_end end;

    for (;;) {
        if (ioctl(engine->vm.vcpu, KVM_RUN, 0) != 0) {
            if (must_end(engine, errno, &end, error))
                return end;
            continue;
        }
        if (run->exit_reason == KVM_EXIT_IO && run->io.port == VT_PORT_DOORBELL)
            return VT_BATCH_DONE;
        engine->users++;
        if (!vt_kvm_devices_answer(&engine->devices, run))
            return explain_exit(engine, error);
    }
}

static enum vt_batch_end guarded_run(struct kvm_engine *engine, struct vt_error *error)
{
    vt_watchdog_arm(&engine->watchdog, engine->settings.limit_ns);
    enum vt_batch_end end = run_to_doorbell(engine, error);
    vt_watchdog_arm(&engine->watchdog, 0);
    engine->vm.run->immediate_exit = 0;
    if (end == VT_BATCH_DONE && mailbox(engine)->state == VT_STATE_EXCEPTION)
        return explain_exception(engine, error);
    return end;
}

static void fill_mailbox(struct kvm_engine *engine)
{
    const struct vt_case *c = engine->c;
    *mailbox(engine) = (struct vt_mailbox){
        .batch = guest_address(vt_batch),
        .scratch = VT_GUEST_SCRATCH,
        .skip_vector = c->needs & VT_NEED_HANDLERS ? c->skip_vector : UINT64_MAX,
        .skip_length = c->skip_length,
    };
}

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct kvm_engine *engine = state;
    enum vt_apic_mode apic = c->needs & VT_NEED_XAPIC ? VT_APIC_X : VT_APIC_X2;

    engine->c = c;
    engine->cpl = cpl;
    /* After a run that ended badly anything may be half done: a new machine costs a millisecond. */
    if (engine->vm.vcpu < 0 || engine->vm.dirty) {
        close_machine(engine);
        int status = open_machine(engine, error);
        if (status != 0)
            return status;
    }
    int status = vt_vmm_start(&engine->vm, cpl, apic, engine->vm.payload_entry, VT_GUEST_MAILBOX, error);
    if (status != 0)
        return status;
    fill_mailbox(engine);
    status = fill_scratch(engine, error);
    if (status != 0)
        return status;
    engine->vm.dirty = true;
    if (guarded_run(engine, error) != VT_BATCH_DONE)
        return -EIO;
    engine->vm.dirty = false;
    vt_stats_read(&engine->vm.stats, &engine->counted);
    return 0;
}

static long preemptions(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

/* The doorbell is ours, not the case's. */
static void take_off_doorbell(struct vt_counters *counters)
{
    static const enum vt_counter touched[] = {VT_EXITS, VT_IO_EXITS};
    for (size_t i = 0; i < sizeof touched / sizeof touched[0]; i++)
        if (vt_counters_has(counters, touched[i]) && counters->value[touched[i]] > 0)
            counters->value[touched[i]]--;
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    struct kvm_engine *engine = state;
    struct vt_mailbox *box = mailbox(engine);
    uint64_t users = engine->users, interrupts = box->interrupts;
    long preempted = preemptions();
    struct vt_counters now;

    if (engine->c->needs & VT_NEED_DISCARD)
        madvise(engine->vm.memory + VT_GUEST_TOUCH, VT_GUEST_TOUCH_SIZE, MADV_DONTNEED);
    box->function = guest_address((const void *)(twin == VT_BODY ? engine->c->body : engine->c->baseline));
    box->iterations = iterations;
    box->state = 0;
    enum vt_batch_end end = guarded_run(engine, error);
    if (end != VT_BATCH_DONE) {
        engine->vm.dirty = true;
        return end;
    }
    vt_stats_read(&engine->vm.stats, &now);
    preempted = preemptions() - preempted;
    *out = (struct vt_batch){
        .cycles = box->tsc[1] - box->tsc[0],
        .counters = vt_counters_since(&engine->counted, &now),
        .marked = preempted > 0,
    };
    take_off_doorbell(&out->counters);
    vt_counters_put(&out->counters, VT_USER_EXITS, engine->users - users);
    vt_counters_put(&out->counters, VT_INTERRUPTS, box->interrupts - interrupts);
    vt_counters_put(&out->counters, VT_PREEMPTIONS, (uint64_t)preempted);
    engine->counted = now;
    return VT_BATCH_DONE;
}

static const int levels[] = {0, 3, -1};

const struct vt_engine vt_engine_kvm = {
    .name = "kvm",
    .summary = "a virtual machine on /dev/kvm, at CPL 0 and CPL 3",
    .levels = levels,
    .available = available,
    .open = engine_open,
    .path = path,
    .supports = supports,
    .prepare = prepare,
    .batch = batch,
    .close = engine_close,
};
