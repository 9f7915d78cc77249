#include "compare/statistics.h"
#include "base/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICATES = 1000, MOST_SHIFT = 4, SHIFT_STEPS = 14 };

double *vt_compare_sorted(const double *values, size_t count)
{
    double *copy = malloc((count + 1) * sizeof *copy);
    if (copy && count) { /* without values there may be no list of them */
        memcpy(copy, values, count * sizeof *copy);
        vt_statistics_sort(copy, count);
    }
    return copy;
}

/*
 * Sum over runs of equal values of (t^3 - t), and the rank sum of `a`, by merging two sorted samples, the
 * second times `factor` > 0.
 */
static double rank_sum(const double *a, size_t m, const double *b, size_t n, double factor, double *ties)
{
    double sum = 0;
    size_t i = 0, k = 0;
    *ties = 0;
    while (i < m || k < n) {
        double value = k == n || (i < m && a[i] <= b[k] * factor) ? a[i] : b[k] * factor;
        size_t first = i + k, from_a = 0;
        for (; i < m && a[i] == value; i++)
            from_a++;
        for (; k < n && b[k] * factor == value; k++)
            ;
        double equal = (double)(i + k - first);
        sum += (double)from_a * ((double)first + (equal + 1) / 2);
        *ties += equal * equal * equal - equal;
    }
    return sum;
}

double vt_compare_normal_p(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

double vt_compare_student_p(double t, double freedom)
{
    double z = sqrt(freedom * log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3);
    return vt_compare_normal_p(z);
}

double vt_compare_normal_limit(double level)
{
    double low = 0, high = 40;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(vt_compare_normal_p(middle) > level ? &low : &high) = middle;
    }
    return high;
}

double vt_compare_student_limit(double level, double freedom)
{
    double z = vt_compare_normal_limit(level) * (8 * freedom + 3) / (8 * freedom + 1);
    return sqrt(freedom * expm1(z * z / freedom));
}

/* How far the first sample lies above the second, times `factor`, in standard deviations under no difference.
 */
static double rank_distance(const double *a, size_t count_a, const double *b, size_t count_b, double factor)
{
    double m = (double)count_a, n = (double)count_b, total = m + n, ties;
    double u = rank_sum(a, count_a, b, count_b, factor, &ties) - m * (m + 1) / 2 - m * n / 2;
    double variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)));
    double distance = fmax(fabs(u) - 0.5, 0); /* continuity */
    return variance > 0 ? copysign(distance, u) / sqrt(variance) : 0;
}

double vt_compare_mann_whitney(const struct vt_result_series *a, const struct vt_result_series *b)
{
    double p = NAN;
    if (a->count < VT_STATISTICS_MIN || b->count < VT_STATISTICS_MIN)
        return NAN;
    double *x = vt_compare_sorted(a->values, a->count), *y = vt_compare_sorted(b->values, b->count);
    if (x && y)
        p = vt_compare_normal_p(rank_distance(x, a->count, y, b->count, 1));
    free(x);
    free(y);
    return p;
}

/* In one direction: the second sample above the first (1) or below it (-1). */
static double shift_towards(const double *a, size_t count_a, const double *b, size_t count_b, double z,
                            int sign)
{
    double together = vt_statistics_quantile(a, count_a, 0.5) / vt_statistics_quantile(b, count_b, 0.5);
    double low = 0, high = MOST_SHIFT;
    for (int i = 0; i < SHIFT_STEPS; i++) {
        double middle = (low + high) / 2;
        double seen = -sign * rank_distance(a, count_a, b, count_b, together * exp(sign * middle));
        *(seen < z ? &low : &high) = middle;
    }
    return high < MOST_SHIFT ? high : INFINITY;
}

double vt_compare_rank_shift(const struct vt_result_series *a, const struct vt_result_series *b, double z)
{
    double shift = 0;
    if (a->count < VT_STATISTICS_MIN || b->count < VT_STATISTICS_MIN)
        return 0;
    double *x = vt_compare_sorted(a->values, a->count), *y = vt_compare_sorted(b->values, b->count);
    if (x && y)
        shift = fmax(shift_towards(x, a->count, y, b->count, z, 1),
                     shift_towards(x, a->count, y, b->count, z, -1));
    free(x);
    free(y);
    return x && y ? shift : INFINITY;
}

double vt_compare_interval_error(const struct vt_summary *toll)
{
    /* A normal interval of 95 % is 2 * 1.96 standard errors wide. */
    return (toll->ci_high - toll->ci_low) / toll->median / 3.92;
}

double vt_compare_mean_error(const double *values, size_t count)
{
    double sum = 0, squares = 0, n = (double)count;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - sum / n) * (values[i] - sum / n);
    return sqrt(squares / (n - 1) / n);
}

struct indexed {
    double p;
    size_t index;
};

static int compare_indexed(const void *a, const void *b)
{
    const struct indexed *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : (x->index > y->index) - (x->index < y->index);
}

int vt_compare_holm(double *p, size_t count)
{
    struct indexed *order = malloc((count + 1) * sizeof *order);
    size_t known = 0;
    double least = 0;
    if (!order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!isnan(p[i]))
            order[known++] = (struct indexed){p[i], i};
    qsort(order, known, sizeof *order, compare_indexed);
    for (size_t i = 0; i < known; i++) {
        least = fmax(least, fmin(1, order[i].p * (double)(known - i)));
        p[order[i].index] = least;
    }
    free(order);
    return 0;
}

/* xorshift64* (Vigna, 2016), in (0, 1). */
static double uniform(struct vt_random *random)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return ((double)((x * UINT64_C(0x2545F4914F6CDD1D)) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct vt_random *random)
{
    return sqrt(-2 * log(uniform(random))) * cos(2 * M_PI * uniform(random));
}

/*
 * Median of one resample, without drawing it: the rank of its median is distributed
 * as a uniform order statistic (Efron 1979), which for the middle one is, beyond a
 * handful of samples, normal around 1/2 with variance 1 / (4 (n + 2)).
 */
static double resampled_median(const double *sorted, size_t count, struct vt_random *random)
{
    double q = 0.5 + normal(random) / (2 * sqrt((double)count + 2));
    return vt_statistics_quantile(sorted, count, fmin(1, fmax(0, q)));
}

static void normal_interval(const struct vt_result_row *before, const struct vt_result_row *after,
                            double extra, double *low, double *high)
{
    double center = log(after->toll.median / before->toll.median);
    double error = sqrt(pow(vt_compare_interval_error(&before->toll), 2) +
                        pow(vt_compare_interval_error(&after->toll), 2) + extra * extra);
    *low = exp(center - 1.96 * error);
    *high = exp(center + 1.96 * error);
}

void vt_compare_bootstrap(const struct vt_result_row *before, const struct vt_result_row *after, double extra,
                          struct vt_random *random, double *low, double *high)
{
    double replicates[REPLICATES];
    double *a = vt_compare_sorted(before->samples.values, before->samples.count);
    double *b = vt_compare_sorted(after->samples.values, after->samples.count);
    normal_interval(before, after, extra, low, high);
    if (a && b && before->samples.count >= VT_STATISTICS_MIN && after->samples.count >= VT_STATISTICS_MIN) {
        size_t drawn = 0;
        for (; drawn < REPLICATES; drawn++) {
            double x = resampled_median(a, before->samples.count, random);
            double y = resampled_median(b, after->samples.count, random);
            if (!(x > 0 && y > 0))
                break;
            replicates[drawn] = y / x * exp(extra * normal(random));
        }
        if (drawn == REPLICATES) {
            vt_statistics_sort(replicates, REPLICATES);
            *low = vt_statistics_quantile(replicates, REPLICATES, 0.025);
            *high = vt_statistics_quantile(replicates, REPLICATES, 0.975);
        }
    }
    free(a);
    free(b);
}
