/*
 * Two flags registers as one: the processor holds the guest's status flags and DF,
 * the virtual CPU the rest, which must not reach the processor: IF and IOPL are
 * the host's, TF and AC would raise exceptions there, NT would break its IRET.
 */
#include "translate/internal.h"

void vt_translate_leave_flags(struct vt_translate_context *context)
{
    struct vt_vcpu *vcpu = &context->vcpu;
    vcpu->rflags = (vcpu->rflags & ~FLAGS_REAL) | (context->flags_leave & FLAGS_REAL) | VT_FLAG_ONE;
}

void vt_translate_enter_flags(struct vt_translate_context *context, uint64_t host)
{
    struct vt_vcpu *vcpu = &context->vcpu;
    uint64_t rest = (vcpu->rflags & ~FLAGS_REAL) | vcpu->system_flags;

    context->flags_enter = (vcpu->rflags & 0xff) << 8 | ((vcpu->rflags & VT_FLAG_OF) != 0);
    /* PUSHFQ stores RF and VM as 0 (Intel SDM 2B PUSHF). */
    context->flags_rest = (rest & ~(VT_FLAG_RF | VT_FLAG_VM)) - (host & ~FLAGS_REAL);
    context->flags_fixed = (rest & FLAGS_FIXED) & ~VT_FLAG_DF;
}
