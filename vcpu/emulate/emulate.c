#include "vcpu/emulate/emulate.h"
#include "vcpu/emulate/internal.h"

#define ROW(operation, function) [VT_OP_##operation] = vt_emulate_##function,
static vt_emulate_function *const functions[VT_OPERATIONS] = {VT_EMULATE_FUNCTIONS(ROW)};
#undef ROW

/* What ring 0 alone may do, whatever its operands. Others ask for more before they refuse. */
static const bool privileged[VT_OPERATIONS] = {
    [VT_OP_CLTS] = true,  [VT_OP_LMSW] = true,   [VT_OP_LGDT] = true,   [VT_OP_LIDT] = true,
    [VT_OP_LLDT] = true,  [VT_OP_LTR] = true,    [VT_OP_SWAPGS] = true, [VT_OP_RDMSR] = true,
    [VT_OP_WRMSR] = true, [VT_OP_INVLPG] = true, [VT_OP_WBINVD] = true, [VT_OP_INVD] = true,
    [VT_OP_HLT] = true,
};

static void complete(struct vt_emulation *e)
{
    e->vcpu->rip = e->next;
    e->vcpu->shadow = e->shadow;
    if (!e->keep_rf)
        e->vcpu->system_flags &= ~VT_FLAG_RF;
}

enum vt_step vt_vcpu_execute(struct vt_vcpu *vcpu, const struct vt_environment *environment,
                             const struct vt_instruction *instruction)
{
    struct vt_emulation e = {vcpu, environment, instruction, vcpu->rip + instruction->length, 0, false};
    bool stepped = vcpu->rflags & VT_FLAG_TF;
    enum vt_step step;

    if (instruction->operation == VT_OP_UNDEFINED)
        return vt_emulate_ud(&e);
    if (instruction->operation >= VT_OPERATIONS || !functions[instruction->operation])
        return VT_STEP_UNHANDLED;
    step = vcpu->cpl && privileged[instruction->operation] ? vt_emulate_gp(&e, 0)
                                                           : functions[instruction->operation](&e);
    if (step == VT_STEP_DONE || step == VT_STEP_HALT)
        complete(&e);
    /* INT n clears TF by entering its handler; MOV SS and POP SS hold the trap off (SDM 3A 6.8.3). */
    if (step != VT_STEP_FAULT && stepped && vcpu->rflags & VT_FLAG_TF && !e.shadow)
        return vt_vcpu_raise_step(vcpu);
    return step;
}
