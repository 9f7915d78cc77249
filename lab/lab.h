/*
 * The lab: the same guest code on emulated processors, under the real hypervisors'
 * code, counted in instructions executed.
 *
 * Owns: emulators, their machines and what is fetched for them. Does not own:
 * measuring (bench/), documents (report/), what a person sees (cli/).
 */
#ifndef VT_LAB_LAB_H
#define VT_LAB_LAB_H

#include "base/error.h"
#include "bench/measurement.h"
#include "lab/fetch/stop.h"
#include "lab/profile/capture.h"
#include "lab/profile/symbols.h"
#include "lab/tuning.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_lab_progress {
    const char *stage;     /* "booting" */
    size_t done, total;    /* cases; total 0: not yet measuring */
    const char *name;      /* of the case */
    double elapsed, limit; /* seconds */
};

struct vt_lab_request {
    const char *kernel, *modules; /* somebody's own; NULL: Debian's */
    const char *hypervisor;       /* the same for a lab whose hypervisor is no kernel's part */
    const char *cases;            /* list of patterns, checked; NULL: all */
    const char *levels;           /* "0", "3" or "0,3" */
    unsigned depth;               /* 2: measure in a machine that the lab's machine starts; else 1 */
    bool profile;                 /* tell which functions the instructions are of */
    struct vt_lab_tuning tuning;  /* of labs with Linux, checked */
    struct vt_lab_stop
        stop; /* end then, leave nothing behind; without a deadline: the lab's own, once it boots */
    void (*progress)(void *context, const struct vt_lab_progress *progress); /* or NULL */
    void *context;
};

/* What was executed, of one engine's rows. */
struct vt_lab_profile {
    const char *engine; /* static */
    uint64_t code;      /* where vt_guest_code_start lies in the guest */
    bool virtualized;   /* the guest is left by #VMEXIT */
    bool deep;          /* two hypervisors, one in another, did it */
    bool attempts;      /* the clock counts what was begun, and not what was executed */
    bool alternates;    /* every other pair began with the baseline */
    bool computed;      /* the hypervisor computes the guest's clock, amid an exit */
    size_t skipped;     /* pairs that ran in the same order before the first that counts */
    struct vt_capture capture;
    struct vt_symbols symbols;
};

#define VT_LAB_PROFILES 2

/* Everything is the outcome's until vt_lab_release. */
struct vt_lab_outcome {
    struct vt_lab_profile profiles[VT_LAB_PROFILES]; /* of a request for them */
    size_t profile_count;
    char *document; /* of labs that run this program inside: its result document, size bytes */
    size_t size;
    struct vt_measurement *measurements; /* of labs that boot the payload itself */
    size_t count;
    char emulator[160], kernel[160], hypervisor[160],
        command_line[VT_LAB_COMMAND_LINE]; /* what the numbers depend on; may be empty */
};

void vt_lab_release(struct vt_lab_outcome *outcome);

/* Show what the lab is about to do; `request`: a struct vt_lab_request. */
void vt_lab_note(void *request, const char *text);

/* The emulator must be installed; its version goes into the outcome. */
int vt_lab_require_emulator(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                            const char *program, const char *package, struct vt_error *error);

#endif
