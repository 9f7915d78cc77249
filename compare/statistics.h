/*
 * The tests behind a comparison. Private to this room.
 */
#ifndef VT_COMPARE_STATISTICS_H
#define VT_COMPARE_STATISTICS_H

#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A fixed sequence: equal input gives equal output. */
struct vt_random {
    uint64_t state; /* not 0 */
};

/* Two-sided p of the Mann-Whitney test, normal approximation with ties; NaN below 6 samples on a side or
 * without memory. */
double vt_compare_mann_whitney(const struct vt_result_series *a, const struct vt_result_series *b);

/*
 * The shift, as a logarithm, at which that test's z is expected to reach `z` between two samples that scatter
 * like these around one median. 0 where there are too few samples for a test; infinite where none suffices.
 */
double vt_compare_rank_shift(const struct vt_result_series *a, const struct vt_result_series *b, double z);

/* Standard error of the logarithm of the median toll, as far as its interval shows it. */
double vt_compare_interval_error(const struct vt_summary *toll);

/* A sorted copy, to be freed; NULL without memory. */
double *vt_compare_sorted(const double *values, size_t count);

/* Standard error of the mean of values. */
double vt_compare_mean_error(const double *values, size_t count);

/* Two-sided p of a standard normal. */
double vt_compare_normal_p(double z);

/* Two-sided p of Student's t with `freedom` >= 1 degrees, by Wallace's approximation (1959): within 1 % in z.
 */
double vt_compare_student_p(double t, double freedom);

/* What |z| and |t| must exceed for a two-sided p below `level`. */
double vt_compare_normal_limit(double level);
double vt_compare_student_limit(double level, double freedom);

/* Holm's correction of `count` p values in place; NaN stays and does not count. 0, or -ENOMEM. */
int vt_compare_holm(double *p, size_t count);

/*
 * 95 % interval of the ratio of medians by bootstrap, each replicate also moved by a
 * normal error of standard deviation `extra` on the logarithm.
 */
void vt_compare_bootstrap(const struct vt_result_row *before, const struct vt_result_row *after, double extra,
                          struct vt_random *random, double *low, double *high);

#endif
