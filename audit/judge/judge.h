/*
 * How to read what a trial left behind. The judges of this header are for instructions
 * that ran to their end; faults read the same for all.
 */
#ifndef VT_AUDIT_JUDGE_JUDGE_H
#define VT_AUDIT_JUDGE_JUDGE_H

#include "audit/finding.h"

/* Fills seen; outcome and expected where they are not silent and the trial's effect. */
typedef void vt_audit_judge(struct vt_audit_finding *finding);

/* value.c: what was stored or returned */
vt_audit_judge vt_audit_judge_table, vt_audit_judge_register, vt_audit_judge_pushed;
vt_audit_judge vt_audit_judge_counter, vt_audit_judge_counter_aux;
vt_audit_judge vt_audit_judge_xgetbv, vt_audit_judge_host_value, vt_audit_judge_hypercall;

/* flags.c */
vt_audit_judge vt_audit_judge_pushed_flags, vt_audit_judge_popped_flags;

/* segment.c: descriptors looked at, loaded, jumped through */
vt_audit_judge vt_audit_judge_rights, vt_audit_judge_limit, vt_audit_judge_verified;
vt_audit_judge vt_audit_judge_loaded, vt_audit_judge_jumped, vt_audit_judge_system;

/* judge.c: the default: it should not have run */
vt_audit_judge vt_audit_judge_ran;

/*
 * Outcome, seen, expected and note of a trial that ended in whichever way. `stub_address`: where the
 * instruction lay; `absent`: the CPU does not announce it.
 */
void vt_audit_judge_end(struct vt_audit_finding *finding, uint32_t stub_address, bool absent);

/* Did the exception come from the instruction itself and may a hypervisor act on it? */
bool vt_audit_is_trap(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                      uint32_t stub_address);

/* "#GP(0x10), SIGSEGV" */
void vt_audit_describe_fault(const struct vt_audit_run *run, char *text, size_t size);

#endif
