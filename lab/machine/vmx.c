/*
 * Lab `vmx`: KVM's VT-x code on Bochs, whose processors have VMX with EPT, VPID and
 * unrestricted guest.
 */
#include "lab/emulator/bochs_linux.h"
#include "lab/labs.h"

/*
 * The kernel draws lots how deep the stack of a system call begins, and KVM tells the processor where it is
 * only when it has moved: one in some hundred ways to user space and back was five instructions shorter than
 * others.
 */
#define WORDS "randomize_kstack_offset=off "

/* Since 3.0 no guest of KVM's enters on `corei7_skylake_x` (KVM_EXIT_FAIL_ENTRY). */
static const struct vt_bochs_model models[] = {{0, "corei7_skylake_x"}, {3, "broadwell_ult"}, {0}};

int vt_lab_run_vmx(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    static const struct vt_bochs machine = {"vmx", "kvm-intel", models, WORDS};
    return vt_bochs_run(&machine, request, outcome, error);
}
