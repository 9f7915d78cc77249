#include "report/compare_floor.h"
#include "report/compare_statistics.h"
#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>

enum {
    RUNS_MOST = 8,     /* of a side, beyond which one of them may disagree with the others */
    STRETCHES = 8,     /* that disagree */
    QUARTERS = 4,      /* that a lasting change must show in */
    STRETCH_LEAST = 3, /* samples of each */
};

/*
 * Found with recorded runs (tests/data/compare): how much further runs disagree than
 * the parts of one side; and the same by the quieter half of the stretches alone,
 * where a burst in the others says nothing of what the quiet ones are worth.
 */
static const double beyond_parts = 1.5;
static const double beyond_quiet = 2.5;
static const double beyond_typical =
    4; /* and by the stretches' median deviation, blind to the few a neighbour shook */
static const double lasting_share = 0.75; /* of the pairs of quarters: one of a run may have been disturbed */
static const double telling_share = 0.05; /* of the body: a baseline that says how fast the core ran */

struct floor {
    double toll;         /* NaN: none */
    double baseline;     /* NaN: unknown, or a small part of the body */
    double lever;        /* relative noise of a batch to relative noise of the toll */
    double disagreement; /* what its parts let expect of another run, as a share of the toll */
};

/* Consecutive parts of `samples` samples: `count` equal ones, or up to where `ends` says. */
struct parts {
    size_t count, samples;
    const double *ends; /* or NULL */
};

struct span {
    size_t first, count;
};

static struct span span_of(const struct parts *parts, size_t i)
{
    size_t from = parts->ends ? (i ? (size_t)parts->ends[i - 1] : 0) : i * parts->samples / parts->count;
    size_t to = parts->ends ? (size_t)parts->ends[i] : (i + 1) * parts->samples / parts->count;
    return (struct span){from, to - from};
}

static struct parts parts_of(const struct vt_result_row *row, size_t stretches)
{
    if (row->runs.count > 1)
        return (struct parts){row->runs.count, row->samples.count, row->runs.values};
    return (struct parts){stretches, row->samples.count, NULL};
}

/* NaN for an empty span, and without memory. */
static double quantile_of(const struct vt_result_series *series, struct span span, double q)
{
    double *sorted = span.count ? vt_compare_sorted(series->values + span.first, span.count) : NULL;
    double value = sorted ? vt_statistics_quantile(sorted, span.count, q) : NAN;
    free(sorted);
    return value;
}

/* Rows of other tools may have samples of the toll only: they stand for the body of a baseline of nothing. */
static bool is_paired(const struct vt_result_row *row)
{
    return row->samples_body.count == row->samples.count && row->samples_baseline.count == row->samples.count;
}

static double body_of(const struct vt_result_row *row, struct span span)
{
    return quantile_of(is_paired(row) ? &row->samples_body : &row->samples, span, 0.25);
}

static double baseline_of(const struct vt_result_row *row, struct span span)
{
    return is_paired(row) ? quantile_of(&row->samples_baseline, span, 0.25) : 0;
}

/* Standard error of the median of sorted stretches, by those of them that were quiet. */
static double quiet_error(const double *floors, size_t count)
{
    double median = vt_statistics_quantile(floors, count, 0.5), deviations[STRETCHES];
    for (size_t i = 0; i < count; i++)
        deviations[i] = fabs(floors[i] - median);
    double typical = VT_STATISTICS_DEVIATION * vt_compare_median(deviations, count);
    return fmin(beyond_quiet * (median - floors[0]), beyond_typical * typical) / sqrt((double)count);
}

/* Sorts the parts' floors into `floors`, which has room for them. */
static double disagreement_of(const struct vt_result_row *row, const struct parts *parts, double *floors)
{
    for (size_t i = 0; i < parts->count; i++)
        floors[i] = body_of(row, span_of(parts, i)) - baseline_of(row, span_of(parts, i));
    double error = beyond_parts * vt_compare_mean_error(floors, parts->count);
    vt_compare_median(floors, parts->count);
    /* Few runs say nothing of which of them were quiet. */
    return parts->ends ? error : fmin(error, quiet_error(floors, parts->count));
}

static size_t stretches_for(size_t samples)
{
    size_t stretches = STRETCHES;
    while (stretches > 2 && samples / stretches < STRETCH_LEAST)
        stretches /= 2;
    return stretches;
}

/* Without samples the median stands for the floor. */
static struct floor floor_of_summary(const struct vt_summary *toll)
{
    return (struct floor){toll->median, NAN, 1, beyond_parts * vt_compare_interval_error(toll)};
}

static struct floor floor_of(const struct vt_result_row *row)
{
    struct span all = {0, row->samples.count};
    if (all.count < 2 * VT_STATISTICS_MIN)
        return floor_of_summary(&row->toll);
    struct parts parts = parts_of(row, stretches_for(all.count));
    double *floors = malloc(parts.count * sizeof *floors), body = body_of(row, all),
           baseline = baseline_of(row, all);
    double disagreement = floors ? disagreement_of(row, &parts, floors) : NAN;
    double toll = floors && parts.ends ? vt_statistics_quantile(floors, parts.count, 0.5) : body - baseline;
    free(floors);
    return (struct floor){toll, baseline > telling_share * body ? baseline : NAN,
                          hypot(body, baseline) / toll, disagreement / toll};
}

void vt_compare_measure_floor(struct vt_compared *row)
{
    struct floor before = floor_of(row->before), after = floor_of(row->after);
    row->floor_ratio = before.toll > 0 && after.toll > 0 ? after.toll / before.toll : NAN;
    row->baseline_ratio = after.baseline / before.baseline;
    row->lever = hypot(before.lever, after.lever);
    row->disagreement = hypot(before.disagreement, after.disagreement);
}

static bool medians_of(const struct vt_result_row *row, const struct parts *parts, double *medians)
{
    if (parts->samples < parts->count * STRETCH_LEAST)
        return false;
    for (size_t i = 0; i < parts->count; i++)
        if (isnan(medians[i] = quantile_of(&row->samples, span_of(parts, i), 0.5)))
            return false;
    return true;
}

bool vt_compare_stretches(const struct vt_result_row *row, double *medians, size_t count)
{
    struct parts parts = {count, row->samples.count, NULL};
    return medians_of(row, &parts, medians);
}

bool vt_compare_is_lasting(const struct vt_compared *row)
{
    double before[RUNS_MOST], after[RUNS_MOST];
    struct parts old = parts_of(row->before, QUARTERS), new = parts_of(row->after, QUARTERS);
    size_t above = 0, below = 0;
    if (old.count > RUNS_MOST || new.count > RUNS_MOST || !medians_of(row->before, &old, before) ||
        !medians_of(row->after, &new, after))
        return true;
    for (size_t i = 0; i < old.count; i++)
        for (size_t k = 0; k < new.count; k++) {
            above += after[k] > before[i];
            below += after[k] < before[i];
        }
    double least = (old.ends || new.ends ? 1 : lasting_share) * (double)(old.count * new.count);
    return (double)above >= least || (double)below >= least;
}
