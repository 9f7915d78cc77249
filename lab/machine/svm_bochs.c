/*
 * Lab `svm-bochs`: KVM's AMD-V code on Bochs' Zambezi (family 15h, 2011), which saves
 * the next RIP at an exit (NRIPS) as AMD's processors do since 2010 and QEMU's does not.
 */
#include "lab/emulator/bochs_linux.h"
#include "lab/labs.h"

int vt_lab_run_svm_bochs(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                         struct vt_error *error)
{
    static const struct vt_bochs machine = {"svm-bochs", "kvm-amd", vt_bochs_amd, ""};
    return vt_bochs_run(&machine, request, outcome, error);
}
