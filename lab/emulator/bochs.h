/*
 * A PC that Bochs emulates, booted with Linux from a disc. Bochs makes one tick per
 * instruction, and its time-stamp counter counts ticks. Owns: Bochs, its settings and
 * its screen; which processor, and KVM's module for it, is the lab's.
 */
#ifndef VT_LAB_EMULATOR_BOCHS_H
#define VT_LAB_EMULATOR_BOCHS_H

#include "base/error.h"
#include "lab/lab.h"

struct vt_bochs_model {
    int since; /* version of Bochs */
    const char *name;
};

struct vt_bochs {
    const char *lab;    /* name of the lab: for messages and rows */
    const char *module; /* "kvm-intel" */
    const struct vt_bochs_model
        *models;       /* of the processor (bochs --help cpu), the oldest first; ends with no name */
    const char *words; /* of the kernel's command line, for this machine; each with a blank behind it */
};

/* As vt_lab.run (labs.h). */
int vt_bochs_run(const struct vt_bochs *machine, const struct vt_lab_request *request,
                 struct vt_lab_outcome *outcome, struct vt_error *error);

#endif
