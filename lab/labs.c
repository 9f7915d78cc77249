#include "lab/labs.h"

static const struct vt_lab all[] = {
    {"svm", "kvm_amd on QEMU's AMD-V", true, false, vt_lab_run_svm},
    {"vmx", "kvm_intel on Bochs' VT-x", true, false, vt_lab_run_vmx},
    {"xen", "Xen, the cases in its first domain: PV, then PVH", false, true, vt_lab_run_xen},
    {"tcg", "no hypervisor, at ring 0 of QEMU's processor", false, false, vt_lab_run_tcg},
};

const struct vt_lab *vt_labs(size_t *count)
{
    *count = sizeof all / sizeof all[0];
    return all;
}
