#include "compare/paired.h"
#include "base/statistics.h"
#include "compare/signed_rank.h"
#include "compare/statistics.h"
#include "result/match.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Found with runs of a second on a machine whose two processors thirty programs shared. */
static const double fastest = 0.1;
/* Of a standard normal 95 of 100 stay below 1.645; the error is itself estimated, of tails that are heavier
 * (found with the same runs). */
static const double power = 2.3;
/* A turn further than so many deviations from its side's middle is not asked. With three the same runs
 * flagged up to 2 % where nothing differed, against a level of 1 %; with five as many as without. */
static const double apart = 5;
/* Of fewer turns no deviation is known well enough to leave one out. */
enum { FEWEST_TURNS = 12 };
/* A median absolute deviation of a normal, in standard deviations. */
static const double normal_mad = 1.4826;
/* Standard errors between the ends of an interval of 95 %. */
static const double interval_width = 3.92;

static double fast_quantile(const struct vt_result_series *series)
{
    double *sorted = vt_compare_sorted(series->values, series->count);
    double value = sorted ? vt_statistics_quantile(sorted, series->count, fastest) : NAN;
    free(sorted);
    return value;
}

/* What the run saw at its quickest; NaN: nothing, or nothing clear of zero. */
static double floor_of(const struct vt_result_row *row)
{
    size_t count = row->samples.count;
    if (row->status != VT_STATUS_OK || count < VT_STATISTICS_MIN)
        return NAN;
    bool paired = row->samples_body.count == count && row->samples_baseline.count == count;
    double toll = paired ? fast_quantile(&row->samples_body) - fast_quantile(&row->samples_baseline)
                         : fast_quantile(&row->samples);
    return toll > 0 ? toll : NAN;
}

/* Logarithms of what each turn saw, for each row of the first run. */
struct turns {
    double *floors[2];
    size_t rows, count;
};

static int collect_turn(const struct turns *turns, const struct vt_result *first, const struct vt_result *run,
                        int side, size_t i)
{
    struct vt_result_matcher matcher;
    if (vt_result_match_start(&matcher, run) != 0)
        return -ENOMEM;
    for (size_t r = 0; r < first->count; r++) {
        const struct vt_result_row *row = vt_result_match(&matcher, &first->rows[r]);
        turns->floors[side][r * turns->count + i] = row ? log(floor_of(row)) : NAN;
    }
    vt_result_match_end(&matcher);
    return 0;
}

static size_t keep_known(const double *values, size_t count, double *known)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            known[kept++] = values[i];
    return kept;
}

/* The middle of a side's turns, and their median distance from it. */
static double spread_of(const double *floors, size_t count, double *middle, double *work)
{
    size_t known = keep_known(floors, count, work);
    *middle = vt_statistics_median(work, known);
    for (size_t i = 0, k = 0; i < count; i++)
        if (isfinite(floors[i]))
            work[k++] = fabs(floors[i] - *middle);
    return known < FEWEST_TURNS ? NAN : vt_statistics_median(work, known);
}

/* The shifts of a row: of pairs whose turns were both like the others of their side. */
static void shift_row(const struct turns *turns, size_t r, double *shifts, double *work)
{
    const double *before = turns->floors[0] + r * turns->count, *after = turns->floors[1] + r * turns->count;
    double middle[2];
    double spread =
        spread_of(before, turns->count, &middle[0], work) + spread_of(after, turns->count, &middle[1], work);
    double most = isfinite(spread) && spread > 0 ? apart * normal_mad * spread / 2 : INFINITY;
    for (size_t i = 0; i < turns->count; i++) {
        bool alike = !(fabs(before[i] - middle[0]) > most) && !(fabs(after[i] - middle[1]) > most);
        shifts[i] = alike ? after[i] - before[i] : NAN;
    }
}

static int collect_turns(const struct turns *turns, struct vt_result *const *const sides[2])
{
    int status = 0;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < turns->count && status == 0; i++)
            status = collect_turn(turns, sides[0][0], sides[side][i], side, i);
    return status;
}

int vt_compare_collect_pairs(struct vt_compare_pairs *pairs, struct vt_result *const *before,
                             struct vt_result *const *after, size_t count)
{
    size_t rows = before[0]->count;
    struct vt_result *const *const sides[2] = {before, after};
    struct turns turns = {
        {calloc(rows * count + 1, sizeof(double)), calloc(rows * count + 1, sizeof(double))}, rows, count};
    double *work = calloc(count + 1, sizeof *work);
    *pairs = (struct vt_compare_pairs){calloc(rows * count + 1, sizeof *pairs->shifts), rows, count};
    int status =
        pairs->shifts && work && turns.floors[0] && turns.floors[1] ? collect_turns(&turns, sides) : -ENOMEM;
    for (size_t r = 0; r < rows && status == 0; r++)
        shift_row(&turns, r, pairs->shifts + r * count, work);
    free(work);
    free(turns.floors[0]);
    free(turns.floors[1]);
    if (status != 0)
        vt_compare_release_pairs(pairs);
    return status;
}

void vt_compare_release_pairs(struct vt_compare_pairs *pairs)
{
    free(pairs->shifts);
    pairs->shifts = NULL;
}

static bool is_measured(const struct vt_compared *row)
{
    return !row->counts && row->before->status == VT_STATUS_OK && row->after->status == VT_STATUS_OK;
}

static const double *shifts_of(const struct vt_comparison *c, const struct vt_compare_pairs *pairs, size_t i)
{
    return pairs->shifts + (size_t)(c->rows[i].before - c->before->rows) * pairs->count;
}

/* How many rows are tested: Holm's first step takes as many. */
static size_t count_tests(const struct vt_comparison *c, const struct vt_compare_pairs *pairs, double *work)
{
    size_t tests = 0;
    for (size_t i = 0; i < c->count; i++)
        tests += is_measured(&c->rows[i]) &&
                 keep_known(shifts_of(c, pairs, i), pairs->count, work) >= VT_STATISTICS_MIN;
    return tests ? tests : 1;
}

/* The middle's standard error. */
static double error_of(const struct vt_signed_rank *ranks)
{
    double low, high;
    vt_signed_rank_interval(ranks, 0.05, &low, &high);
    return (high - low) / interval_width;
}

/* What would be found at a level in 95 of 100, as a logarithm. */
static double reach_of(const struct vt_signed_rank *ranks, double level)
{
    double low, high, middle = vt_signed_rank_middle(ranks);
    vt_signed_rank_interval(ranks, level, &low, &high);
    return fmax(middle - low, high - middle) + power * error_of(ranks);
}

static void measure_row(const struct vt_comparison *c, struct vt_compared *row, struct vt_signed_rank *ranks,
                        size_t tests)
{
    double low, high, middle = vt_signed_rank_middle(ranks);
    vt_signed_rank_interval(ranks, 0.05, &low, &high);
    row->error = error_of(ranks);
    row->ratio = row->floor_ratio = exp(middle);
    row->low = exp(low);
    row->high = exp(high);
    row->p_runs = vt_signed_rank_p(ranks);
    row->detectable =
        expm1(fmax(reach_of(ranks, c->level / (double)tests), log1p(c->threshold) + power * row->error));
}

static int measure_rows(struct vt_comparison *c, const struct vt_compare_pairs *pairs, double *known)
{
    size_t tests = count_tests(c, pairs, known);
    for (size_t i = 0; i < c->count; i++) {
        struct vt_compared *row = &c->rows[i];
        if (!is_measured(row))
            continue;
        size_t count = keep_known(shifts_of(c, pairs, i), pairs->count, known);
        if (count < VT_STATISTICS_MIN) {
            row->unclear = row->before->toll.ci_low > 0 ? VT_UNCLEAR_DISTURBED : VT_UNCLEAR_ZERO;
            continue;
        }
        struct vt_signed_rank ranks;
        if (vt_signed_rank_start(&ranks, known, count) != 0)
            return -ENOMEM;
        measure_row(c, row, &ranks, tests);
        vt_signed_rank_end(&ranks);
    }
    return 0;
}

static int correct(struct vt_comparison *c)
{
    double *p = malloc((c->count + 1) * sizeof *p);
    if (!p)
        return -ENOMEM;
    for (size_t i = 0; i < c->count; i++)
        p[i] = c->rows[i].p_runs;
    int status = vt_compare_holm(p, c->count);
    for (size_t i = 0; i < c->count && status == 0; i++)
        c->rows[i].p_runs = p[i];
    free(p);
    return status;
}

static double median_error(const struct vt_comparison *c, double *work)
{
    size_t known = 0;
    for (size_t i = 0; i < c->count; i++)
        if (isfinite(c->rows[i].error) && isfinite(c->rows[i].p_runs))
            work[known++] = c->rows[i].error;
    return vt_statistics_median(work, known);
}

/* Rows with a figure in some pair, and those with figures in enough. */
static size_t count_rows(const struct vt_compare_pairs *pairs, double *work, size_t *tests)
{
    size_t rows = 0;
    *tests = 0;
    for (size_t r = 0; r < pairs->rows; r++) {
        size_t count = keep_known(pairs->shifts + r * pairs->count, pairs->count, work);
        rows += count > 0;
        *tests += count >= VT_STATISTICS_MIN;
    }
    return rows;
}

static double reach_of_row(const struct vt_compare_pairs *pairs, size_t r, double level, double *work)
{
    struct vt_signed_rank ranks;
    size_t count = keep_known(pairs->shifts + r * pairs->count, pairs->count, work);
    if (count < VT_STATISTICS_MIN)
        return 0;
    if (vt_signed_rank_start(&ranks, work, count) != 0)
        return NAN;
    double reach = reach_of(&ranks, level);
    vt_signed_rank_end(&ranks);
    return reach;
}

double vt_compare_pairs_reach(const struct vt_compare_pairs *pairs)
{
    size_t tests;
    double *work = calloc(pairs->count + 1, sizeof *work), most = 0;
    if (!work)
        return NAN;
    if (count_rows(pairs, work, &tests) > tests || tests == 0)
        most = INFINITY;
    for (size_t r = 0; r < pairs->rows && isfinite(most); r++) {
        double reach = reach_of_row(pairs, r, VT_COMPARE_PAIRED_LEVEL / (double)tests, work);
        most = isnan(reach) || reach > most ? reach : most;
    }
    free(work);
    return expm1(most);
}

int vt_compare_measure_pairs(struct vt_comparison *comparison, const struct vt_compare_pairs *pairs)
{
    double *work = malloc((pairs->count + comparison->count + 1) * sizeof *work);
    int status = work ? measure_rows(comparison, pairs, work) : -ENOMEM;
    if (status == 0) {
        comparison->spread = median_error(comparison, work);
        status = correct(comparison);
    }
    free(work);
    return status;
}
