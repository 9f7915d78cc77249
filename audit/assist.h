/*
 * What a hypervisor may switch on so that an unprivileged instruction faults at ring 3.
 * UMIP is the kernel's alone to switch; the other two are a process's own business.
 */
#ifndef VT_AUDIT_ASSIST_H
#define VT_AUDIT_ASSIST_H

#include <stdbool.h>

enum vt_audit_assist {
    VT_AUDIT_NO_ASSIST,
    VT_AUDIT_UMIP,           /* CR4.UMIP: Intel SDM 3A 2.5; AMD APM 2 3.1.3 */
    VT_AUDIT_CPUID_FAULTING, /* Intel: MISC_FEATURES_ENABLES[0]; AMD: HWCR.CpuidUserDis; arch_prctl(2) */
    VT_AUDIT_TSD,            /* CR4.TSD: Intel SDM 3A 2.5; PR_SET_TSC of prctl(2) */
    VT_AUDIT_ASSISTS
};

/* "umip", "cpuid-faulting", "tsd"; and as manuals write it. */
const char *vt_audit_assist_name(enum vt_audit_assist assist);
const char *vt_audit_assist_title(enum vt_audit_assist assist);

/* Can a process switch it? */
bool vt_audit_assist_is_switchable(enum vt_audit_assist assist);

/* Is it on for this thread: 1, 0, or a negative errno when that cannot be told. */
int vt_audit_assist_is_on(enum vt_audit_assist assist);

/* Switch it for this thread. Async-signal-safe. Returns 0 or a negative errno. */
int vt_audit_assist_switch(enum vt_audit_assist assist, bool on);

/* What a negative errno of these two means to a person. */
const char *vt_audit_assist_refusal(enum vt_audit_assist assist, int status);

#endif
