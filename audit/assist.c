#include "audit/assist.h"

#include "base/faulting.h"

#include <errno.h>
#include <stddef.h>

struct assist {
    const char *name, *title;
    bool is_switchable;
    enum vt_faulting faulting; /* if so */
};

static const struct assist assists[VT_AUDIT_ASSISTS] = {
    [VT_AUDIT_NO_ASSIST] = {"none", "none", .is_switchable = false},
    [VT_AUDIT_UMIP] = {"umip", "UMIP", .is_switchable = false},
    [VT_AUDIT_CPUID_FAULTING] = {"cpuid-faulting", "CPUID faulting", true, VT_FAULTING_CPUID},
    [VT_AUDIT_TSD] = {"tsd", "CR4.TSD", true, VT_FAULTING_TSC},
};

const char *vt_audit_assist_name(enum vt_audit_assist assist)
{
    return assists[assist].name;
}

const char *vt_audit_assist_title(enum vt_audit_assist assist)
{
    return assists[assist].title;
}

bool vt_audit_assist_is_switchable(enum vt_audit_assist assist)
{
    return assists[assist].is_switchable;
}

int vt_audit_assist_is_on(enum vt_audit_assist assist)
{
    return assists[assist].is_switchable ? vt_faulting_is_on(assists[assist].faulting) : -ENOTSUP;
}

int vt_audit_assist_switch(enum vt_audit_assist assist, bool on)
{
    return assists[assist].is_switchable ? vt_faulting_switch(assists[assist].faulting, on) : -ENOTSUP;
}

const char *vt_audit_assist_refusal(enum vt_audit_assist assist, int status)
{
    if (status == -EPERM || status == -EACCES)
        return "the kernel refused the call: a seccomp filter or another sandbox forbids it";
    if (status == -ENODEV && assist == VT_AUDIT_CPUID_FAULTING)
        return "the CPU, or the hypervisor above it, does not offer it";
    if (status == -EINVAL || status == -ENOSYS)
        return "this kernel does not know the call";
    return "the kernel refused the call";
}
