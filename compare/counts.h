/*
 * Rows that count instructions: the lab's clock is deterministic, so two counts are
 * subtracted and there is nothing to test. Private to compare.c and its formats.
 */
#ifndef VT_COMPARE_COUNTS_H
#define VT_COMPARE_COUNTS_H

#include "compare/comparison.h"

#include <stdbool.h>
#include <stddef.h>

/* Is the row a count of the lab, not a time? */
bool vt_compare_is_count(const struct vt_result_row *row);

/*
 * The share by which two runs of this lab may differ with nothing changed
 * (docs/LAB.md, "Is it exact?"): 0 where the whole machine is deterministic.
 */
double vt_compare_lab_noise(const char *engine);

/* after - before in instructions, 0 within rounding; NaN where a side was not measured. */
double vt_compare_subtract(const struct vt_compared *row);

/* after / before, NaN where there is none. */
double vt_compare_count_ratio(const struct vt_compared *row);

/* The verdict on a pair that is `ok` on both sides and crosses alike. */
void vt_compare_judge_count(const struct vt_comparison *comparison, struct vt_compared *row);

/* Is any difference of this row a change? */
bool vt_compare_counts_exactly(const struct vt_comparison *comparison, const struct vt_compared *row);

/* The share by which a count must differ to be a change; NaN where it is of nothing. */
double vt_compare_count_resolution(const struct vt_comparison *comparison, const struct vt_compared *row);

/* Warn where two labs are not the same: emulator, kernel, hypervisor, command line, vmtoll. False: these are
 * not two labs. */
bool vt_compare_warn_of_labs(struct vt_comparison *comparison);

/* "2771", "9952.80" */
void vt_compare_print_count(double count, char *text, size_t size);

/* "+40 instructions (+1.4 %)", "0", or "" where a side was not measured. */
void vt_compare_print_difference(const struct vt_compared *row, char *text, size_t size);

/* What makes a difference of counts a finding, in one sentence. */
void vt_compare_count_basis(const struct vt_comparison *comparison, char *text, size_t size);

#endif
