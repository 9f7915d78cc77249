#include "lab/labs.h"

static const struct vt_lab all[] = {
    {"svm", "Linux's kvm_amd on QEMU's AMD-V, which lacks NRIPS", "kvm_amd", false, 2, 1, 2, vt_lab_run_svm},
    {"svm-bochs", "the same on Bochs' AMD-V, which has NRIPS as processors do; takes minutes", "kvm_amd",
     false, 1, VT_LAB_PROCESSORS, 1, vt_lab_run_svm_bochs},
    {"vmx", "Linux's kvm_intel on Bochs' VT-x; takes minutes", "kvm_intel", false, 1, VT_LAB_PROCESSORS, 2,
     vt_lab_run_vmx},
    {"xen", "Xen under QEMU: the cases as its PV domain, trapped and paravirtual, and as its PVH domain",
     NULL, true, 1, 1, 1, vt_lab_run_xen},
    {"tcg", "at ring 0 of QEMU's processor: the baseline, and below it a monitor that traps and emulates",
     NULL, false, 0, 1, 1, vt_lab_run_tcg},
    {"bochs", "the same on Bochs' processors, where the monitor has VT-x as well as AMD-V", NULL, false, 0, 1,
     1, vt_lab_run_bochs},
};

const struct vt_lab *vt_labs(size_t *count)
{
    *count = sizeof all / sizeof all[0];
    return all;
}
