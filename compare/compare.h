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
 * Cases of one group - the same engine, level and crossing - drift together, so a
 * case is held against its group, and a group against the other groups: either the
 * case stands out, or its whole group does.
 */
#ifndef VT_COMPARE_COMPARE_H
#define VT_COMPARE_COMPARE_H

#include "base/error.h"
#include "compare/comparison.h"

/*
 * Compare. `threshold` is a share: 0.02 is 2 %; NaN is that for times and, for what
 * counts instructions, the noise of its lab. The results must outlive the comparison. Nothing in common is an
 * error. On success release must follow.
 */
int vt_compare(struct vt_comparison *comparison, const struct vt_result *before,
               const struct vt_result *after, double threshold, struct vt_error *error);

#endif
