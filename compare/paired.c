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

static int collect_pair(struct vt_compare_pairs *pairs, const struct vt_result *first,
                        const struct vt_result *before, const struct vt_result *after, size_t i)
{
    struct vt_result_matcher old, new;
    if (vt_result_match_start(&old, before) != 0)
        return -ENOMEM;
    if (vt_result_match_start(&new, after) != 0) {
        vt_result_match_end(&old);
        return -ENOMEM;
    }
    for (size_t r = 0; r < first->count; r++) {
        const struct vt_result_row *a = vt_result_match(&old, &first->rows[r]),
                                   *b = vt_result_match(&new, &first->rows[r]);
        pairs->shifts[r * pairs->count + i] = a && b ? log(floor_of(b) / floor_of(a)) : NAN;
    }
    vt_result_match_end(&old);
    vt_result_match_end(&new);
    return 0;
}

int vt_compare_collect_pairs(struct vt_compare_pairs *pairs, struct vt_result *const *before,
                             struct vt_result *const *after, size_t count)
{
    size_t rows = before[0]->count;
    *pairs = (struct vt_compare_pairs){calloc(rows * count + 1, sizeof *pairs->shifts), rows, count};
    int status = pairs->shifts ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && status == 0; i++)
        status = collect_pair(pairs, before[0], before[i], after[i], i);
    if (status != 0)
        vt_compare_release_pairs(pairs);
    return status;
}

void vt_compare_release_pairs(struct vt_compare_pairs *pairs)
{
    free(pairs->shifts);
    pairs->shifts = NULL;
}

static size_t keep_known(const double *shifts, size_t count, double *known)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(shifts[i]))
            known[kept++] = shifts[i];
    return kept;
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

static void measure_row(const struct vt_comparison *c, struct vt_compared *row, struct vt_signed_rank *ranks,
                        size_t tests)
{
    double low, high, middle = vt_signed_rank_middle(ranks);
    vt_signed_rank_interval(ranks, 0.05, &low, &high);
    row->error = (high - low) / interval_width;
    row->ratio = row->floor_ratio = exp(middle);
    row->low = exp(low);
    row->high = exp(high);
    row->p_runs = vt_signed_rank_p(ranks);
    vt_signed_rank_interval(ranks, c->level / (double)tests, &low, &high);
    double reach = fmax(middle - low, high - middle) + power * row->error;
    row->detectable = expm1(fmax(reach, log1p(c->threshold) + power * row->error));
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
