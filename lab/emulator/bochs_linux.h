/* Linux on a PC that Bochs emulates, with KVM's module for its processor. */
#ifndef VT_LAB_EMULATOR_BOCHS_LINUX_H
#define VT_LAB_EMULATOR_BOCHS_LINUX_H

#include "lab/emulator/bochs.h"

struct vt_bochs {
    const char *lab;    /* name of the lab: for messages and rows */
    const char *module; /* "kvm-intel" */
    const struct vt_bochs_model *models;
    const char *words; /* of the kernel's command line, for this machine; each with a blank behind it */
};

/* As vt_lab.run (labs.h). */
int vt_bochs_run(const struct vt_bochs *machine, const struct vt_lab_request *request,
                 struct vt_lab_outcome *outcome, struct vt_error *error);

#endif
