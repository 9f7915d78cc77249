/*
 * What an image's rows mean. Nothing counts exits for it: whether an operation was left to a hypervisor is
 * inferred from how long it took beside the controls of the same boot, and every row says so.
 *
 * Owns: rows as measurements. Does not own: the lines they came in (lines.h).
 */
#ifndef VT_IMAGE_JUDGE_H
#define VT_IMAGE_JUDGE_H

#include "bench/measurement.h"
#include "image/lines.h"

/* The engine of all rows: nothing of ours below the case. */
#define VT_IMAGE_ENGINE "bare"

/* What the controls say of the machine. */
struct vt_image_ground {
    bool rate;            /* two sources agree on how fast its time-stamp counter counts */
    bool controls;        /* both controls were measured */
    bool interpreted;     /* ring 0's instructions are read one by one */
    bool emulated;        /* by a program that announces itself: times are no processor's */
    double nop, thousand; /* cycles */
    char hypervisor[64];  /* "KVM (KVMKVMKVM)"; "" where none announces itself */
    enum vt_path path;
};

void vt_image_judge_ground(const struct vt_image_said *said, struct vt_image_ground *ground);

/* The row of a case, released by the caller in any case. 0, or -ENOMEM. */
int vt_image_judge(const struct vt_image_said *said, const struct vt_image_ground *ground,
                   const struct vt_image_case *row, struct vt_measurement *m);

#endif
