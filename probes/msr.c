#include "probes/facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void explain(const struct vt_facts *facts, uint32_t index, char *reason, size_t size)
{
    const char *kvm = facts->kvm_device < 0 ? "/dev/kvm could not be asked" : "KVM does not offer it";
    if (!facts->live)
        snprintf(reason, size, "a CPUID dump has no MSRs");
    else if (facts->msr_device >= 0)
        snprintf(reason, size, "MSR 0x%x cannot be read: this processor or its hypervisor refuses it", index);
    else if (facts->msr_device_errno == EACCES || facts->msr_device_errno == EPERM)
        snprintf(reason, size, "MSR 0x%x cannot be read: /dev/cpu/0/msr is for root only, and %s", index,
                 kvm);
    else
        snprintf(reason, size, "MSR 0x%x cannot be read: there is no usable /dev/cpu/0/msr (%s), and %s",
                 index, strerror(facts->msr_device_errno), kvm);
}

enum vt_reading vt_facts_msr(const struct vt_facts *facts, uint32_t index, struct vt_msr *msr, char *reason,
                             size_t size)
{
    if (facts->read_msr && facts->read_msr(facts, index, msr))
        return VT_READ;
    explain(facts, index, reason, size);
    return VT_MISSING;
}
