/*
 * Two settings measured in turns, in pairs of runs that follow one another: what differs is judged within the
 * pairs, so that what drifts over the pairs, and what a process keeps for its life, falls out or averages
 * out.
 *
 * Of each run counts what its fastest tenth of pairs of batches saw: others' work only ever slows. A pair
 * of which one turn lies apart from the others of its side is not asked: somebody had the core throughout.
 * Wilcoxon's signed ranks judge the logarithms of the ratios, and the median of their Walsh averages (Hodges
 * and Lehmann) is the change.
 */
#ifndef VT_COMPARE_PAIRED_H
#define VT_COMPARE_PAIRED_H

#include "compare/comparison.h"

#include <stdbool.h>
#include <stddef.h>

enum { VT_COMPARE_PAIRS_MOST = 400 };

/* Of all rows together, corrected for their number. */
#define VT_COMPARE_PAIRED_LEVEL 0.01

/* Logarithms of after over before: `count` for each of `rows` rows of the first run; NaN: not measured. */
struct vt_compare_pairs {
    double *shifts;
    size_t rows, count;
};

/*
 * From `count` runs of a side, which are not pooled yet: run i of one side is the partner of run i of the
 * other. 0, or -ENOMEM. On success release must follow.
 */
int vt_compare_collect_pairs(struct vt_compare_pairs *pairs, struct vt_result *const *before,
                             struct vt_result *const *after, size_t count);
void vt_compare_release_pairs(struct vt_compare_pairs *pairs);

/*
 * The smallest change, as a share, that the pairs so far would show in each of their rows: of the row in
 * which it is the largest. Infinite while a row has too few. NaN: no memory.
 */
double vt_compare_pairs_reach(const struct vt_compare_pairs *pairs);

/* Fill what is known of each row that was measured on both sides, but for the verdict. 0, or -ENOMEM. */
int vt_compare_measure_pairs(struct vt_comparison *comparison, const struct vt_compare_pairs *pairs);

#endif
