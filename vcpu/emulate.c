#include "vcpu/emulate_internal.h"

#define ROW(operation, function) [VT_OP_##operation] = vt_emulate_##function,
static vt_emulate_function *const functions[VT_OPERATIONS] = {VT_EMULATE_FUNCTIONS(ROW)};
#undef ROW

/* Which exceptions push an error code: Intel SDM 3A table 6-1; AMD APM 2 table 8-1. */
#define WITH_ERROR                                                                                           \
    (1u << VT_EXCEPTION_DF | 1u << VT_EXCEPTION_TS | 1u << VT_EXCEPTION_NP | 1u << VT_EXCEPTION_SS |         \
     1u << VT_EXCEPTION_GP | 1u << VT_EXCEPTION_PF | 1u << VT_EXCEPTION_AC | 1u << 21 | 1u << 29 | 1u << 30)

enum vt_step vt_vcpu_raise_error(struct vt_vcpu *vcpu, uint8_t vector, uint32_t error)
{
    vcpu->fault = (struct vt_fault){
        .vector = vector,
        .event = VT_EVENT_FAULT,
        .has_error = vector < 32 && (WITH_ERROR >> vector & 1),
        .error = error,
    };
    return VT_STEP_FAULT;
}

enum vt_step vt_vcpu_raise(struct vt_vcpu *vcpu, uint8_t vector)
{
    return vt_vcpu_raise_error(vcpu, vector, 0);
}

enum vt_step vt_vcpu_raise_page_fault(struct vt_vcpu *vcpu, uint64_t address, uint32_t error)
{
    vt_vcpu_raise_error(vcpu, VT_EXCEPTION_PF, error);
    vcpu->fault.address = address;
    return VT_STEP_FAULT;
}

/* A trap is reported after its instruction: the saved RIP is already the next one. */
enum vt_step vt_vcpu_raise_step(struct vt_vcpu *vcpu)
{
    vcpu->dr[6] |= UINT64_C(1) << 14;
    vt_vcpu_raise(vcpu, VT_EXCEPTION_DB);
    vcpu->fault.event = VT_EVENT_TRAP;
    return VT_STEP_FAULT;
}

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
    step = functions[instruction->operation](&e);
    if (step == VT_STEP_DONE || step == VT_STEP_HALT)
        complete(&e);
    /* INT n clears TF by entering its handler; MOV SS and POP SS hold the trap off (SDM 3A 6.8.3). */
    if (step != VT_STEP_FAULT && stepped && vcpu->rflags & VT_FLAG_TF && !e.shadow)
        return vt_vcpu_raise_step(vcpu);
    return step;
}
