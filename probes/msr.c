#include "probes/facts.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool read_device(const struct vt_facts *facts, uint32_t index, uint64_t *value)
{
    return facts->msr_device >= 0 && pread(facts->msr_device, value, sizeof *value, index) == sizeof *value;
}

/* KVM_GET_MSRS on the system descriptor (api.rst 4.18): no VM, no privilege beyond opening /dev/kvm. */
static bool read_kvm(const struct vt_facts *facts, uint32_t index, uint64_t *value)
{
    union {
        struct kvm_msrs list;
        uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
    } request = {.list.nmsrs = 1};
    request.list.entries[0].index = index;
    if (facts->kvm_device < 0 || ioctl(facts->kvm_device, KVM_GET_MSRS, &request) != 1)
        return false;
    *value = request.list.entries[0].data;
    return true;
}

static void explain(const struct vt_facts *facts, uint32_t index, char *reason, size_t size)
{
    const char *kvm = facts->kvm_device < 0 ? "/dev/kvm could not be asked" : "KVM does not offer it";
    if (!facts->live)
        snprintf(reason, size, "MSR 0x%x is not part of a CPUID dump", index);
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
    if (read_device(facts, index, &msr->value))
        msr->source = VT_MSR_DEVICE;
    else if (read_kvm(facts, index, &msr->value))
        msr->source = VT_MSR_KVM;
    else {
        explain(facts, index, reason, size);
        return VT_MISSING;
    }
    return VT_READ;
}
