#include "compare/spread.h"
#include "compare/floor.h"
#include "compare/statistics.h"
#include "base/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_LEAST = 4, /* members whose median says something of the group */
    NOISE_LEAST = 8, /* cases that say what noise they have in common */
    STRETCHES = 8,   /* of a run, in which a group drifts */
};
static const double groups_apart = 32;
static const double usual_freedom = 28; /* degrees of: 15 rounds a side */

/* Found with recorded runs (tests/data/compare): what nothing in either of two processes shows. */
static const double layout = 0.007;
static const double by_length = 0.01; /* of batches of another length, where it is e times as long */
static const double baseline_weight = 0.5;
/* The square of the share of pairs: what shook many of them reached the caches of the others as well. */
static const double by_shaken = 0.06;

static bool has_floor(const struct vt_compared *row)
{
    return isfinite(row->ratio) && isfinite(row->floor_ratio) && row->floor_ratio > 0;
}

/* Rows of one group, or of one road. */
struct kin {
    const struct vt_comparison *comparison;
    const size_t *rows; /* their indices */
    size_t count;
};

static const struct vt_compared *member_of(const struct kin *kin, size_t i)
{
    return &kin->comparison->rows[kin->rows[i]];
}

static int compare_roads(const struct vt_result_row *a, const struct vt_result_row *b)
{
    int order = strcmp(a->engine, b->engine);
    order = order ? order : a->cpl - b->cpl;
    return order ? order : (int)a->simulated - (int)b->simulated;
}

static int compare_groups(const struct vt_result_row *a, const struct vt_result_row *b)
{
    int order = compare_roads(a, b);
    if (order || !a->crossing || !b->crossing)
        return order ? order : (a->crossing != NULL) - (b->crossing != NULL);
    return strcmp(a->crossing, b->crossing);
}

static double root_of_squares(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

/* What it is worth that the pairs left are quiet, where a share of all was shaken. */
static double doubt(double shaken)
{
    return by_shaken * shaken * shaken;
}

/* The members' doubt in common. */
static double doubt_of(const struct kin *group, double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++)
        if (has_floor(member_of(group, i)))
            work[count++] = doubt(member_of(group, i)->shaken);
    return vt_statistics_median(work, count);
}

/* The members' drift in common during a run, as standard error of the group's median ratio. */
static double run_drift(const struct kin *group, bool after, double *work)
{
    double series[STRETCHES];
    size_t count = 0, room = group->count;
    for (size_t i = 0; i < group->count; i++) {
        const struct vt_compared *row = member_of(group, i);
        double medians[STRETCHES];
        if (!has_floor(row) || !vt_compare_stretches(after ? row->after : row->before, medians, STRETCHES))
            continue;
        for (size_t k = 0; k < STRETCHES; k++)
            work[k * room + count] = medians[k] / (after ? row->after : row->before)->toll.median;
        count++;
    }
    for (size_t k = 0; k < STRETCHES; k++)
        series[k] = vt_statistics_median(work + k * room, count);
    return vt_compare_mean_error(series, STRETCHES);
}

static size_t collect_shifts(const struct kin *kin, double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < kin->count; i++)
        if (has_floor(member_of(kin, i)))
            work[count++] = log(member_of(kin, i)->floor_ratio);
    return count;
}

/* A group too small for a median of its own drifts with its engine and level. */
static double road_shift(const struct kin *road, double *work)
{
    size_t count = collect_shifts(road, work);
    return count >= GROUP_LEAST ? vt_statistics_median(work, count) : 0;
}

/* A changed machine moves the baselines of a group together; a neighbour moves that of one case. */
static double baseline_shift(const struct kin *group, double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++)
        if (has_floor(member_of(group, i)) && isfinite(member_of(group, i)->baseline_ratio))
            work[count++] = log(member_of(group, i)->baseline_ratio);
    return count >= GROUP_LEAST ? vt_statistics_median(work, count) : 0;
}

static struct vt_compare_group measure_group(const struct kin *group, double shift, double *work)
{
    struct vt_compare_group measured = {.shift = shift, .baseline_shift = baseline_shift(group, work)};
    measured.count = collect_shifts(group, work);
    if (measured.count < GROUP_LEAST)
        return measured;
    measured.shift = vt_statistics_median(work, measured.count);
    measured.error =
        root_of_squares((const double[]){run_drift(group, false, work), run_drift(group, true, work), layout,
                                         doubt_of(group, work)},
                        4);
    return measured;
}

static int by_group(const void *a, const void *b, void *context)
{
    const struct vt_comparison *comparison = context;
    const size_t *x = a, *y = b;
    int order = compare_groups(comparison->rows[*x].before, comparison->rows[*y].before);
    return order ? order : (*x > *y) - (*x < *y);
}

/* Groups are numbered as they are met; afterwards those of one road, and of one group in it, are together. */
static void assign_groups(struct vt_comparison *comparison, size_t *order)
{
    struct vt_compared *rows = comparison->rows;
    for (size_t i = 0; i < comparison->count; i++)
        order[i] = i;
    qsort_r(order, comparison->count, sizeof *order, by_group, comparison);
    for (size_t i = 0; i < comparison->count; i++) /* for now, the group's first row */
        rows[order[i]].group = i && compare_groups(rows[order[i - 1]].before, rows[order[i]].before) == 0
                                   ? rows[order[i - 1]].group
                                   : order[i];
    for (size_t i = 0; i < comparison->count; i++)
        rows[i].group = rows[i].group == i ? comparison->group_count++ : rows[rows[i].group].group;
}

/* As many of the rows as are alike with the first. */
static struct kin kin_of(const struct vt_comparison *comparison, const size_t *rows, size_t count,
                         int (*compare)(const struct vt_result_row *, const struct vt_result_row *))
{
    size_t length = count ? 1 : 0;
    while (length < count &&
           compare(comparison->rows[rows[0]].before, comparison->rows[rows[length]].before) == 0)
        length++;
    return (struct kin){comparison, rows, length};
}

static void measure_road(struct vt_comparison *comparison, const struct kin *road, double *work)
{
    double shift = road_shift(road, work);
    struct kin group;
    for (size_t i = 0; i < road->count; i += group.count) {
        group = kin_of(comparison, road->rows + i, road->count - i, compare_groups);
        comparison->groups[member_of(&group, 0)->group] = measure_group(&group, shift, work);
    }
}

/* By its drift during both runs, which their stretches tell, and by how far groups lie apart. */
static int test_groups(struct vt_comparison *comparison, double apart, double *work)
{
    for (size_t i = 0; i < comparison->group_count; i++) {
        const struct vt_compare_group *group = &comparison->groups[i];
        work[i] = group->count < GROUP_LEAST
                      ? NAN
                      : vt_compare_student_p(group->shift / hypot(group->error, apart), 2 * (STRETCHES - 1));
    }
    int status = vt_compare_holm(work, comparison->group_count);
    for (size_t i = 0; i < comparison->group_count; i++)
        comparison->groups[i].p = work[i];
    return status;
}

/* A group changed when it moved further than its own drift, and than groups lie apart. */
static int judge_groups(struct vt_comparison *comparison, double *work)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->group_count; i++)
        if (comparison->groups[i].count >= GROUP_LEAST)
            work[count++] = comparison->groups[i].shift;
    double center = vt_statistics_median(work, count);
    for (size_t i = 0; i < count; i++)
        work[i] = fabs(work[i] - center);
    double apart = count >= GROUP_LEAST ? VT_STATISTICS_DEVIATION * vt_statistics_median(work, count) : 0;
    double drifts = count >= GROUP_LEAST ? 4 : 8;
    for (size_t i = 0; i < comparison->group_count; i++) {
        struct vt_compare_group *group = &comparison->groups[i];
        group->changed = group->count >= GROUP_LEAST && fabs(group->shift) > log(1 + comparison->threshold) &&
                         fabs(group->shift) > drifts * group->error &&
                         fabs(group->shift) > groups_apart * apart;
    }
    return test_groups(comparison, apart, work);
}

static double residual_of(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    return log(row->floor_ratio) - comparison->groups[row->group].shift;
}

/*
 * What a batch's noise is between these two runs beyond what the parts of each show, from the cases that the
 * noise reaches least distorted. Too few cases say nothing: one that changed would take its change for noise.
 */
static double common_noise(const struct vt_comparison *comparison, double *work)
{
    double *shown = work + comparison->count;
    size_t known = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct vt_compared *row = &comparison->rows[i];
        if (!has_floor(row))
            continue;
        shown[known] = row->disagreement / row->lever;
        work[known++] = fabs(residual_of(comparison, row)) / row->lever;
    }
    if (known < NOISE_LEAST)
        return 0;
    double all = VT_STATISTICS_DEVIATION * vt_statistics_median(work, known),
           by_parts = vt_statistics_median(shown, known);
    return sqrt(fmax(0, all * all - by_parts * by_parts));
}

/*
 * The baseline is the same code on both sides: where it moved, the core was not the same. A core of another
 * speed moves the toll as much; what comes on top of body and baseline alike leaves it where it was. What a
 * batch costs once is spread over its operations, and moves a baseline by as much as the lengths of the
 * batches differ.
 */
static double shaken_by(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double moved = fabs(log(row->baseline_ratio) - comparison->groups[row->group].baseline_shift);
    return isfinite(moved) ? baseline_weight * fmax(0, moved - row->length_ratio) : 0;
}

/*
 * Degrees of freedom of an error that `parts` parts made by `disagreement` (Welch 1947, Satterthwaite 1946),
 * what else it is made of being known about as well as by the rounds of two runs.
 */
static double freedom_of(const struct vt_compared *row)
{
    double by_parts = row->disagreement * row->disagreement, all = row->error * row->error;
    double rest = fmax(0, all - by_parts), parts = row->parts > 3 ? (double)row->parts - 2 : 1;
    return row->parts ? all * all / (by_parts * by_parts / parts + rest * rest / usual_freedom)
                      : usual_freedom;
}

static void measure_errors(struct vt_comparison *comparison, double *work)
{
    double noise = common_noise(comparison, work);
    size_t known = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        row->error = root_of_squares((const double[]){noise * row->lever, row->disagreement,
                                                      shaken_by(comparison, row), layout,
                                                      by_length * row->length_ratio, doubt(row->shaken)},
                                     6);
    }
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        row->p_runs = NAN;
        if (!has_floor(row))
            continue;
        row->freedom = freedom_of(row);
        row->p_runs = vt_compare_student_p(residual_of(comparison, row) / row->error, row->freedom);
        work[known++] = row->error;
    }
    comparison->spread = vt_statistics_median(work, known);
}

int vt_compare_estimate_spread(struct vt_comparison *comparison)
{
    size_t count = comparison->count, *order = calloc(count + 1, sizeof *order);
    double *work = malloc(STRETCHES * (count + 1) * sizeof *work);
    comparison->groups = calloc(count + 1, sizeof *comparison->groups);
    int status = order && work && comparison->groups ? 0 : -ENOMEM;
    if (status == 0) {
        struct kin road;
        assign_groups(comparison, order);
        for (size_t i = 0; i < count; i += road.count) {
            road = kin_of(comparison, order + i, count - i, compare_roads);
            measure_road(comparison, &road, work);
        }
        status = judge_groups(comparison, work);
        measure_errors(comparison, work);
    }
    free(order);
    free(work);
    return status;
}
