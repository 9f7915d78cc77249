/* What ended a case, in words. */
#include "bench/engines/machine/machine.h"
#include "bench/instruction.h"

static const char *exception_name(uint8_t vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,
                                        "#TS", "#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM"};

    return vector < sizeof names / sizeof names[0] && names[vector] ? names[vector] : "exception";
}

enum vt_batch_end vt_machine_explain(const struct vt_vcpu *vcpu, const struct vt_case *c, uint64_t offset,
                                     struct vt_error *error)
{
    const struct vt_fault *fault = &vcpu->fault;

    if (fault->vector == VT_EXCEPTION_UD || (fault->vector == VT_EXCEPTION_GP && c->refusal)) {
        vt_error_set(error, VT_EXIT_NO, 0, "%s: %s", exception_name(fault->vector),
                     fault->vector == VT_EXCEPTION_UD ? "the processor has no such instruction" : c->refusal);
        return VT_BATCH_ABSENT;
    }
    vt_error_set(error, VT_EXIT_NO, 0, "%s (vector %u, error code 0x%x) at %s", exception_name(fault->vector),
                 fault->vector, fault->error, vt_bench_instruction_at(offset).text);
    return VT_BATCH_FAULT;
}
