/* A case's effect in a virtual machine. */
#include "bench/engines/kvm/machine.h"
#include "bench/engines/machine/machine.h"
#include "tests/difference/effect.h"
#include "tests/difference/kvm_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static uint64_t guest_address(const void *code)
{
    return VT_GUEST_CASES + (uint64_t)((const uint8_t *)code - vt_guest_code_start);
}

/* The 8259A that VT_PORT_KERNEL belongs to. */
static void set_mask(int vm, uint8_t mask)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_PIC_MASTER};

    if (ioctl(vm, KVM_GET_IRQCHIP, &chip) == 0) {
        chip.chip.pic.imr = mask;
        ioctl(vm, KVM_SET_IRQCHIP, &chip);
    }
}

static uint8_t get_mask(int vm)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_PIC_MASTER};

    return ioctl(vm, KVM_GET_IRQCHIP, &chip) == 0 ? chip.chip.pic.imr : EFFECT_MASK;
}

static void get_apic(const struct vt_kvm_machine *machine, struct vt_vcpu *vcpu)
{
    struct kvm_lapic_state apic;

    vcpu->apic.sent = vt_kvm_machine_mailbox(machine)->interrupts;
    if (ioctl(machine->vm.vcpu, KVM_GET_LAPIC, &apic) != 0)
        return;
    for (unsigned i = 0; i < 8; i++) { /* 32 vectors every 16 bytes (Intel SDM 3A 11.8.4) */
        uint32_t isr, irr;

        memcpy(&isr, apic.regs + 0x100 + 0x10 * i, 4);
        memcpy(&irr, apic.regs + 0x200 + 0x10 * i, 4);
        vcpu->apic.isr[i / 2] |= (uint64_t)isr << 32 * (i % 2);
        vcpu->apic.irr[i / 2] |= (uint64_t)irr << 32 * (i % 2);
        vcpu->apic.sent += (unsigned)__builtin_popcount(irr); /* an interrupt may be taken a little later */
    }
}

static void get_state(const struct vt_kvm_machine *machine, struct vt_vcpu *vcpu)
{
    memset(&vcpu->apic, 0, sizeof vcpu->apic);
    kvm_state_get(machine->vm.vcpu, vcpu);
    vcpu->xcr0 = kvm_state_get_xcr0(machine->vm.vcpu);
    get_apic(machine, vcpu);
}

static uint64_t take_doorbells(const struct vt_kvm_machine *machine)
{
    uint64_t count = 0;

    return read(machine->devices.eventfd, &count, sizeof count) == sizeof count ? count : 0;
}

#define OTHER_FS_BASE UINT64_C(0x00007b0000002340)

static bool begin(struct effect *e, struct vt_kvm_machine *machine, const struct vt_case *c,
                  const struct effect_setup *setup, const struct effect_code *code)
{
    struct vt_mailbox *box = vt_kvm_machine_mailbox(machine);
    struct vt_scratch *scratch = vt_kvm_machine_scratch(machine);
    struct vt_vcpu vcpu = {0};
    struct kvm_sregs sregs;

    get_state(machine, &vcpu);
    ioctl(machine->vm.vcpu, KVM_GET_SREGS, &sregs);
    e->fact[FACT_LDT] = vcpu.segment[VT_LDTR].base;
    e->fact[FACT_LDT_LIMIT] = vcpu.segment[VT_LDTR].limit;
    e->fact_size[FACT_LDT] = e->fact_size[FACT_LDT_LIMIT] = 1;
    vcpu.segment[VT_FS].base = OTHER_FS_BASE;
    effect_begin(e, c, setup, &vcpu, scratch);
    kvm_state_set_xcr0(machine->vm.vcpu, vt_machine_host_xcr0());
    set_mask(machine->vm.vm, EFFECT_MASK);
    take_doorbells(machine);
    if (!kvm_state_set(machine->vm.vcpu, &sregs, &vcpu))
        return false;
    get_state(machine, &e->before);
    effect_facts(e, scratch, guest_address((const void *)(uintptr_t)c->body), VT_GUEST_SCRATCH);
    if (c->needs & VT_NEED_HANDLERS)
        effect_redirect(machine->vm.memory + VT_GUEST_IDT, c->skip_vector, guest_address(code->handler));
    box->function = guest_address((const void *)(uintptr_t)c->body);
    box->iterations = 1;
    box->state = 0;
    return true;
}

static bool answer_port(struct effect *e, struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    if (!EFFECT_IS_PORT(run->io.port))
        return false;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        uint64_t value = EFFECT_PORT;

        memcpy(run->io.direction == KVM_EXIT_IO_IN ? (void *)data : &value,
               run->io.direction == KVM_EXIT_IO_IN ? (void *)&value : data, run->io.size);
        effect_note(e, DEVICE_PORT, run->io.direction == KVM_EXIT_IO_OUT, run->io.size, run->io.port, value);
    }
    return true;
}

static bool answer_mmio(struct effect *e, struct kvm_run *run)
{
    uint64_t offset = run->mmio.phys_addr - VT_GUEST_MMIO, value = EFFECT_MMIO;

    if (offset >= 0x3000)
        return false;
    if (run->mmio.is_write)
        memcpy(&value, run->mmio.data, run->mmio.len);
    else
        memcpy(run->mmio.data, &value, run->mmio.len);
    effect_note(e, DEVICE_MMIO, run->mmio.is_write, run->mmio.len, offset, value);
    return true;
}

static bool answer_msr(struct effect *e, struct kvm_run *run, bool write)
{
    if (run->msr.index != VT_MSR_USER)
        return false;
    if (!write)
        run->msr.data = EFFECT_MSR;
    run->msr.error = 0;
    effect_note(e, DEVICE_MSR, write, 8, run->msr.index, run->msr.data);
    return true;
}

static bool answer(struct effect *e, struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        return answer_port(e, run);
    case KVM_EXIT_MMIO:
        return answer_mmio(e, run);
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        return answer_msr(e, run, run->exit_reason == KVM_EXIT_X86_WRMSR);
    default:
        return false;
    }
}

/* Writes that the kernel gathered instead of leaving for each. */
static void take_coalesced(struct effect *e, const struct vt_kvm_machine *machine)
{
    struct kvm_coalesced_mmio_ring *ring =
        (void *)((char *)machine->vm.run + machine->devices.coalesced_page * 4096u);

    if (!machine->devices.coalesced_page)
        return;
    for (; ring->first != ring->last;
         ring->first =
             (ring->first + 1) % (uint32_t)((4096 - sizeof *ring) / sizeof ring->coalesced_mmio[0])) {
        uint64_t value = 0;

        memcpy(&value, ring->coalesced_mmio[ring->first].data, ring->coalesced_mmio[ring->first].len);
        effect_note(e, DEVICE_MMIO, true, ring->coalesced_mmio[ring->first].len,
                    ring->coalesced_mmio[ring->first].phys_addr - VT_GUEST_MMIO, value);
    }
}

static void refuse(struct effect *e, const struct vt_kvm_machine *machine)
{
    e->end = EFFECT_UNSUPPORTED;
    snprintf(e->reason, sizeof e->reason, "KVM left with exit %s (suberror %u)",
             vt_vmm_exit_name(machine->vm.run->exit_reason),
             machine->vm.run->exit_reason == KVM_EXIT_INTERNAL_ERROR ? machine->vm.run->internal.suberror
                                                                     : 0);
}

static void run(struct effect *e, struct vt_kvm_machine *machine)
{
    struct kvm_run *run = machine->vm.run;

    machine->vm.dirty = true;
    vt_watchdog_arm(&machine->watchdog, machine->settings.limit_ns);
    for (;;) {
        int status = ioctl(machine->vm.vcpu, KVM_RUN, 0);

        if (status != 0 && errno == EINTR && !machine->watchdog.fired)
            continue;
        if (status == 0 && run->exit_reason == KVM_EXIT_IO && run->io.port == VT_PORT_DOORBELL)
            break;
        if (status != 0 || !answer(e, run)) {
            refuse(e, machine);
            break;
        }
    }
    vt_watchdog_arm(&machine->watchdog, 0);
    run->immediate_exit = 0;
    if (e->end == EFFECT_DONE && vt_kvm_machine_strayed(machine, e->reason, sizeof e->reason))
        e->end = EFFECT_UNSUPPORTED;
    machine->vm.dirty = e->end != EFFECT_DONE;
}

/* As the engine says it: an instruction this backend does not offer. */
static bool is_absent(const struct vt_case *c, uint64_t vector)
{
    return vector == VT_EXCEPTION_UD || (vector == VT_EXCEPTION_GP && c->refusal);
}

static void see_exception(struct effect *e, struct vt_kvm_machine *machine, const struct vt_case *c)
{
    const struct vt_mailbox *box = vt_kvm_machine_mailbox(machine);

    if (e->end != EFFECT_DONE || box->state != VT_STATE_EXCEPTION)
        return;
    e->vector = box->exception.vector;
    e->end = is_absent(c, e->vector) ? EFFECT_UNSUPPORTED : EFFECT_FAULT;
    machine->vm.dirty = true;
    snprintf(e->reason, sizeof e->reason, "%s, error code 0x%llx", vt_guest_vector_name(e->vector),
             (unsigned long long)box->exception.error);
}

void effect_run_kvm(struct effect *e, void *state, const struct vt_case *c, const struct effect_setup *setup,
                    const struct effect_code *code)
{
    const struct vt_engine *engine = vt_bench_find_engine("kvm");
    struct vt_kvm_machine *machine = state;
    struct vt_error error;

    *e = (struct effect){.engine = EFFECT_KVM, .end = EFFECT_UNSUPPORTED, .crossed = true};
    if (!engine->supports(state, c, setup->level, e->reason, sizeof e->reason))
        return;
    if (c->needs & VT_NEED_HYPERVISOR) {
        snprintf(e->reason, sizeof e->reason, "a guest that is a hypervisor: no other engine has one");
        return;
    }
    if (engine->prepare(state, c, setup->level, &error) != 0 || !begin(e, machine, c, setup, code)) {
        snprintf(e->reason, sizeof e->reason, "KVM does not take the state to start from");
        machine->vm.dirty = true;
        return;
    }
    e->end = EFFECT_DONE;
    run(e, machine);
    see_exception(e, machine, c);
    get_state(machine, &e->after);
    machine->vm.dirty |= e->after.apic.irr[3] != 0;
    e->doorbells = take_doorbells(machine);
    e->mask = get_mask(machine->vm.vm);
    take_coalesced(e, machine);
    effect_finish(e, vt_kvm_machine_scratch(machine));
}
