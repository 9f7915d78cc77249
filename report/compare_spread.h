/*
 * How far two runs of one machine lie apart when nothing changed, and which cases
 * lie further. Private to compare.c.
 *
 * Others' work on a shared machine lasts for seconds, slows by half, and moves a
 * median; it does not move what the quietest quarter of the batches saw. So what is
 * held against the spread between runs is the floor: the lower quartile of the body
 * batches less that of the baseline batches. Its error has three parts: the noise of
 * a batch common to the two runs, estimated from all cases, times how much of it
 * reaches the toll; how far the quiet batches of the case disagree among themselves;
 * and what layout in memory costs, which is decided anew in every process.
 */
#ifndef VT_REPORT_COMPARE_SPREAD_H
#define VT_REPORT_COMPARE_SPREAD_H

#include "report/compare.h"

#include <stdbool.h>

/* Fill floor_ratio, lever, disagreement of a row that has a ratio. */
void vt_compare_measure_floor(struct vt_compared *row);

/*
 * Sort the rows with a ratio into groups and find the spread: fills groups, spread,
 * and of each row group, error and p_runs (not corrected). 0, or -ENOMEM.
 */
int vt_compare_estimate_spread(struct vt_comparison *comparison);

/*
 * Whether every stretch of one run lies on the same side of every stretch of the
 * other, as a lasting change does and a passing burst does not. True where there are
 * too few samples for stretches.
 */
bool vt_compare_is_lasting(const struct vt_compared *row);

#endif
