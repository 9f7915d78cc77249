/*
 * A row's pairs without those that something shook, cut into parts that repeat the measurement: the runs
 * where a row has several (pool.h), otherwise its rounds, or stretches of its samples where no rounds are
 * known. Private to this room.
 *
 * A pair is shaken when the document says so (a preemption, a core that was shared), or when its baseline is
 * well above the row's quiet ones: the baseline is the same code in every pair. The toll itself never
 * decides.
 */
#ifndef VT_COMPARE_PARTS_H
#define VT_COMPARE_PARTS_H

#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>

/* More runs or rounds than these share a part. */
enum { VT_COMPARE_PARTS_MOST = 16 };

struct vt_compare_parts {
    double *toll, *body, *baseline; /* `samples` each, in the order taken */
    size_t samples;
    size_t *ends; /* where in these each part ends; no part is empty */
    size_t count;
    size_t missing; /* parts in which no pair was quiet */
    double shaken;  /* share of the row's pairs that something shook */
    bool telling;   /* the baseline is long enough, beside the body, to meet what shakes the body */
    enum vt_compare_kind { VT_CUT_STRETCHES, VT_CUT_ROUNDS, VT_CUT_RUNS } kind;
};

/*
 * Cut a row into parts: into its runs if it has several and `by_runs`, else into at most `most`, never into
 * more than VT_COMPARE_PARTS_MOST. False: fewer than twice VT_STATISTICS_MIN samples, fewer than
 * VT_STATISTICS_MIN quiet pairs, or no memory. On success release must follow.
 */
bool vt_compare_cut(struct vt_compare_parts *parts, const struct vt_result_row *row, bool by_runs,
                    size_t most);

void vt_compare_parts_release(struct vt_compare_parts *parts);

/* How many pairs of a row nothing shook. */
size_t vt_compare_quiet_pairs(const struct vt_result_row *row);

/* A quantile of part `i` of one of the arrays of `parts`; NaN without memory. */
double vt_compare_part_quantile(const struct vt_compare_parts *parts, const double *values, size_t i,
                                double q);

/* The same of the whole array. */
double vt_compare_whole_quantile(const struct vt_compare_parts *parts, const double *values, double q);

#endif
