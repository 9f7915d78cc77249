#include "audit/audit.h"
#include "audit/guest_view.h"

static const char *const groups[VT_AUDIT_GROUPS] = {
    [VT_AUDIT_ROBIN_IRVINE] = "robin-irvine",
    [VT_AUDIT_LATER] = "other",
    [VT_AUDIT_PRIVILEGED] = "privileged",
};

static const char *const titles[VT_AUDIT_GROUPS] = {
    [VT_AUDIT_ROBIN_IRVINE] = "Sensitive and unprivileged (Robin and Irvine, USENIX Security 2000)",
    [VT_AUDIT_LATER] = "Others a guest kernel relies on",
    [VT_AUDIT_PRIVILEGED] = "Privileged",
};

static const char *const outcomes[VT_AUDIT_OUTCOMES] = {
    [VT_AUDIT_SILENT] = "silent", [VT_AUDIT_EMULATED] = "emulated", [VT_AUDIT_UNKNOWN] = "unknown",
    [VT_AUDIT_TRAPS] = "traps",   [VT_AUDIT_ABSENT] = "absent",
};

static const char *const outcome_texts[VT_AUDIT_OUTCOMES] = {
    [VT_AUDIT_SILENT] = "no trap, and not what a guest kernel expects",
    [VT_AUDIT_EMULATED] = "the CPU faults and the host kernel answers in its place",
    [VT_AUDIT_UNKNOWN] = "could not be found out",
    [VT_AUDIT_TRAPS] = "faults, so that a hypervisor can emulate it",
    [VT_AUDIT_ABSENT] = "faults because the CPU does not have it",
};

static const char *const states[VT_AUDIT_STATES + 1] = {
    [VT_AUDIT_ON] = "on",          [VT_AUDIT_AVAILABLE] = "available",
    [VT_AUDIT_INACTIVE] = "off",   [VT_AUDIT_REFUSED_HERE] = "unavailable",
    [VT_AUDIT_STATES] = "unknown",
};

const char *vt_audit_guest_text(void)
{
    return VT_VIEW_TEXT;
}

const char *vt_audit_group_name(enum vt_audit_group group)
{
    return groups[group];
}

const char *vt_audit_group_title(enum vt_audit_group group)
{
    return titles[group];
}

const char *vt_audit_outcome_name(enum vt_audit_outcome outcome)
{
    return outcomes[outcome];
}

const char *vt_audit_outcome_text(enum vt_audit_outcome outcome)
{
    return outcome_texts[outcome];
}

const char *vt_audit_state_name(enum vt_audit_state state)
{
    return states[state];
}
