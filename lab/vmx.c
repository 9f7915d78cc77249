/*
 * Lab `vmx`: KVM's VT-x code on Bochs, whose processors have VMX with EPT, VPID and
 * unrestricted guest.
 */
#include "lab/bochs.h"
#include "lab/labs.h"

int vt_lab_run_vmx(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    static const struct vt_bochs machine = {"vmx", "kvm-intel", "corei7_skylake_x"};
    return vt_bochs_run(&machine, request, outcome, error);
}
