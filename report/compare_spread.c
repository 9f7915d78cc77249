#include "report/compare_spread.h"
#include "report/compare_statistics.h"
#include "bench/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNS_MOST = 8,     /* of a side, beyond which one of them may disagree with the others */
    GROUP_LEAST = 4,   /* members whose median says something of the group */
    TAIL_LEAST = 30,   /* cases whose 95th percentile says something of the tails */
    STRETCHES = 4,     /* that a lasting change must show in */
    STRETCH_LEAST = 5, /* samples of each */
};
static const double deviation = 1.4826; /* median absolute deviation to standard deviation, of a normal */
static const double groups_apart = 32;

/*
 * Found with recorded runs (tests/data/compare): the part of two processes' distance
 * that nothing in either of them shows; how much further runs disagree than the
 * stretches of one run; and the same by the quieter half of the stretches alone, where
 * a burst in the others says nothing of what the quiet ones are worth.
 */
static const double layout = 0.004;
static const double beyond_stretches = 1.5;
static const double beyond_quiet = 2.5;
static const double telling_share =
    0.05; /* of the body, from which on a baseline says how fast the core ran */

struct floor {
    double toll;         /* NaN: none */
    double baseline;     /* NaN: unknown, or a small part of the body */
    double lever;        /* relative noise of a batch to relative noise of the toll */
    double disagreement; /* what its parts let expect of another run, as a share of the toll */
};

/* The lower quartile of `count` samples from `first` on. */
static double quartile_of(const struct vt_result_series *series, size_t first, size_t count)
{
    double *sorted = vt_compare_sorted(series->values + first, count);
    double quartile = sorted ? vt_statistics_quantile(sorted, count, 0.25) : NAN;
    free(sorted);
    return quartile;
}

/* Rows of other tools may have samples of the toll only: they stand for the body of a baseline of nothing. */
struct twins {
    const struct vt_result_series *body, *baseline;
};

static double floor_between(const struct twins *twins, size_t first, size_t count)
{
    return quartile_of(twins->body, first, count) -
           (twins->baseline ? quartile_of(twins->baseline, first, count) : 0);
}

/* Runs say directly what stretches of one run only hint at. */
static struct floor floor_of_runs(const struct twins *twins, const struct vt_result_series *runs)
{
    double *floors = malloc(runs->count * sizeof *floors), toll = NAN, error = NAN;
    for (size_t i = 0; floors && i < runs->count; i++) {
        size_t from = i ? (size_t)runs->values[i - 1] : 0;
        floors[i] = floor_between(twins, from, (size_t)runs->values[i] - from);
    }
    if (floors) {
        error = vt_compare_mean_error(floors, runs->count);
        toll = vt_compare_median(floors, runs->count);
    }
    free(floors);
    return (struct floor){toll, NAN, 1, beyond_stretches * error / toll};
}

static double disagreement_of(const struct twins *twins, double toll)
{
    double floors[VT_COMPARE_STRETCHES];
    size_t count = twins->body->count, stretches = VT_COMPARE_STRETCHES;
    while (stretches > 2 && count / stretches < STRETCH_LEAST)
        stretches /= 2;
    for (size_t i = 0; i < stretches; i++) {
        size_t from = i * count / stretches, to = (i + 1) * count / stretches;
        floors[i] = floor_between(twins, from, to - from);
    }
    double error = beyond_stretches * vt_compare_mean_error(floors, stretches);
    double below = vt_compare_median(floors, stretches) - floors[0];
    return fmin(error, beyond_quiet * below / sqrt((double)stretches)) / toll;
}

/* Without samples the median stands for the floor. */
static struct floor floor_of_summary(const struct vt_summary *toll)
{
    return (struct floor){toll->median, NAN, 1, beyond_stretches * vt_compare_interval_error(toll)};
}

static struct floor floor_of(const struct vt_result_row *row)
{
    bool paired = row->samples_baseline.count == row->samples_body.count && row->samples_body.count > 0;
    struct twins twins = {paired ? &row->samples_body : &row->samples,
                          paired ? &row->samples_baseline : NULL};
    size_t count = twins.body->count;
    if (count < 2 * VT_STATISTICS_MIN)
        return floor_of_summary(&row->toll);
    if (row->runs.count > 1)
        return floor_of_runs(&twins, &row->runs);
    double toll = floor_between(&twins, 0, count);
    double body = quartile_of(twins.body, 0, count);
    double baseline = body - toll;
    return (struct floor){toll, baseline > telling_share * body ? baseline : NAN,
                          hypot(body, baseline) / toll, disagreement_of(&twins, toll)};
}

void vt_compare_measure_floor(struct vt_compared *row)
{
    struct floor before = floor_of(row->before), after = floor_of(row->after);
    row->floor_ratio = before.toll > 0 && after.toll > 0 ? after.toll / before.toll : NAN;
    row->baseline_ratio = after.baseline / before.baseline;
    row->lever = hypot(before.lever, after.lever);
    row->disagreement = hypot(before.disagreement, after.disagreement);
}

static bool has_floor(const struct vt_compared *row)
{
    return isfinite(row->ratio) && isfinite(row->floor_ratio) && row->floor_ratio > 0;
}

static bool same_group(const struct vt_result_row *a, const struct vt_result_row *b)
{
    bool alike =
        a->crossing && b->crossing ? strcmp(a->crossing, b->crossing) == 0 : a->crossing == b->crossing;
    return a->cpl == b->cpl && a->simulated == b->simulated && strcmp(a->engine, b->engine) == 0 && alike;
}

/* The members' drift in common during a run, as standard error of the group's median ratio. */
static double run_drift(const struct vt_comparison *comparison, const struct vt_compare_group *group,
                        bool after, double *work)
{
    double series[VT_COMPARE_STRETCHES];
    size_t count = 0, room = comparison->count;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct vt_compared *row = &comparison->rows[i];
        double medians[VT_COMPARE_STRETCHES];
        if (!has_floor(row) || row->group != group->number ||
            !vt_compare_stretches(after ? row->after : row->before, medians, VT_COMPARE_STRETCHES))
            continue;
        for (size_t k = 0; k < VT_COMPARE_STRETCHES; k++)
            work[k * room + count] = medians[k] / (after ? row->after : row->before)->toll.median;
        count++;
    }
    for (size_t k = 0; k < VT_COMPARE_STRETCHES; k++)
        series[k] = vt_compare_median(work + k * room, count);
    return vt_compare_mean_error(series, VT_COMPARE_STRETCHES);
}

/* A group too small for a median of its own drifts with its engine and level. */
static double road_shift(const struct vt_comparison *comparison, const struct vt_compare_group *group,
                         double *work)
{
    const struct vt_result_row *member = NULL;
    size_t count = 0;
    for (size_t i = 0; i < comparison->count && !member; i++)
        if (comparison->rows[i].group == group->number)
            member = comparison->rows[i].before;
    for (size_t i = 0; i < comparison->count && member; i++) {
        const struct vt_result_row *row = comparison->rows[i].before;
        if (has_floor(&comparison->rows[i]) && row->cpl == member->cpl &&
            row->simulated == member->simulated && strcmp(row->engine, member->engine) == 0)
            work[count++] = log(comparison->rows[i].floor_ratio);
    }
    return count >= GROUP_LEAST ? vt_compare_median(work, count) : 0;
}

/* A changed machine moves the baselines of a group together; a neighbour moves that of one case. */
static double baseline_shift(const struct vt_comparison *comparison, const struct vt_compare_group *group,
                             double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->count; i++)
        if (has_floor(&comparison->rows[i]) && comparison->rows[i].group == group->number &&
            isfinite(comparison->rows[i].baseline_ratio))
            work[count++] = log(comparison->rows[i].baseline_ratio);
    return count >= GROUP_LEAST ? vt_compare_median(work, count) : 0;
}

static void measure_group(const struct vt_comparison *comparison, struct vt_compare_group *group,
                          double *work)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (has_floor(&comparison->rows[i]) && comparison->rows[i].group == group->number)
            work[group->count++] = log(comparison->rows[i].floor_ratio);
    group->baseline_shift = baseline_shift(comparison, group, work + comparison->count);
    if (group->count < GROUP_LEAST) {
        group->shift = road_shift(comparison, group, work);
        return;
    }
    group->shift = vt_compare_median(work, group->count);
    group->error = hypot(run_drift(comparison, group, false, work), run_drift(comparison, group, true, work));
}

static void assign_groups(struct vt_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        size_t k = 0;
        while (k < i && !same_group(comparison->rows[k].before, comparison->rows[i].before))
            k++;
        comparison->rows[i].group = k == i ? comparison->group_count++ : comparison->rows[k].group;
    }
}

/* A group changed when it moved further than its own drift, and than groups lie apart. */
static void judge_groups(struct vt_comparison *comparison, double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->group_count; i++)
        if (comparison->groups[i].count >= GROUP_LEAST)
            work[count++] = comparison->groups[i].shift;
    double center = vt_compare_median(work, count);
    for (size_t i = 0; i < count; i++)
        work[i] = fabs(work[i] - center);
    double apart = count >= GROUP_LEAST ? deviation * vt_compare_median(work, count) : 0;
    double drifts = count >= GROUP_LEAST ? 4 : 8;
    for (size_t i = 0; i < comparison->group_count; i++) {
        struct vt_compare_group *group = &comparison->groups[i];
        group->changed = group->count >= GROUP_LEAST && fabs(group->shift) > log(1 + comparison->threshold) &&
                         fabs(group->shift) > drifts * group->error &&
                         fabs(group->shift) > groups_apart * apart;
    }
}

static double residual_of(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    return log(row->floor_ratio) - comparison->groups[row->group].shift;
}

/* What a batch's noise is in these two runs, from the cases that the noise reaches least distorted. */
static double common_noise(const struct vt_comparison *comparison, double *work)
{
    size_t known = 0;
    for (size_t i = 0; i < comparison->count; i++)
        if (has_floor(&comparison->rows[i]))
            work[known++] = fabs(residual_of(comparison, &comparison->rows[i])) / comparison->rows[i].lever;
    return deviation * vt_compare_median(work, known);
}

/* Runs differ in more ways than a normal distribution knows: its tails are stretched to those seen. */
static double tail_stretch(const struct vt_comparison *comparison, double *work)
{
    size_t known = 0;
    for (size_t i = 0; i < comparison->count; i++)
        if (has_floor(&comparison->rows[i]))
            work[known++] = fabs(residual_of(comparison, &comparison->rows[i])) / comparison->rows[i].error;
    if (known < TAIL_LEAST)
        return 1;
    vt_compare_median(work, known);
    return fmax(1, vt_statistics_quantile(work, known, 0.95) / 1.96);
}

/* The baseline is the same code on both sides: where it moved, the core was not the same. */
static double shaken_by(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double moved = log(row->baseline_ratio) - comparison->groups[row->group].baseline_shift;
    return isfinite(moved) ? fabs(moved) * row->lever : 0;
}

static void measure_errors(struct vt_comparison *comparison, double *work)
{
    double noise = common_noise(comparison, work);
    size_t known = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        row->error =
            hypot(hypot(noise * row->lever, row->disagreement), hypot(shaken_by(comparison, row), layout));
    }
    double stretch = tail_stretch(comparison, work);
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        row->p_runs = NAN;
        if (!has_floor(row))
            continue;
        row->error *= stretch;
        row->p_runs = vt_compare_normal_p(residual_of(comparison, row) / row->error);
        work[known++] = row->error;
    }
    comparison->spread = vt_compare_median(work, known);
}

int vt_compare_estimate_spread(struct vt_comparison *comparison)
{
    double *work = malloc(VT_COMPARE_STRETCHES * (comparison->count + 1) * sizeof *work);
    comparison->groups = calloc(comparison->count + 1, sizeof *comparison->groups);
    if (work && comparison->groups) {
        assign_groups(comparison);
        for (size_t i = 0; i < comparison->group_count; i++) {
            comparison->groups[i].number = i;
            measure_group(comparison, &comparison->groups[i], work);
        }
        judge_groups(comparison, work);
        measure_errors(comparison, work);
    }
    int status = work && comparison->groups ? 0 : -ENOMEM;
    free(work);
    return status;
}

/* Medians of what must all lie on one side: the runs, or the stretches of one run. 0: too few samples. */
static size_t medians_of(const struct vt_result_row *row, double *medians, size_t room)
{
    size_t parts = row->runs.count > 1 ? row->runs.count : STRETCHES, count = row->samples.count;
    if (parts > room || count < parts * STRETCH_LEAST)
        return 0;
    for (size_t i = 0; i < parts; i++) {
        size_t from = i * count / parts, to = (i + 1) * count / parts;
        if (row->runs.count > 1) {
            from = i ? (size_t)row->runs.values[i - 1] : 0;
            to = (size_t)row->runs.values[i];
        }
        double *sorted = vt_compare_sorted(row->samples.values + from, to - from);
        medians[i] = sorted && to > from ? vt_statistics_quantile(sorted, to - from, 0.5) : NAN;
        free(sorted);
    }
    return parts;
}

bool vt_compare_is_lasting(const struct vt_compared *row)
{
    double before[RUNS_MOST], after[RUNS_MOST];
    size_t m = medians_of(row->before, before, RUNS_MOST), n = medians_of(row->after, after, RUNS_MOST);
    size_t above = 0, below = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < n; k++) {
            above += after[k] > before[i];
            below += after[k] < before[i];
        }
    return m == 0 || n == 0 || above == m * n || below == m * n;
}
