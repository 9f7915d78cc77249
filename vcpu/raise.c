#include "vcpu/raise.h"

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
