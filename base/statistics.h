/*
 * Robust statistics of samples whose distribution is not known: order statistics
 * only, no mean, nothing removed.
 */
#ifndef VT_BASE_STATISTICS_H
#define VT_BASE_STATISTICS_H

#include "base/unknown.h"

#include <stddef.h>

/* Smallest sample whose order statistics hold a 95 % interval of the median: 1 - 2 * 0.5^6 = 0.969. */
#define VT_STATISTICS_MIN 6

/* Standard deviation of a normal distribution over its median absolute deviation. */
#define VT_STATISTICS_DEVIATION 1.4826

/*
 * Zero-based ranks [*low, *high] of the sorted sample whose values bound the
 * median with at least 95 % confidence, exactly: the narrowest symmetric pair with
 * P(low < Binomial(count, 1/2) <= high) >= 0.95 (Conover, Practical Nonparametric
 * Statistics, 3.2). Returns the confidence reached; below VT_STATISTICS_MIN samples
 * that is the whole range and less than 0.95.
 */
double vt_statistics_median_ranks(size_t count, size_t *low, size_t *high);

/* Quantile q in [0, 1] of `count` >= 1 ascending values; linear between ranks (Hyndman and Fan, type 7). */
double vt_statistics_quantile(const double *sorted, size_t count, double q);

/* Ascending, in place. */
void vt_statistics_sort(double *values, size_t count);

/* Sorts. 0 for no values. */
double vt_statistics_median(double *values, size_t count);

/* Robust summary of one distribution. ci: the exact 95 % order-statistic interval of the median. */
struct vt_summary {
    double median, ci_low, ci_high;
    double min, p05, p25, p75, p95, p99, mad;
};

/*
 * Summary of `count` >= 1 samples. `work` has room for `count` values and is
 * overwritten; `samples` keeps its order.
 */
struct vt_summary vt_statistics_summarize(const double *samples, size_t count, double *work);

/* The summary with every value multiplied by a positive factor. */
struct vt_summary vt_statistics_scale(const struct vt_summary *summary, double factor);

#endif
