/*
 * How far two runs of one machine lie apart when nothing changed, and which cases
 * lie further. Private to compare.c.
 *
 * Others' work on a shared machine lasts for seconds, slows by half, and moves a
 * median; it does not move what the quietest quarter of the batches saw. So what is
 * held against the spread between runs is the floor: the lower quartile of the body
 * batches less that of the baseline batches (compare_floor.h). Its error is made of
 * the noise of a batch common to the two runs, estimated from all cases, times how
 * much of it reaches the toll; of how far the parts of a side disagree; of how far the
 * baseline moved beside the others'; and of what no part of a run shows.
 */
#ifndef VT_REPORT_COMPARE_SPREAD_H
#define VT_REPORT_COMPARE_SPREAD_H

#include "report/compare.h"

/*
 * Sort the rows with a ratio into groups and find the spread: fills groups, spread,
 * and of each row group, error and p_runs (not corrected). 0, or -ENOMEM.
 */
int vt_compare_estimate_spread(struct vt_comparison *comparison);

#endif
