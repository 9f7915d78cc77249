/* Going idle, calling the hypervisor, flushing translations and caches. */
#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

enum vt_step vt_emulate_hlt(struct vt_emulation *e)
{
    if (e->vcpu->apic.pending && e->vcpu->interrupt_flag)
        return VT_STEP_DONE;
    e->vcpu->halted = 1;
    return VT_STEP_HALT;
}

enum vt_step vt_emulate_pause(struct vt_emulation *e)
{
    (void)e;
    return VT_STEP_DONE;
}

/* Each vendor has its own instruction; the other's is undefined. */
enum vt_step vt_emulate_hypercall(struct vt_emulation *e)
{
    uint8_t foreign = e->instruction->operation == VT_OP_VMCALL ? VT_VENDOR_AMD : VT_VENDOR_INTEL;

    if (e->vcpu->limits.vendor == foreign)
        return vt_emulate_ud(e);
    e->environment->hypercall(e->environment->context, e->vcpu->gpr);
    return VT_STEP_DONE;
}

/* A non-canonical address makes it a no-operation (Intel SDM 2A INVLPG). */
enum vt_step vt_emulate_invlpg(struct vt_emulation *e)
{
    uint64_t address = vt_vcpu_linear_address(e->vcpu, e->instruction);

    if (vt_vcpu_is_canonical(e->vcpu, address))
        e->environment->flush(e->environment->context, address);
    return VT_STEP_DONE;
}

/* Intel SDM 2A INVPCID */
static bool is_valid_invpcid(const struct vt_vcpu *vcpu, uint64_t type, const uint64_t descriptor[2])
{
    uint64_t pcid = descriptor[0] & 0xfff;

    if (type > 3 || descriptor[0] >> 12)
        return false;
    if (type < 2 && pcid && !(vcpu->cr[4] & VT_CR4_PCIDE))
        return false;
    return type != 0 || vt_vcpu_is_canonical(vcpu, descriptor[1]);
}

enum vt_step vt_emulate_invpcid(struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;
    uint64_t type = e->vcpu->gpr[instruction->reg & 15], descriptor[2];

    if (!vt_vcpu_has(e->vcpu, VT_FEATURE_INVPCID))
        return vt_emulate_ud(e);
    if (e->vcpu->cpl)
        return vt_emulate_gp(e, 0);
    if (!vt_emulate_load(e, vt_vcpu_linear_address(e->vcpu, instruction), instruction->segment, descriptor,
                         sizeof(descriptor)))
        return VT_STEP_FAULT;
    if (!is_valid_invpcid(e->vcpu, type, descriptor))
        return vt_emulate_gp(e, 0);
    e->environment->flush(e->environment->context, type ? ~UINT64_C(0) : descriptor[1]);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_write_back(struct vt_emulation *e)
{
    e->environment->write_back(e->environment->context);
    return VT_STEP_DONE;
}
