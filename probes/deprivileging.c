#include "base/faulting.h"
#include "probes/section.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PLATFORM_INFO 0xce

static const struct vt_cpuid_bit umip_bit = {7, 0, VT_ECX, 2};
static const struct vt_cpuid_bit tsc_bit = {1, 0, VT_EDX, 4};
static const struct vt_cpuid_bit cpuid_user_disable = {0x80000021, 0, VT_EAX, 17};

/* What a bit of the kernel's does, and what the manuals' bit is, differ below a hypervisor that ignores it.
 */
static struct vt_finding try_faulting(enum vt_faulting which, const char *call)
{
    struct vt_finding finding = {.answer = VT_UNKNOWN};
    int status = vt_faulting_try(which);

    if (status == 1) {
        finding.answer = VT_YES;
        snprintf(finding.why, sizeof finding.why, "%s: it faults", call);
    } else if (status == 0) {
        finding.answer = VT_NO;
        snprintf(finding.why, sizeof finding.why, "%s is taken, and it does not fault", call);
    } else {
        finding.answer = status == -ENODEV ? VT_NO : VT_UNKNOWN;
        snprintf(finding.why, sizeof finding.why, "%s: %s", call,
                 status == -ENODEV ? "ENODEV" : strerror(-status));
    }
    return finding;
}

/*
 * AMD announces CpuidUserDis in CPUID (APM 3, Fn8000_0021_EAX); Intel announces
 * CPUID faulting in MSR_PLATFORM_INFO bit 31 (SDM 4, MSR 0xce).
 */
static struct vt_finding find_faulting(const struct vt_facts *facts)
{
    struct vt_finding finding = {.answer = VT_UNKNOWN};
    struct vt_msr platform;
    char vendor[13];
    if (facts->live &&
        (finding = try_faulting(VT_FAULTING_CPUID, "arch_prctl(ARCH_SET_CPUID)")).answer != VT_UNKNOWN)
        return finding;
    vt_facts_vendor(&facts->processors[facts->subject], vendor);
    if (strcmp(vendor, "GenuineIntel") != 0)
        return vt_row_cpuid(facts, cpuid_user_disable);
    if (vt_facts_msr(facts, PLATFORM_INFO, &platform, finding.why, sizeof finding.why) != VT_READ)
        return finding;
    if (platform.source == VT_MSR_KVM) {
        snprintf(finding.why, sizeof finding.why, "MSR 0xce itself cannot be read; KVM's is made for guests");
    } else {
        finding.answer = platform.value >> 31 & 1 ? VT_YES : VT_NO;
        snprintf(finding.why, sizeof finding.why, "MSR 0xce bit 31 = %d", finding.answer == VT_YES);
    }
    return finding;
}

/* CR4.TSD exists wherever the TSC does (SDM 3A 2.5). */
static struct vt_finding find_tsd(const struct vt_facts *facts)
{
    struct vt_finding finding = vt_row_cpuid(facts, tsc_bit);

    if (facts->live && finding.answer == VT_YES)
        finding = try_faulting(VT_FAULTING_TSC, "prctl(PR_SET_TSC)");
    return finding;
}

void vt_detect_deprivileging(json_t *document, const struct vt_facts *facts)
{
    struct vt_finding umip = vt_row_cpuid(facts, umip_bit), faulting = find_faulting(facts),
                      tsd = find_tsd(facts);
    vt_row_record(document, "deprivileging", "umip", &umip);
    vt_row_record(document, "deprivileging", "cpuid_faulting", &faulting);
    vt_row_record(document, "deprivileging", "tsd", &tsd);
}
