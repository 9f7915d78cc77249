#include "compare/compare.h"
#include "compare/statistics.h"
#include "base/statistics.h"
#include "compare/counts.h"
#include "compare/floor.h"
#include "compare/judge.h"
#include "compare/parts.h"
#include "compare/resolution.h"
#include "compare/spread.h"
#include "compare/warnings.h"
#include "result/match.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double usual_level = 0.05; /* of both tests of a row, corrected */
static const double usual_threshold = 0.02;
static const double usual_margin = 0.08; /* of the resolution, beyond the threshold */
static const double disturbed_share = 0.25;
static const double unlike_length = 8;
static const double vague = 0.5; /* a standard error beyond which a ratio says nothing */

static int pair_rows(struct vt_comparison *comparison)
{
    const struct vt_result *before = comparison->before, *after = comparison->after;
    struct vt_result_matcher matcher;
    comparison->rows = calloc(before->count + 1, sizeof *comparison->rows);
    if (!comparison->rows || vt_result_match_start(&matcher, after) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < before->count; i++) {
        const struct vt_result_row *other = vt_result_match(&matcher, &before->rows[i]);
        if (other)
            comparison->rows[comparison->count++] = (struct vt_compared){.before = &before->rows[i],
                                                                         .after = other,
                                                                         .counts = vt_compare_is_count(other),
                                                                         .difference = NAN,
                                                                         .detectable = NAN,
                                                                         .ratio = NAN,
                                                                         .floor_ratio = NAN,
                                                                         .p_samples = NAN,
                                                                         .p_runs = NAN,
                                                                         .low = NAN,
                                                                         .high = NAN};
        else
            comparison->alone_before++;
    }
    vt_result_match_end(&matcher);
    comparison->alone_after = after->count > comparison->count ? after->count - comparison->count : 0;
    return 0;
}

static bool is_measured(const struct vt_result_row *row)
{
    return row->status == VT_STATUS_OK && vt_result_has_toll(row);
}

static bool is_comparable(const struct vt_compared *row)
{
    return isfinite(row->ratio);
}

/*
 * Most batches of what takes longer than a time slice are preempted, and on a core that is shared there may
 * be no quiet pair: then others' work is what was measured.
 */
static bool is_disturbed(const struct vt_result_row *row)
{
    return row->marked > disturbed_share * row->batches ||
           (row->samples.count >= VT_STATISTICS_MIN && vt_compare_quiet_pairs(row) < VT_STATISTICS_MIN);
}

/* What the first operations of a batch cost weighs more in a short batch. */
static bool unlike_batches(const struct vt_result_row *a, const struct vt_result_row *b)
{
    return a->iterations > unlike_length * b->iterations || b->iterations > unlike_length * a->iterations;
}

static double interval_error(const struct vt_compared *row)
{
    return hypot(vt_compare_interval_error(&row->before->toll), vt_compare_interval_error(&row->after->toll));
}

/* What keeps two measured times from having a ratio: it must be clear of zero, and known well enough to say
 * something. */
static enum vt_unclear why_no_ratio(const struct vt_compared *row)
{
    if (is_disturbed(row->before) || is_disturbed(row->after))
        return VT_UNCLEAR_DISTURBED;
    if (unlike_batches(row->before, row->after))
        return VT_UNCLEAR_LENGTHS;
    bool clear = row->before->toll.ci_low > 0 && row->after->toll.ci_low > 0 && interval_error(row) < vague;
    return clear ? VT_UNCLEAR_NOT : VT_UNCLEAR_ZERO;
}

static void compute_ratio(struct vt_compared *row)
{
    if (row->counts)
        row->difference = vt_compare_subtract(row);
    if (row->counts || !is_measured(row->before) || !is_measured(row->after) ||
        (row->unclear = why_no_ratio(row)))
        return;
    row->ratio = row->after->toll.median / row->before->toll.median;
    vt_compare_measure_floor(row);
}

static int test_rows(struct vt_comparison *comparison)
{
    double *samples = malloc(2 * (comparison->count + 1) * sizeof *samples);
    if (!samples)
        return -ENOMEM;
    double *runs = samples + comparison->count + 1;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct vt_compared *row = &comparison->rows[i];
        samples[i] =
            is_comparable(row) ? vt_compare_mann_whitney(&row->before->samples, &row->after->samples) : NAN;
        runs[i] = row->p_runs;
    }
    int status = vt_compare_holm(samples, comparison->count);
    status = status ? status : vt_compare_holm(runs, comparison->count);
    for (size_t i = 0; i < comparison->count && status == 0; i++) {
        comparison->rows[i].p_samples = samples[i];
        comparison->rows[i].p_runs = runs[i];
    }
    free(samples);
    return status;
}

static void bound_ratios(struct vt_comparison *comparison)
{
    struct vt_random random = {.state = UINT64_C(0x9E3779B97F4A7C15)};
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        if (is_comparable(row))
            vt_compare_bootstrap(row->before, row->after, row->error, &random, &row->low, &row->high);
    }
}

static const char *name_of(const struct vt_result *result)
{
    return result->file ? result->file : "a result";
}

static struct vt_comparison begin(const struct vt_result *before, const struct vt_result *after,
                                  const struct vt_compare_limits *limits)
{
    double usual = limits->pairs ? 0 : usual_threshold;
    double threshold = isnan(limits->threshold) ? usual : limits->threshold;
    double resolution = isnan(limits->resolution) ? threshold + usual_margin : limits->resolution;
    return (struct vt_comparison){.before = before,
                                  .after = after,
                                  .threshold = threshold,
                                  .count_threshold = limits->threshold,
                                  .resolution = resolution,
                                  .level = limits->pairs ? VT_COMPARE_PAIRED_LEVEL : usual_level,
                                  .pairs = limits->pairs ? limits->pairs->count : 0};
}

static int measure_wholes(struct vt_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++)
        compute_ratio(&comparison->rows[i]);
    int status = vt_compare_estimate_spread(comparison);
    status = status ? status : test_rows(comparison);
    if (status)
        return status;
    bound_ratios(comparison);
    vt_compare_measure_resolution(comparison);
    return 0;
}

int vt_compare(struct vt_comparison *comparison, const struct vt_result *before,
               const struct vt_result *after, const struct vt_compare_limits *limits, struct vt_error *error)
{
    *comparison = begin(before, after, limits);
    int status = pair_rows(comparison);
    if (status == 0 && comparison->count == 0) {
        vt_compare_release(comparison);
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                            "nothing to compare: %s and %s have no case on the same engine, at the same "
                            "level and depth, on as many vCPUs, in the same unit",
                            name_of(before), name_of(after));
    }
    vt_compare_add_warnings(comparison);
    if (status == 0)
        status =
            limits->pairs ? vt_compare_measure_pairs(comparison, limits->pairs) : measure_wholes(comparison);
    if (status) {
        vt_compare_release(comparison);
        return vt_error_memory(error, "the comparison");
    }
    vt_compare_judge(comparison);
    return 0;
}
