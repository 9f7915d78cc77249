#include "compare/signed_rank.h"
#include "base/statistics.h"
#include "compare/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { EXACT_MOST = 60 }; /* beyond it the normal approximation serves, far into its tails */

int vt_signed_rank_start(struct vt_signed_rank *ranks, const double *values, size_t count)
{
    size_t size = count * (count + 1) / 2, next = 0;
    *ranks = (struct vt_signed_rank){malloc(size * sizeof *ranks->averages), size, count};
    if (!ranks->averages)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i; k < count; k++)
            ranks->averages[next++] = (values[i] + values[k]) / 2;
    vt_statistics_sort(ranks->averages, size);
    return 0;
}

void vt_signed_rank_end(struct vt_signed_rank *ranks)
{
    free(ranks->averages);
    ranks->averages = NULL;
}

double vt_signed_rank_middle(const struct vt_signed_rank *ranks)
{
    return vt_statistics_quantile(ranks->averages, ranks->size, 0.5);
}

/*
 * P(W <= w) of the sum of the positive ranks where nothing differs, for w up to `most`: each rank is positive
 * or not, like a coin. The caller's; NULL without memory.
 */
static double *distribution(size_t count, size_t most)
{
    double *sums = calloc(most + 1, sizeof *sums);
    if (!sums)
        return NULL;
    sums[0] = 1;
    for (size_t rank = 1; rank <= count; rank++)
        for (size_t w = most + 1; w-- > 0;)
            sums[w] = (sums[w] + (w >= rank ? sums[w - rank] : 0)) / 2;
    for (size_t w = 1; w <= most; w++)
        sums[w] += sums[w - 1];
    return sums;
}

static double deviation_of(size_t count)
{
    double n = (double)count;
    return sqrt(n * (n + 1) * (2 * n + 1) / 24);
}

/* Averages above zero, those that are zero by half: the sum of the positive ranks. */
static double positive_sum(const struct vt_signed_rank *ranks)
{
    double sum = 0;
    for (size_t i = 0; i < ranks->size; i++)
        sum += ranks->averages[i] > 0 ? 1 : ranks->averages[i] == 0 ? 0.5 : 0;
    return sum;
}

double vt_signed_rank_p(const struct vt_signed_rank *ranks)
{
    double size = (double)ranks->size, sum = positive_sum(ranks), tail = fmin(sum, size - sum);
    if (ranks->count > EXACT_MOST)
        return vt_compare_normal_p(fmax(0, size / 2 - tail - 0.5) / deviation_of(ranks->count));
    double *below = distribution(ranks->count, ranks->size);
    double p = below ? fmin(1, 2 * below[(size_t)floor(tail)]) : NAN;
    free(below);
    return p;
}

/* The largest w with P(W <= w) <= tail; negative: there is none. */
static double critical(size_t count, size_t size, double tail)
{
    if (count > EXACT_MOST)
        return floor((double)size / 2 - 0.5 - vt_compare_normal_limit(2 * tail) * deviation_of(count));
    double *below = distribution(count, size);
    double w = -1;
    while (below && w + 1 < (double)size && below[(size_t)(w + 1)] <= tail)
        w++;
    free(below);
    return w;
}

void vt_signed_rank_interval(const struct vt_signed_rank *ranks, double level, double *low, double *high)
{
    double w = critical(ranks->count, ranks->size, level / 2);
    bool known = w >= 0 && 2 * w + 1 < (double)ranks->size;
    *low = known ? ranks->averages[(size_t)w] : -INFINITY;
    *high = known ? ranks->averages[ranks->size - 1 - (size_t)w] : INFINITY;
}
