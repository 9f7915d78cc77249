#include "monitor/exit/vmxexits.h"

#include "guest/abi.h"
#include "monitor/decoded.h"
#include "monitor/exit/controls.h"
#include "monitor/exit/exits.h"
#include "monitor/msr.h"
#include "monitor/exit/vmcs.h"
#include "monitor/exit/xcr0.h"
#include "vcpu/apic.h"

#define CR4_VMXE UINT64_C(0x2000)
#define TPR      0x80 /* offset in the page of the virtual APIC */
#define ALL      (~UINT64_C(0))

#define MSR_KERNEL_GS 0xc0000102

static struct vt_vmx_share own;

static void pull_priority(struct vt_vcpu *vcpu)
{
    vcpu->cr[8] = own.priority[TPR] >> 4;
    vcpu->apic.tpr_subclass = own.priority[TPR] & 15;
}

static void push_priority(const struct vt_vcpu *vcpu)
{
    own.priority[TPR] = (uint8_t)(vcpu->cr[8] << 4 | vcpu->apic.tpr_subclass);
}

static void pull(struct vt_vcpu *vcpu)
{
    vcpu->rip = vt_vmcs_read(VT_VMCS_GUEST_RIP);
    vcpu->gpr[VT_RSP] = vt_vmcs_read(VT_VMCS_GUEST_RSP);
    vt_vcpu_set_rflags(vcpu, vt_vmcs_read(VT_VMCS_GUEST_RFLAGS));
    vcpu->shadow = (vt_vmcs_read(VT_VMCS_INTERRUPTIBILITY) & (VT_VMX_BY_STI | VT_VMX_BY_SS)) != 0;
    if (own.priority)
        pull_priority(vcpu);
}

static void push(const struct vt_vcpu *vcpu)
{
    vt_vmcs_write(VT_VMCS_GUEST_RIP, vcpu->rip);
    vt_vmcs_write(VT_VMCS_GUEST_RSP, vcpu->gpr[VT_RSP]);
    vt_vmcs_write(VT_VMCS_GUEST_RFLAGS, vt_vcpu_rflags(vcpu));
    vt_vmcs_write(VT_VMCS_INTERRUPTIBILITY, !vcpu->shadow          ? 0
                                            : vcpu->interrupt_flag ? VT_VMX_BY_STI
                                                                   : VT_VMX_BY_SS);
    if (own.priority)
        push_priority(vcpu);
}

/* Bits that are not the guest's own are the virtual CPU's; CD and NW of the structure, which no entry loads,
 * are the host's. CR2 is the processor's, and never exits. */
static void pull_control(struct vt_vcpu *vcpu)
{
    vcpu->cr[0] = (vcpu->cr[0] & ~own.cr0) | (vt_vmcs_read(VT_VMCS_GUEST_CR0) & own.cr0);
    vcpu->cr[3] = vt_vmcs_read(VT_VMCS_GUEST_CR3);
    vcpu->cr[4] = (vcpu->cr[4] & ~own.cr4) | (vt_vmcs_read(VT_VMCS_GUEST_CR4) & own.cr4);
    vcpu->dr[7] = vt_vmcs_read(VT_VMCS_GUEST_DR7);
}

/* The shadow is what a guest reads of bits that are not its own, and what makes a write of the same value
 * none. */
static void push_control(const struct vt_vcpu *vcpu)
{
    vt_vmcs_write(VT_VMCS_GUEST_CR0, vcpu->cr[0]);
    vt_vmcs_write(VT_VMCS_CR0_SHADOW, vcpu->cr[0]);
    vt_vmcs_write(VT_VMCS_GUEST_CR3, vcpu->cr[3]);
    vt_vmcs_write(VT_VMCS_GUEST_CR4, vcpu->cr[4] | CR4_VMXE);
    vt_vmcs_write(VT_VMCS_CR4_SHADOW, vcpu->cr[4]);
    vt_vmcs_write(VT_VMCS_GUEST_DR7, vcpu->dr[7]);
}

static void push_tables(const struct vt_vcpu *vcpu)
{
    vt_vmcs_write(VT_VMCS_GUEST_GDTR_BASE, vcpu->gdtr.base);
    vt_vmcs_write(VT_VMCS_GUEST_GDTR_LIMIT, vcpu->gdtr.limit);
    vt_vmcs_write(VT_VMCS_GUEST_IDTR_BASE, vcpu->idtr.base);
    vt_vmcs_write(VT_VMCS_GUEST_IDTR_LIMIT, vcpu->idtr.limit);
}

static void pull_tables(struct vt_vcpu *vcpu)
{
    vcpu->gdtr.base = vt_vmcs_read(VT_VMCS_GUEST_GDTR_BASE);
    vcpu->gdtr.limit = (uint16_t)vt_vmcs_read(VT_VMCS_GUEST_GDTR_LIMIT);
    vcpu->idtr.base = vt_vmcs_read(VT_VMCS_GUEST_IDTR_BASE);
    vcpu->idtr.limit = (uint16_t)vt_vmcs_read(VT_VMCS_GUEST_IDTR_LIMIT);
}

static void push_segment(const struct vt_vcpu *vcpu, unsigned name)
{
    const struct vt_segment *s = &vcpu->segment[name];

    vt_vmcs_write(VT_VMCS_GUEST_SELECTOR + 2 * name, s->selector);
    vt_vmcs_write(VT_VMCS_GUEST_BASE + 2 * name, s->base);
    vt_vmcs_write(VT_VMCS_GUEST_LIMIT + 2 * name, s->limit);
    vt_vmcs_write(VT_VMCS_GUEST_RIGHTS + 2 * name, s->rights ? s->rights : VT_VMX_UNUSABLE);
}

static void pull_segment(struct vt_vcpu *vcpu, unsigned name)
{
    const uint64_t rights = vt_vmcs_read(VT_VMCS_GUEST_RIGHTS + 2 * name);

    vcpu->segment[name] = (struct vt_segment){(uint16_t)vt_vmcs_read(VT_VMCS_GUEST_SELECTOR + 2 * name),
                                              rights & VT_VMX_UNUSABLE ? 0 : (uint16_t)rights,
                                              (uint32_t)vt_vmcs_read(VT_VMCS_GUEST_LIMIT + 2 * name),
                                              vt_vmcs_read(VT_VMCS_GUEST_BASE + 2 * name)};
}

/* MSRs that no field keeps are the guest's in the processor while it runs; the monitor needs none of them. */
static const struct {
    uint32_t msr;
    enum vt_msr_slot slot;
} kept[] = {
    {0xc0000081, VT_MSR_STAR},
    {0xc0000082, VT_MSR_LSTAR},
    {0xc0000083, VT_MSR_CSTAR},
    {0xc0000084, VT_MSR_FMASK},
    {MSR_KERNEL_GS, VT_MSR_KERNEL_GS_BASE},
};
enum { KEPT = sizeof kept / sizeof kept[0] };

static void pull_rest(struct vt_vcpu *vcpu)
{
    for (size_t i = 0; i < KEPT; i++)
        vcpu->msr[kept[i].slot] = vt_msr_read(kept[i].msr);
    vcpu->segment[VT_FS].base = vt_vmcs_read(VT_VMCS_GUEST_BASE + 2 * VT_FS);
    vcpu->segment[VT_GS].base = vt_vmcs_read(VT_VMCS_GUEST_BASE + 2 * VT_GS);
}

static void push_rest(const struct vt_vcpu *vcpu)
{
    for (size_t i = 0; i < KEPT; i++)
        vt_msr_write(kept[i].msr, vcpu->msr[kept[i].slot]);
    vt_vmcs_write(VT_VMCS_GUEST_BASE + 2 * VT_FS, vcpu->segment[VT_FS].base);
    vt_vmcs_write(VT_VMCS_GUEST_BASE + 2 * VT_GS, vcpu->segment[VT_GS].base);
    push_segment(vcpu, VT_LDTR);
    push_segment(vcpu, VT_TR);
}

/* Debug registers that no field keeps. */
static void load_debug(const struct vt_vcpu *vcpu)
{
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3; mov %4, %%dr6"
                     :
                     : "r"(vcpu->dr[0]), "r"(vcpu->dr[1]), "r"(vcpu->dr[2]), "r"(vcpu->dr[3]),
                       "r"(vcpu->dr[6]));
}

static void store_debug(struct vt_vcpu *vcpu)
{
    __asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3; mov %%dr6, %4"
                     : "=r"(vcpu->dr[0]), "=r"(vcpu->dr[1]), "=r"(vcpu->dr[2]), "=r"(vcpu->dr[3]),
                       "=r"(vcpu->dr[6]));
}

static void write_cr2(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

void vt_vmxexits_begin(const struct vt_vmx_share *share)
{
    const struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    own = *share;
    vt_vmcs_write(VT_VMCS_CR0_MASK, ALL & ~own.cr0);
    vt_vmcs_write(VT_VMCS_CR4_MASK, ALL & ~own.cr4);
    vt_vmcs_write(VT_VMCS_GUEST_EFER, vcpu->efer);
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        push_segment(vcpu, i);
    push(vcpu);
    push_control(vcpu);
    push_tables(vcpu);
    push_rest(vcpu);
    if (own.debug)
        load_debug(vcpu);
    write_cr2(vcpu->cr[2]);
}

void vt_vmxexits_end(void)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    __asm__ volatile("mov %%cr2, %0" : "=r"(vcpu->cr[2]));
    pull(vcpu);
    pull_control(vcpu);
    pull_rest(vcpu);
    pull_tables(vcpu);
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        pull_segment(vcpu, i);
    if (own.debug)
        store_debug(vcpu);
}

static void inject_fault(const struct vt_vcpu *vcpu)
{
    const struct vt_fault *fault = &vcpu->fault;

    if (fault->has_error)
        vt_vmcs_write(VT_VMCS_ENTRY_ERROR, fault->error);
    vt_vmcs_write(VT_VMCS_ENTRY_EVENT, VT_VMX_EVENT_VALID | VT_VMX_EVENT_EXCEPTION | fault->vector |
                                           (fault->has_error ? VT_VMX_EVENT_ERROR : 0));
    if (fault->vector == VT_EXCEPTION_PF)
        write_cr2(fault->address);
}

static void set_window(bool open)
{
    const uint64_t controls = vt_vmcs_read(VT_VMCS_PROCESSOR_CONTROLS);

    vt_vmcs_write(VT_VMCS_PROCESSOR_CONTROLS,
                  open ? controls | VT_VMX_INTERRUPT_WINDOW : controls & ~(uint64_t)VT_VMX_INTERRUPT_WINDOW);
}

/* One that may not come yet waits for the window that the processor tells of. */
static void interrupt(struct vt_vcpu *vcpu)
{
    if (vcpu->interrupt_flag && !vcpu->shadow && !(vt_vmcs_read(VT_VMCS_ENTRY_EVENT) & VT_VMX_EVENT_VALID)) {
        int vector = vt_vcpu_apic_next(vcpu);
        if (vector < 0)
            return;
        vt_vcpu_apic_accept(vcpu, (uint8_t)vector);
        vt_monitor.interrupts++;
        vt_vmcs_write(VT_VMCS_ENTRY_EVENT, VT_VMX_EVENT_VALID | (uint64_t)vector);
    }
    if (vcpu->apic.pending)
        set_window(true);
}

/* Of the highest vector that is requested; 0: none is. */
static unsigned requested_class(const struct vt_vcpu *vcpu)
{
    for (unsigned i = 4; i-- > 0;)
        if (vcpu->apic.irr[i])
            return (unsigned)(64 * i + 63 - (unsigned)__builtin_clzll(vcpu->apic.irr[i])) >> 4;
    return 0;
}

/* What the task priority holds back, which the guest may lower by itself. */
static void watch_priority(const struct vt_vcpu *vcpu)
{
    unsigned class = requested_class(vcpu);

    vt_vmcs_write(VT_VMCS_TPR_THRESHOLD, class <= vcpu->cr[8] ? class : 0);
}

static void look_for_interrupts(struct vt_vcpu *vcpu)
{
    if (vcpu->apic.pending)
        interrupt(vcpu);
    else if (own.priority)
        watch_priority(vcpu);
}

static enum vt_step execute_sharing(const struct vt_instruction *instruction)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    const enum vt_exit_share share = vt_exit_share_of(instruction);

    if (share == VT_SHARE_CONTROL)
        pull_control(vcpu);
    else if (share == VT_SHARE_REST)
        pull_rest(vcpu);
    enum vt_step step = vt_exit_execute(instruction);
    if (share == VT_SHARE_CONTROL)
        push_control(vcpu);
    else if (share == VT_SHARE_TABLES)
        push_tables(vcpu);
    else if (share == VT_SHARE_REST)
        push_rest(vcpu);
    else if (share == VT_SHARE_EXTENDED && step == VT_STEP_DONE)
        vt_xcr0_write(vcpu->xcr0);
    return step;
}

static enum vt_monitor_end emulate(void)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    pull(vcpu);
    const struct vt_instruction *instruction = vt_decoded_find(vcpu->rip);
    if (!instruction)
        return vt_exit_fail(VT_EXCEPTION_GP);
    enum vt_step step = execute_sharing(instruction);
    if (step == VT_STEP_HALT)
        return VT_MONITOR_HALTED;
    if (step == VT_STEP_FAULT)
        inject_fault(vcpu);
    else if (step == VT_STEP_UNHANDLED)
        return vt_exit_fail(VT_EXCEPTION_UD);
    look_for_interrupts(vcpu);
    push(vcpu);
    return 0;
}

static enum vt_monitor_end open_window(void)
{
    set_window(false);
    pull(&vt_monitor.vcpu);
    interrupt(&vt_monitor.vcpu);
    return 0;
}

static enum vt_monitor_end look_at_priority(void)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    pull(vcpu);
    vt_vcpu_update_pending(vcpu);
    vt_vmcs_write(VT_VMCS_TPR_THRESHOLD, 0);
    look_for_interrupts(vcpu);
    return 0;
}

/* An EPT violation saves RF set, for an instruction that is begun again (Intel SDM 3C 28.3.3): this one is
 * not. Bochs does so since 3.0. */
static void clear_resume_flag(void)
{
    vt_vmcs_write(VT_VMCS_GUEST_RFLAGS, vt_vmcs_read(VT_VMCS_GUEST_RFLAGS) & ~VT_FLAG_RF);
}

static enum vt_monitor_end serve_violation(void)
{
    if (vt_vmcs_read(VT_VMCS_GUEST_RIP) == (uintptr_t)vt_monitor_returned) {
        clear_resume_flag();
        return VT_MONITOR_RETURNED;
    }
    if (!vt_exit_is_device(vt_vmcs_read(VT_VMCS_PHYSICAL_ADDRESS)))
        return vt_exit_fail(VT_EXCEPTION_PF);
    clear_resume_flag();
    return emulate();
}

/* The exception is the guest's own; of #DB the processor has kept what DR6 gets (Intel SDM 3C 28.2.1). */
static enum vt_monitor_end give_back(void)
{
    const uint64_t event = vt_vmcs_read(VT_VMCS_EXIT_EVENT);

    if ((event & 0xff) == VT_EXCEPTION_DB)
        __asm__ volatile("mov %0, %%dr6" : : "r"(vt_vmcs_read(VT_VMCS_QUALIFICATION) | UINT64_C(0xffff0ff0)));
    vt_vmcs_write(VT_VMCS_ENTRY_ERROR, vt_vmcs_read(VT_VMCS_EXIT_ERROR));
    vt_vmcs_write(VT_VMCS_ENTRY_LENGTH, vt_vmcs_read(VT_VMCS_INSTRUCTION_LENGTH));
    vt_vmcs_write(VT_VMCS_ENTRY_EVENT, event & (VT_VMX_EVENT_VALID | 0xfff));
    return 0;
}

static enum vt_monitor_end end_broken(uint32_t reason)
{
    vt_monitor.broken = reason & 0xff;
    return VT_MONITOR_BROKEN;
}

enum vt_monitor_end vt_vmxexits_serve(void)
{
    const uint32_t reason = (uint32_t)vt_vmcs_read(VT_VMCS_EXIT_REASON);

    switch (reason) {
    case VT_VMX_EXIT_EXCEPTION:
        return give_back();
    case VT_VMX_EXIT_INTERRUPT:
    case VT_VMX_EXIT_TIMER:
        return VT_MONITOR_TIMEOUT;
    case VT_VMX_EXIT_TRIPLE_FAULT:
        return vt_exit_fail(VT_EXCEPTION_DF);
    case VT_VMX_EXIT_WINDOW:
        return open_window();
    case VT_VMX_EXIT_PRIORITY:
        return look_at_priority();
    case VT_VMX_EXIT_EPT_VIOLATION:
        return serve_violation();
    case VT_VMX_EXIT_EPT_WRONG:
        return end_broken(reason);
    default:
        return reason & VT_VMX_REFUSED ? end_broken(reason) : emulate();
    }
}
