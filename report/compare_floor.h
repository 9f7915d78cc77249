/*
 * What one row of each side says before other rows are asked: what its quietest
 * batches saw, how far the parts of a run disagree about it, and whether a shift
 * lasted. Private to compare*.c.
 *
 * The parts are the runs where a side has several (pool.h), otherwise consecutive
 * stretches of its one run.
 */
#ifndef VT_REPORT_COMPARE_FLOOR_H
#define VT_REPORT_COMPARE_FLOOR_H

#include "report/compare.h"

#include <stdbool.h>
#include <stddef.h>

/* Fill floor_ratio, baseline_ratio, lever and disagreement of a row that has a ratio. */
void vt_compare_measure_floor(struct vt_compared *row);

/*
 * Whether every part of one side lies on the same side of every part of the other,
 * as a lasting change does and a passing burst does not. True where there are too few
 * samples for parts.
 */
bool vt_compare_is_lasting(const struct vt_compared *row);

/* Medians of `count` consecutive stretches of a row's samples. False: too few samples, or no memory. */
bool vt_compare_stretches(const struct vt_result_row *row, double *medians, size_t count);

#endif
