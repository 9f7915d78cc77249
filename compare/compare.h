/*
 * Two results of the same thing, before and after: what differs beyond chance.
 *
 * Samples of one run lie closer together than runs of one machine do, so a test on
 * samples alone finds differences everywhere. A change is reported only when four
 * witnesses agree: a Mann-Whitney test of the samples; a test of what the quiet pairs
 * saw against the spread between the two runs (compare/spread.h); a shift that
 * lasted for the whole run; and ratios beyond the threshold, of the medians and of the
 * quiet pairs. Both tests are corrected for the number of cases (Holm).
 *
 * What did not change is unchanged within what would have been found (compare/resolution.h),
 * or it cannot be told: never the same for want of a witness.
 *
 * Cases of one group - the same engine, level and crossing - drift together, so a
 * case is held against its group, and a group against the other groups: either the
 * case stands out, or its whole group does.
 */
#ifndef VT_COMPARE_COMPARE_H
#define VT_COMPARE_COMPARE_H

#include "base/error.h"
#include "compare/comparison.h"
#include "compare/paired.h"

/* Shares: 0.02 is 2 %. */
struct vt_compare_limits {
    double threshold;  /* less is no change. NaN: 0.02 for times; for what counts instructions, the noise of
                          its  lab */
    double resolution; /* a row in which only more could have been found is unclear. NaN: 0.08 beyond the
                          threshold */
    const struct vt_compare_pairs *pairs; /* runs in turns, to be judged in pairs (paired.h), and then the
                                             threshold is nothing; NULL: two results as wholes */
};

/* Compare. The results must outlive the comparison. Nothing in common is an error. On success release must
 * follow. */
int vt_compare(struct vt_comparison *comparison, const struct vt_result *before,
               const struct vt_result *after, const struct vt_compare_limits *limits, struct vt_error *error);

#endif
