#include "monitor/exit/svmexits.h"

#include "guest/abi.h"
#include "guest/image/place.h"
#include "monitor/decoded.h"
#include "monitor/exit/exits.h"
#include "monitor/exit/xcr0.h"
#include "vcpu/apic.h"

/* Exit codes (AMD APM 2, appendix C). */
enum {
    EXIT_INTR = 0x60,
    EXIT_VINTR = 0x64,
    EXIT_SHUTDOWN = 0x7f,
    EXIT_NESTED_FAULT = 0x400,
};

/* interrupt_control: a virtual interrupt that waits, of the highest priority, whatever V_TPR; and the host's
 * IF decides on real ones. */
#define V_IRQ     (UINT64_C(1) << 8)
#define V_ALWAYS  (UINT64_C(1) << 20 | UINT64_C(15) << 16)
#define V_MASKING (UINT64_C(1) << 24)
#define V_TPR     UINT64_C(15)

#define INTERCEPT_VINTR (UINT32_C(1) << 4)
enum { MISCELLANEOUS = 3 };

/* injected: valid, an exception, with an error code. */
#define EVENT_VALID     (UINT64_C(1) << 31)
#define EVENT_EXCEPTION (UINT64_C(3) << 8)
#define EVENT_ERROR     (UINT64_C(1) << 11)

static void pull(struct vt_vcpu *vcpu, const struct vt_vmcb *vmcb)
{
    vcpu->rip = vmcb->rip;
    vcpu->gpr[VT_RAX] = vmcb->rax;
    vcpu->gpr[VT_RSP] = vmcb->rsp;
    vt_vcpu_set_rflags(vcpu, vmcb->rflags);
    vcpu->shadow = vmcb->interrupt_shadow & 1;
}

static void push(const struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    vmcb->rip = vcpu->rip;
    vmcb->rax = vcpu->gpr[VT_RAX];
    vmcb->rsp = vcpu->gpr[VT_RSP];
    vmcb->rflags = vt_vcpu_rflags(vcpu);
    vmcb->interrupt_shadow = vcpu->shadow;
}

static void pull_control(struct vt_vcpu *vcpu, const struct vt_vmcb *vmcb)
{
    vcpu->cr[0] = vmcb->cr0;
    vcpu->cr[2] = vmcb->cr2;
    vcpu->cr[3] = vmcb->cr3;
    vcpu->cr[4] = vmcb->cr4;
    vcpu->dr[6] = vmcb->dr6;
    vcpu->dr[7] = vmcb->dr7;
}

static void push_control(const struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    vmcb->cr0 = vcpu->cr[0];
    vmcb->cr2 = vcpu->cr[2];
    vmcb->cr3 = vcpu->cr[3];
    vmcb->cr4 = vcpu->cr[4];
    vmcb->dr6 = vcpu->dr[6];
    vmcb->dr7 = vcpu->dr[7];
    vmcb->interrupt_control = (vmcb->interrupt_control & ~V_TPR) | (vcpu->cr[8] & V_TPR);
}

/* Attributes of the block are the rights without the hole at bits 8 to 11. */
static struct vt_vmcb_segment packed(const struct vt_segment *s)
{
    return (struct vt_vmcb_segment){s->selector, (uint16_t)((s->rights & 0xff) | (s->rights >> 4 & 0xf00)),
                                    s->limit, s->base};
}

static void push_tables(const struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    vmcb->gdtr.base = vcpu->gdtr.base;
    vmcb->gdtr.limit = vcpu->gdtr.limit;
    vmcb->idtr.base = vcpu->idtr.base;
    vmcb->idtr.limit = vcpu->idtr.limit;
}

/* What VMRUN leaves alone, and VMLOAD and VMSAVE move. */
static void pull_rest(struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    __asm__ volatile("vmsave %0" : : "a"(vt_image_physical(vmcb)) : "memory");
    vcpu->segment[VT_FS].base = vmcb->fs.base;
    vcpu->segment[VT_GS].base = vmcb->gs.base;
    vcpu->msr[VT_MSR_KERNEL_GS_BASE] = vmcb->kernel_gs_base;
    vcpu->msr[VT_MSR_STAR] = vmcb->star;
    vcpu->msr[VT_MSR_LSTAR] = vmcb->lstar;
    vcpu->msr[VT_MSR_CSTAR] = vmcb->cstar;
    vcpu->msr[VT_MSR_FMASK] = vmcb->sfmask;
}

static void fill_rest(const struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    vmcb->fs.base = vcpu->segment[VT_FS].base;
    vmcb->gs.base = vcpu->segment[VT_GS].base;
    vmcb->kernel_gs_base = vcpu->msr[VT_MSR_KERNEL_GS_BASE];
    vmcb->star = vcpu->msr[VT_MSR_STAR];
    vmcb->lstar = vcpu->msr[VT_MSR_LSTAR];
    vmcb->cstar = vcpu->msr[VT_MSR_CSTAR];
    vmcb->sfmask = vcpu->msr[VT_MSR_FMASK];
    vmcb->ldtr = packed(&vcpu->segment[VT_LDTR]);
    vmcb->tr = packed(&vcpu->segment[VT_TR]);
}

static void push_rest(const struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    fill_rest(vcpu, vmcb);
    __asm__ volatile("vmload %0" : : "a"(vt_image_physical(vmcb)) : "memory");
}

static struct vt_segment unpacked(const struct vt_vmcb_segment *s)
{
    return (struct vt_segment){s->selector, (uint16_t)((s->attributes & 0xff) | (s->attributes & 0xf00) << 4),
                               s->limit, s->base};
}

/* In the order of their encoding. */
static struct vt_vmcb_segment *segment_of(struct vt_vmcb *vmcb, unsigned name)
{
    struct vt_vmcb_segment *const places[VT_SEGMENTS] = {&vmcb->es, &vmcb->cs, &vmcb->ss,   &vmcb->ds,
                                                         &vmcb->fs, &vmcb->gs, &vmcb->ldtr, &vmcb->tr};
    return places[name];
}

void vt_svmexits_begin(struct vt_vmcb *vmcb)
{
    const struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        *segment_of(vmcb, i) = packed(&vcpu->segment[i]);
    vmcb->interrupt_control = V_MASKING;
    vmcb->efer = vcpu->efer | VT_SVM_EFER_SVME;
    push(vcpu, vmcb);
    push_control(vcpu, vmcb);
    push_tables(vcpu, vmcb);
    fill_rest(vcpu, vmcb);
    __asm__ volatile("mov %0, %%cr2" : : "r"(vcpu->cr[2])); /* Bochs' VMRUN loads none */
}

void vt_svmexits_end(struct vt_vmcb *vmcb)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    pull(vcpu, vmcb);
    pull_control(vcpu, vmcb);
    vcpu->cr[8] = vmcb->interrupt_control & V_TPR;
    pull_rest(vcpu, vmcb);
    vcpu->gdtr = (struct vt_table_register){vmcb->gdtr.base, (uint16_t)vmcb->gdtr.limit, {0}};
    vcpu->idtr = (struct vt_table_register){vmcb->idtr.base, (uint16_t)vmcb->idtr.limit, {0}};
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        vcpu->segment[i] = unpacked(segment_of(vmcb, i));
}

static void inject_fault(const struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    const struct vt_fault *fault = &vcpu->fault;

    vmcb->injected = EVENT_VALID | EVENT_EXCEPTION | fault->vector;
    if (fault->has_error)
        vmcb->injected |= EVENT_ERROR | (uint64_t)fault->error << 32;
    if (fault->vector == VT_EXCEPTION_PF)
        vmcb->cr2 = fault->address;
}

/* One that may not come yet waits for the window that the processor tells of. */
static void interrupt(struct vt_vcpu *vcpu, struct vt_vmcb *vmcb)
{
    if (vcpu->interrupt_flag && !vcpu->shadow && !(vmcb->injected & EVENT_VALID)) {
        int vector = vt_vcpu_apic_next(vcpu);
        if (vector < 0)
            return;
        vt_vcpu_apic_accept(vcpu, (uint8_t)vector);
        vt_monitor.interrupts++;
        vmcb->injected = EVENT_VALID | (uint64_t)vector;
    }
    if (vcpu->apic.pending) {
        vmcb->interrupt_control |= V_IRQ | V_ALWAYS;
        vmcb->intercepts[MISCELLANEOUS] |= INTERCEPT_VINTR;
    }
}

static enum vt_step execute_sharing(const struct vt_instruction *instruction, struct vt_vmcb *vmcb)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    const enum vt_exit_share share = vt_exit_share_of(instruction);

    if (share == VT_SHARE_CONTROL)
        pull_control(vcpu, vmcb);
    else if (share == VT_SHARE_REST)
        pull_rest(vcpu, vmcb);
    enum vt_step step = vt_exit_execute(instruction);
    if (share == VT_SHARE_CONTROL)
        push_control(vcpu, vmcb);
    else if (share == VT_SHARE_TABLES)
        push_tables(vcpu, vmcb);
    else if (share == VT_SHARE_REST)
        push_rest(vcpu, vmcb);
    else if (share == VT_SHARE_EXTENDED && step == VT_STEP_DONE)
        vt_xcr0_write(vcpu->xcr0);
    return step;
}

static enum vt_monitor_end emulate(struct vt_vmcb *vmcb)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    const struct vt_instruction *instruction = vt_decoded_find(vmcb->rip);

    vmcb->injected = 0;
    if (!instruction)
        return vt_exit_fail(VT_EXCEPTION_GP);
    pull(vcpu, vmcb);
    enum vt_step step = execute_sharing(instruction, vmcb);
    if (step == VT_STEP_HALT)
        return VT_MONITOR_HALTED;
    if (step == VT_STEP_FAULT)
        inject_fault(vcpu, vmcb);
    else if (step == VT_STEP_UNHANDLED)
        return vt_exit_fail(VT_EXCEPTION_UD);
    if (vcpu->apic.pending)
        interrupt(vcpu, vmcb);
    push(vcpu, vmcb);
    return 0;
}

static enum vt_monitor_end open_window(struct vt_vmcb *vmcb)
{
    vmcb->interrupt_control &= ~(V_IRQ | V_ALWAYS);
    vmcb->intercepts[MISCELLANEOUS] &= ~INTERCEPT_VINTR;
    vmcb->injected = 0;
    pull(&vt_monitor.vcpu, vmcb);
    interrupt(&vt_monitor.vcpu, vmcb);
    return 0;
}

static enum vt_monitor_end serve_nested_fault(struct vt_vmcb *vmcb)
{
    uint64_t address = vmcb->exit_info[1];

    if (vmcb->rip == (uintptr_t)vt_monitor_returned)
        return VT_MONITOR_RETURNED;
    if (vt_exit_is_device(address))
        return emulate(vmcb);
    return vt_exit_fail(VT_EXCEPTION_PF);
}

enum vt_monitor_end vt_svmexits_serve(struct vt_vmcb *vmcb)
{
    switch (vmcb->exit_code) {
    case EXIT_INTR:
        return VT_MONITOR_TIMEOUT;
    case EXIT_VINTR:
        return open_window(vmcb);
    case EXIT_SHUTDOWN:
        return vt_exit_fail(VT_EXCEPTION_DF);
    case EXIT_NESTED_FAULT:
        return serve_nested_fault(vmcb);
    default:
        if (vmcb->exit_code < EXIT_NESTED_FAULT)
            return emulate(vmcb);
        vt_monitor.broken = vmcb->exit_code & 0xff;
        return VT_MONITOR_BROKEN;
    }
}
