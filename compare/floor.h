/*
 * What one row of each side says before other rows are asked: what its quiet pairs
 * saw, how far its parts (parts.h) disagree about it, and whether a shift
 * lasted. Private to this room.
 *
 * Two figures are made of the quiet pairs: the lower quartile of the bodies less that
 * of the baselines, and the median of the parts' medians. The one that moved less
 * counts, so a case that falls into one of two speeds must change in both.
 */
#ifndef VT_COMPARE_FLOOR_H
#define VT_COMPARE_FLOOR_H

#include "compare/comparison.h"

#include <stdbool.h>
#include <stddef.h>

/* Fill floor_ratio, baseline_ratio, length_ratio, lever, disagreement and parts of a row that has a ratio. */
void vt_compare_measure_floor(struct vt_compared *row);

/*
 * Whether the quarters of one side (its runs, where it has several) lie on the same side of those of the
 * other, as a lasting change does and a passing burst does not. False where a quarter has no quiet pair; true
 * where there are too few samples for quarters.
 */
bool vt_compare_is_lasting(const struct vt_compared *row);

/*
 * By how much, as a logarithm, the rows would have to lie further apart for that to hold beside how they
 * scatter: infinite where nothing could be said.
 */
double vt_compare_lasting_shift(const struct vt_compared *row);

/* Medians of `count` consecutive stretches of a row's samples. False: too few samples, or no memory. */
bool vt_compare_stretches(const struct vt_result_row *row, double *medians, size_t count);

#endif
