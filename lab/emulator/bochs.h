/*
 * A PC that Bochs emulates, started from the disc in its folder. Bochs makes one tick per
 * instruction, and its time-stamp counter counts ticks. Owns: Bochs, its settings and
 * its screen; which processor, and what boots, is the caller's.
 */
#ifndef VT_LAB_EMULATOR_BOCHS_H
#define VT_LAB_EMULATOR_BOCHS_H

#include "base/error.h"
#include "lab/emulator/emulator.h"
#include "lab/lab.h"

/* Of its clock, in texts: what Linux is told of it; and for what waits for no device, so that firmware's
 * waits are short. One tick is one instruction either way. */
#define VT_BOCHS_KHZ       "1000000"
#define VT_BOCHS_KHZ_SHORT "10000"

struct vt_bochs_model {
    int since; /* version of Bochs */
    const char *name;
};

/* One of AMD's with AMD-V, and one of Intel's with VT-x as hypervisors of this program use it; for KVM's see
 * vmx.c. */
extern const struct vt_bochs_model vt_bochs_amd[], vt_bochs_intel[];

struct vt_bochs_pc {
    const char *lab; /* for messages */
    const struct vt_bochs_model
        *models;        /* of the processor (bochs --help cpu), the oldest first; ends with no name */
    const char *khz;    /* one of the two above */
    const char *folder; /* where it runs */
    const struct vt_emulator_tap *tap; /* or NULL */
    double limit;                      /* seconds, where the request has no deadline */
};

/* What is done with the emulator while its screen is there. */
struct vt_bochs_use {
    int (*run)(void *context, struct vt_emulator *emulator, struct vt_error *error);
    void *context;
};

/* The programs and files it takes, or an error that names the Debian package; its version goes to the
 * outcome. */
int vt_bochs_require(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                     struct vt_error *error);

/* Returns what `use` did. */
int vt_bochs_boot(const struct vt_bochs_pc *pc, const struct vt_lab_request *request,
                  const struct vt_lab_outcome *outcome, const struct vt_bochs_use *use,
                  struct vt_error *error);

#endif
