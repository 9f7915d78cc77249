/* RFLAGS and interrupts: the instructions that silently do less outside ring 0. */
#include "vcpu/emulate/internal.h"

enum vt_step vt_emulate_pushf(struct vt_emulation *e)
{
    return vt_emulate_push(e, e->instruction->size, vt_vcpu_rflags(e->vcpu) & ~(VT_FLAG_VM | VT_FLAG_RF))
               ? VT_STEP_DONE
               : VT_STEP_FAULT;
}

/* Ring 0 always; less privileged code by the grace of IOPL. */
static bool may_change_if(const struct vt_vcpu *vcpu)
{
    return vcpu->cpl <= (vcpu->system_flags & VT_FLAG_IOPL) >> 12;
}

/* Bits POPF may change at this privilege level (Intel SDM 2B POPF, 64-bit mode). */
static uint64_t changeable(const struct vt_vcpu *vcpu)
{
    uint64_t mask = VT_FLAGS_USER;

    if (vcpu->cpl == 0)
        mask |= VT_FLAG_IOPL;
    if (may_change_if(vcpu))
        mask |= VT_FLAG_IF;
    return mask;
}

enum vt_step vt_emulate_popf(struct vt_emulation *e)
{
    uint64_t value, mask = changeable(e->vcpu);

    if (!vt_emulate_pop(e, e->instruction->size, &value))
        return VT_STEP_FAULT;
    if (e->instruction->size == 2)
        mask &= 0xffff;
    vt_vcpu_set_rflags(e->vcpu, (vt_vcpu_rflags(e->vcpu) & ~mask) | (value & mask));
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_cli(struct vt_emulation *e)
{
    if (!may_change_if(e->vcpu))
        return vt_emulate_gp(e, 0);
    e->vcpu->interrupt_flag = 0;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_sti(struct vt_emulation *e)
{
    if (!may_change_if(e->vcpu))
        return vt_emulate_gp(e, 0);
    e->shadow = !e->vcpu->interrupt_flag;
    e->vcpu->interrupt_flag = VT_FLAG_IF;
    return VT_STEP_DONE;
}

/* CLAC and STAC (Intel SDM 2A; #UD outside ring 0). */
enum vt_step vt_emulate_access_control(struct vt_emulation *e)
{
    if (e->vcpu->cpl || !vt_vcpu_has(e->vcpu, VT_FEATURE_SMAP))
        return vt_emulate_ud(e);
    if (e->instruction->operation == VT_OP_STAC)
        e->vcpu->rflags |= VT_FLAG_AC;
    else
        e->vcpu->rflags &= ~VT_FLAG_AC;
    return VT_STEP_DONE;
}
