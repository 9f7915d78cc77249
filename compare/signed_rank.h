/*
 * Wilcoxon's signed ranks of one sample: is it centred on zero, and where is its centre? By its Walsh
 * averages, the averages of all pairs and of each value with itself (Hollander, Wolfe and Chicken,
 * Nonparametric Statistical Methods, 3.1 to 3.3). Private to this room.
 */
#ifndef VT_COMPARE_SIGNED_RANK_H
#define VT_COMPARE_SIGNED_RANK_H

#include <stddef.h>

struct vt_signed_rank {
    double *averages; /* ascending */
    size_t size, count;
};

/* 0, or -ENOMEM. `count` >= 1 finite values. On success end must follow. */
int vt_signed_rank_start(struct vt_signed_rank *ranks, const double *values, size_t count);
void vt_signed_rank_end(struct vt_signed_rank *ranks);

/* The Hodges-Lehmann estimate. */
double vt_signed_rank_middle(const struct vt_signed_rank *ranks);

/* Two-sided p that the centre is zero. NaN without memory. */
double vt_signed_rank_p(const struct vt_signed_rank *ranks);

/* What holds the centre with 1 - level; infinite where the sample is too small for that. */
void vt_signed_rank_interval(const struct vt_signed_rank *ranks, double level, double *low, double *high);

#endif
