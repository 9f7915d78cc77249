/*
 * How far two runs of one machine lie apart when nothing changed, and which cases
 * lie further. Private to this room.
 *
 * Others' work on a shared machine lasts for seconds, slows by half, and moves a
 * median; it does not move what the quiet pairs saw (floor.h). The error of
 * that is made of the noise of a batch common to the two runs, estimated from all
 * cases, times how much of it reaches the toll; of how far the parts of both sides
 * disagree; of how far the baseline moved beside the others'; of batches of another
 * length; and of what no part of a run shows. Nothing in it grows when a part of the
 * cases has truly changed.
 */
#ifndef VT_COMPARE_SPREAD_H
#define VT_COMPARE_SPREAD_H

#include "compare/comparison.h"

/*
 * Sort the rows with a ratio into groups and find the spread: fills groups, spread,
 * and of each row group, error and p_runs (not corrected). 0, or -ENOMEM.
 */
int vt_compare_estimate_spread(struct vt_comparison *comparison);

#endif
