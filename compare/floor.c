#include "compare/floor.h"
#include "compare/parts.h"
#include "compare/statistics.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

enum {
    RUNS_MOST = 8,     /* of a side, beyond which one of them may disagree with the others */
    QUARTERS = 4,      /* that a lasting change must show in */
    STRETCH_LEAST = 3, /* samples of each */
};

/* Of the parts' deviations from their side's median: beyond it lie what shook a few and nothing showed. */
static const double usual = 0.8;
/* Where that quantile of a normal distribution's deviations lies, in standard deviations. */
static const double usual_deviation = 1.2816;
/* What an interval says of another run, in its standard errors. */
static const double beyond_interval = 1.5;
/* Of the pairs of quarters: one of a run may have been disturbed. */
static const double lasting_share = 0.75;

/* What the quiet pairs of one side saw. */
struct floor {
    double toll;                         /* of the lower quartiles; NaN: none */
    double middle;                       /* of the median part */
    double baseline;                     /* NaN: unknown, or a small part of the body */
    double lever;                        /* relative noise of a batch to relative noise of the toll */
    double parts[VT_COMPARE_PARTS_MOST]; /* toll of each part as a share of the median of them */
    size_t count;
    double shaken; /* share of its pairs */
    double error;  /* of a side without parts, as a share of the toll */
};

/* Without samples the median stands for the floor. */
static struct floor floor_of_summary(const struct vt_summary *toll)
{
    return (struct floor){.toll = toll->median,
                          .middle = toll->median,
                          .baseline = NAN,
                          .lever = 1,
                          .error = beyond_interval * vt_compare_interval_error(toll)};
}

/* Fills parts; returns their median. */
static double measure_parts(struct floor *floor, const struct vt_compare_parts *parts)
{
    double sorted[VT_COMPARE_PARTS_MOST];
    floor->count = parts->count;
    for (size_t i = 0; i < floor->count; i++)
        sorted[i] = floor->parts[i] = vt_compare_part_quantile(parts, parts->toll, i, 0.5);
    double median = vt_statistics_median(sorted, floor->count);
    for (size_t i = 0; i < floor->count; i++)
        floor->parts[i] /= median;
    return median;
}

static struct floor floor_of(const struct vt_result_row *row)
{
    struct vt_compare_parts parts;
    if (!vt_compare_cut(&parts, row, true, VT_COMPARE_PARTS_MOST))
        return floor_of_summary(&row->toll);
    double body = vt_compare_whole_quantile(&parts, parts.body, 0.25);
    double baseline = vt_compare_whole_quantile(&parts, parts.baseline, 0.25);
    struct floor floor = {.baseline = parts.telling ? baseline : NAN, .shaken = parts.shaken};
    double median = measure_parts(&floor, &parts);
    floor.middle = median;
    floor.toll = parts.kind == VT_CUT_RUNS ? median : body - baseline;
    floor.lever = hypot(body, baseline) / floor.toll;
    vt_compare_parts_release(&parts);
    return floor;
}

/*
 * What the parts of both sides let expect of a ratio. Both measure the same thing, so their deviations are
 * taken together: a case that falls into one of two speeds in every part may show only one of them on one
 * side.
 */
static double disagreement_of(const struct floor *a, const struct floor *b)
{
    double deviations[2 * VT_COMPARE_PARTS_MOST], errors = hypot(a->error, b->error);
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        deviations[count++] = fabs(a->parts[i] - 1);
    for (size_t i = 0; i < b->count; i++)
        deviations[count++] = fabs(b->parts[i] - 1);
    if (count == 0)
        return errors;
    vt_statistics_sort(deviations, count);
    double deviation = vt_statistics_quantile(deviations, count, usual) / usual_deviation;
    double share = (a->count ? 1 / (double)a->count : 0) + (b->count ? 1 / (double)b->count : 0);
    return hypot(errors, deviation * sqrt(share));
}

static double length_ratio(const struct vt_result_row *a, const struct vt_result_row *b)
{
    double ratio = fabs(log(b->iterations / a->iterations));
    return isfinite(ratio) ? ratio : 0;
}

static double ratio_of(double before, double after)
{
    return before > 0 && after > 0 ? after / before : NAN;
}

/* Of two ratios that measure one thing, the one nearer to 1; 1 where they contradict each other. */
static double lesser(double a, double b)
{
    if (!isfinite(a) || !isfinite(b))
        return NAN;
    if ((a > 1) != (b > 1))
        return 1;
    return fabs(log(a)) < fabs(log(b)) ? a : b;
}

void vt_compare_measure_floor(struct vt_compared *row)
{
    struct floor before = floor_of(row->before), after = floor_of(row->after);
    row->floor_ratio = lesser(ratio_of(before.toll, after.toll), ratio_of(before.middle, after.middle));
    row->baseline_ratio = after.baseline / before.baseline;
    row->length_ratio = length_ratio(row->before, row->after);
    row->lever = hypot(before.lever, after.lever);
    row->disagreement = disagreement_of(&before, &after);
    row->parts = before.count + after.count;
    row->shaken = fmax(before.shaken, after.shaken);
}

bool vt_compare_stretches(const struct vt_result_row *row, double *medians, size_t count)
{
    struct vt_compare_parts parts;
    if (!vt_compare_cut(&parts, row, false, count))
        return false;
    bool whole = parts.count == count && parts.samples >= count * STRETCH_LEAST;
    for (size_t i = 0; i < count && whole; i++)
        whole = isfinite(medians[i] = vt_compare_part_quantile(&parts, parts.toll, i, 0.5));
    vt_compare_parts_release(&parts);
    return whole;
}

/* Medians of a side's runs, or of its quarters as far as they hold quiet pairs. */
struct quarters {
    double medians[RUNS_MOST];
    size_t count; /* 0: too many runs, or too few samples, to say anything */
    bool whole;   /* none is missing */
};

static struct quarters quarters_of(const struct vt_result_row *row)
{
    struct quarters quarters = {.whole = true};
    struct vt_compare_parts parts;
    if (row->runs.count > RUNS_MOST || !vt_compare_cut(&parts, row, true, QUARTERS))
        return quarters;
    quarters.count = parts.count;
    quarters.whole = parts.missing == 0;
    for (size_t i = 0; i < parts.count; i++)
        quarters.medians[i] = vt_compare_part_quantile(&parts, parts.toll, i, 0.5);
    vt_compare_parts_release(&parts);
    return quarters;
}

/* Of the pairs of quarters, or of runs, that must agree. */
static double share_of(const struct vt_compared *row)
{
    return row->before->runs.count > 1 || row->after->runs.count > 1 ? 1 : lasting_share;
}

double vt_compare_lasting_shift(const struct vt_compared *row)
{
    struct quarters old = quarters_of(row->before), new = quarters_of(row->after);
    double ratios[RUNS_MOST * RUNS_MOST], share = share_of(row);
    size_t count = 0;
    if (!old.whole || !new.whole)
        return INFINITY;
    for (size_t i = 0; i < old.count; i++)
        for (size_t k = 0; k < new.count; k++)
            ratios[count++] = log(new.medians[k] / old.medians[i]);
    if (count == 0)
        return 0;
    vt_statistics_sort(ratios, count);
    double middle = vt_statistics_quantile(ratios, count, 0.5),
           low = vt_statistics_quantile(ratios, count, 1 - share),
           high = vt_statistics_quantile(ratios, count, share), shift = fmax(middle - low, high - middle);
    return isfinite(shift) ? shift : INFINITY;
}

bool vt_compare_is_lasting(const struct vt_compared *row)
{
    struct quarters old = quarters_of(row->before), new = quarters_of(row->after);
    size_t above = 0, below = 0;
    for (size_t i = 0; i < old.count; i++)
        for (size_t k = 0; k < new.count; k++) {
            above += new.medians[k] > old.medians[i];
            below += new.medians[k] < old.medians[i];
        }
    double least = share_of(row) * (double)(old.count * new.count);
    return old.whole && new.whole && ((double)above >= least || (double)below >= least);
}
