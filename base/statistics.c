#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* P(Binomial(n, 1/2) = k) in logarithms: n may be thousands. */
static double log_binomial_half(size_t n, size_t k)
{
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * M_LN2;
}

double vt_statistics_median_ranks(size_t count, size_t *low, size_t *high)
{
    /* Chance that the median lies below the rank-th smallest value: P(Binomial(count, 1/2) < rank). */
    double miss = exp(log_binomial_half(count, 0));
    size_t rank = 1;

    while (2 * (rank + 1) <= count) {
        double next = miss + exp(log_binomial_half(count, rank));
        if (next > 0.025)
            break;
        miss = next;
        rank++;
    }
    *low = rank - 1;
    *high = count - rank;
    return 1 - 2 * miss;
}

double vt_statistics_quantile(const double *sorted, size_t count, double q)
{
    double position = q * (double)(count - 1);
    size_t below = (size_t)position;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

void vt_statistics_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
}

double vt_statistics_median(double *values, size_t count)
{
    vt_statistics_sort(values, count);
    return count ? vt_statistics_quantile(values, count, 0.5) : 0;
}

static double median_deviation(double *values, size_t count, double median)
{
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - median);
    return vt_statistics_median(values, count);
}

struct vt_summary vt_statistics_summarize(const double *samples, size_t count, double *work)
{
    struct vt_summary summary;
    size_t low, high;

    memcpy(work, samples, count * sizeof *work);
    summary.median = vt_statistics_median(work, count);
    vt_statistics_median_ranks(count, &low, &high);
    summary.ci_low = work[low];
    summary.ci_high = work[high];
    summary.min = work[0];
    summary.p05 = vt_statistics_quantile(work, count, 0.05);
    summary.p25 = vt_statistics_quantile(work, count, 0.25);
    summary.p75 = vt_statistics_quantile(work, count, 0.75);
    summary.p95 = vt_statistics_quantile(work, count, 0.95);
    summary.p99 = vt_statistics_quantile(work, count, 0.99);
    summary.mad = median_deviation(work, count, summary.median);
    return summary;
}

struct vt_summary vt_statistics_scale(const struct vt_summary *summary, double factor)
{
    return (struct vt_summary){
        summary->median * factor, summary->ci_low * factor, summary->ci_high * factor, summary->min * factor,
        summary->p05 * factor,    summary->p25 * factor,    summary->p75 * factor,     summary->p95 * factor,
        summary->p99 * factor,    summary->mad * factor,
    };
}
