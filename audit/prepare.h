/* Inputs of trials that depend on the host's selectors and on where the stubs lie. */
#ifndef VT_AUDIT_PREPARE_H
#define VT_AUDIT_PREPARE_H

#include "audit/trial.h"

typedef void vt_audit_prepare(const struct vt_audit_arena *arena, struct vt_audit_run *run);

/* A selector in CX and on the stack: the guest kernel's, the host's user data segment, none. */
vt_audit_prepare vt_audit_select_guest_code, vt_audit_select_guest_data, vt_audit_select_host_data;

/* A far pointer to the way out, in memory and on the stack: through the guest kernel's selector or the
 * host's. */
vt_audit_prepare vt_audit_jump_guest_code, vt_audit_jump_host_code;
vt_audit_prepare vt_audit_jump_guest_code32, vt_audit_jump_host_code32;

/* RFLAGS with IF clear on the stack, alone or in the frame of IRETQ. */
vt_audit_prepare vt_audit_stack_flags, vt_audit_stack_iret;

#endif
