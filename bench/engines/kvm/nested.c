#include "bench/engines/kvm/nested.h"
#include "base/vendor.h"
#include "bench/engines/kvm/nested_kind.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool is_switched_off(const char *parameter)
{
    char value = '1';
    int fd = open(parameter, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        bool got = read(fd, &value, 1) == 1;
        close(fd);
        return got && (value == '0' || value == 'N');
    }
    return false;
}

static void explain_absence(const char *name, const char *others, const char *module, bool others_processor,
                            char *reason, size_t size)
{
    char parameter[64];

    snprintf(parameter, sizeof parameter, "/sys/module/%s/parameters/nested", module);
    if (others_processor)
        snprintf(reason, size, "needs %s for the guest, which processors of %s have", name, others);
    else if (is_switched_off(parameter))
        snprintf(reason, size, "KVM offers its guests no %s: load %s with nested=1", name, module);
    else
        snprintf(reason, size, "KVM offers its guests no %s here", name);
}

bool vt_kvm_nested_offers(const struct vt_vm *vm, uint32_t needs, char *reason, size_t size)
{
    if (needs & VT_NEED_SVM && !vm->has_svm)
        explain_absence("AMD-V", "AMD and Hygon", "kvm_amd", !vt_vendor_has_svm(), reason, size);
    else if (needs & VT_NEED_VMX && !vm->has_vmx)
        explain_absence("VT-x", "Intel, Zhaoxin and VIA", "kvm_intel", vt_vendor_has_svm(), reason, size);
    else if (needs & VT_NEED_NPT && !vm->has_npt)
        snprintf(reason, size, "KVM offers its guests no nested paging: its own is off (kvm_amd.npt)");
    else if (needs & VT_NEED_EPT && !vt_vmx_has_ept(&vm->vmx))
        snprintf(reason, size, "KVM offers its guests no nested paging: its own is off (kvm_intel.ept)");
    else if (needs & VT_NEED_VPID && !vt_vmx_has_vpid(&vm->vmx))
        snprintf(reason, size, "KVM offers its guests no VPIDs: it uses none itself (kvm_intel.vpid)");
    else
        return true;
    return false;
}

static const struct vt_kvm_nested_kind *kind_of(const struct vt_case *c)
{
    return c->needs & VT_NEED_VMX ? &vt_kvm_nested_vmx : &vt_kvm_nested_svm;
}

uint64_t vt_kvm_nested_entry(const struct vt_vm *vm, const struct vt_case *c)
{
    return c->needs & VT_NEED_HYPERVISOR ? kind_of(c)->entry(vm, c) : vm->payload_entry;
}

int vt_kvm_nested_set(const struct vt_vm *vm, const struct vt_case *c, struct vt_scratch *scratch,
                      struct vt_error *error)
{
    scratch->inner = vm->base + VT_GUEST_NESTED + VT_NESTED_INNER;
    scratch->own = vm->base + VT_GUEST_NESTED + VT_NESTED_OWN;
    return kind_of(c)->set(vm, c, scratch, error);
}

void vt_kvm_nested_forget(const struct vt_vm *vm, const struct vt_case *c)
{
    kind_of(c)->forget(vm, c);
}

bool vt_kvm_nested_check(const struct vt_vm *vm, const struct vt_case *c, char *reason, size_t size)
{
    return kind_of(c)->check(vm, c, reason, size);
}

void vt_kvm_nested_tell(const struct vt_vm *vm, const struct vt_case *c, char *text, size_t size)
{
    kind_of(c)->tell(vm, text, size);
}
