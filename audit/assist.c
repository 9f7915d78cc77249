#include "audit/assist.h"

#include <asm/prctl.h>
#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int cpuid_is_on(void)
{
    long enabled = syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0);
    return enabled < 0 ? -errno : !enabled;
}

static int cpuid_switch(bool on)
{
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, !on) < 0 ? -errno : 0;
}

static int tsd_is_on(void)
{
    int mode = 0;
    return prctl(PR_GET_TSC, &mode) < 0 ? -errno : mode == PR_TSC_SIGSEGV;
}

static int tsd_switch(bool on)
{
    return prctl(PR_SET_TSC, on ? PR_TSC_SIGSEGV : PR_TSC_ENABLE) < 0 ? -errno : 0;
}

struct assist {
    const char *name, *title;
    int (*is_on)(void);
    int (*turn)(bool on);
};

static const struct assist assists[VT_AUDIT_ASSISTS] = {
    [VT_AUDIT_NO_ASSIST] = {"none", "none", NULL, NULL},
    [VT_AUDIT_UMIP] = {"umip", "UMIP", NULL, NULL},
    [VT_AUDIT_CPUID_FAULTING] = {"cpuid-faulting", "CPUID faulting", cpuid_is_on, cpuid_switch},
    [VT_AUDIT_TSD] = {"tsd", "CR4.TSD", tsd_is_on, tsd_switch},
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
    return assists[assist].turn;
}

int vt_audit_assist_is_on(enum vt_audit_assist assist)
{
    return assists[assist].is_on ? assists[assist].is_on() : -ENOTSUP;
}

int vt_audit_assist_switch(enum vt_audit_assist assist, bool on)
{
    return assists[assist].turn ? assists[assist].turn(on) : -ENOTSUP;
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
