/* The profile of one row: which of the batches that were captured are its own, and what they differ in. */
#ifndef VT_LAB_PROFILE_ROW_H
#define VT_LAB_PROFILE_ROW_H

#include "bench/profile.h"
#include "lab/profile/replay.h"

/* What was measured. */
struct vt_profile_row {
    uint64_t body, baseline; /* addresses of the twins, where they ran */
    bool alternates;         /* every other pair began with the baseline */
    bool computed;           /* the hypervisor computes the guest's clock, amid an exit */
    size_t skipped;          /* pairs that ran in the same order before the first that counts */
    uint64_t iterations;
    const double *bodies, *baselines; /* instructions per operation, by pair */
    size_t pairs;
    double toll; /* the median of their differences */
};

/*
 * Of the pair whose difference is the toll, or of the two whose mean it is, where an even number of pairs
 * counts. Where the clock is computed and that pair's instructions are not the toll, of the pair whose
 * instructions are nearest to it. Sought among the batches from *cursor on, which is then behind the row's.
 * 0; -ENOENT: they were not captured, or not as a whole; -ENOMEM. On success vt_profile_release must follow.
 */
int vt_profile_make(struct vt_profile *profile, struct vt_replay *replay, size_t *cursor,
                    const struct vt_profile_row *row);

struct vt_profile_pair {
    const struct vt_capture_batch *body, *baseline;
};

/*
 * What the bodies of `pairs` executed more than their baselines. Chains begin where the first instruction
 * that differs is: callers that add nothing of their own are left out. 0; -ENOENT: they are not captured as a
 * whole, or have more chains than a hypervisor; -ENOMEM.
 */
int vt_profile_subtract(struct vt_profile *profile, struct vt_replay *replay,
                        const struct vt_profile_pair *pairs, size_t count);

#endif
