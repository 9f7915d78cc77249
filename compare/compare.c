#include "compare/compare.h"
#include "compare/statistics.h"
#include "base/statistics.h"
#include "compare/build.h"
#include "compare/counts.h"
#include "compare/floor.h"
#include "compare/parts.h"
#include "compare/spread.h"
#include "result/path.h"
#include "result/match.h"
#include "show/crossing.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double level = 0.05;
static const double usual_threshold = 0.02;
static const double disturbed_share = 0.25;
static const double unlike_length = 8;
static const double unlike_clock = 1e-3; /* what one clock is measured to be differs by less */
static const double shared_share = 0.2;  /* of a run's pairs */
static const double vague = 0.5;         /* a standard error beyond which a ratio says nothing */

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

/* As measured during the run, else as the host told; NaN: unknown. */
static double tsc_khz(const struct vt_result *result)
{
    const json_t *measured = json_object_get(result->settings, "tsc_khz");
    const json_t *told = vt_result_at(result->host, "timing.tsc_khz");
    return json_is_number(measured) ? json_number_value(measured)
           : json_is_number(told)   ? json_number_value(told)
                                    : NAN;
}

static void warn_of_tsc(struct vt_comparison *comparison)
{
    double a = tsc_khz(comparison->before), b = tsc_khz(comparison->after);
    if (fabs(a - b) > unlike_clock * fmax(a, b))
        vt_compare_warn(comparison,
                        "unlike clocks: the time-stamp counter ran at %.3f MHz and runs at %.3f MHz", a / 1e3,
                        b / 1e3);
}

static void warn_of_host(struct vt_comparison *comparison)
{
    static const struct {
        const char *path, *name;
    } facts[] = {
        {"cpu.brand", "processor"},
        {"kvm.backend", "KVM backend"},
        {"hypervisor.signature", "hypervisor around"},
        {"timing.governor", "frequency governor"},
        {"system.hostname", "host name"},
        {"timing.clocksource", "clock source"},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *a = vt_result_host_text(comparison->before, facts[i].path);
        const char *b = vt_result_host_text(comparison->after, facts[i].path);
        if (a && b && strcmp(a, b) != 0)
            vt_compare_warn(comparison, "unlike machines: the %s was \"%.80s\" and is \"%.80s\"",
                            facts[i].name, a, b);
    }
    if (vt_compare_warn_of_labs(comparison))
        return;
    warn_of_tsc(comparison);
    const char *a = vt_result_host_text(comparison->before, "system.kernel");
    const char *b = vt_result_host_text(comparison->after, "system.kernel");
    if (a && b && strcmp(a, b) != 0)
        vt_compare_warn(comparison, "the kernel was %.80s and is %.80s", a, b);
}

static void warn_of_rows(struct vt_comparison *comparison)
{
    if (comparison->alone_before || comparison->alone_after)
        vt_compare_warn(comparison, "%zu measurements are only in the old result and %zu only in the new one",
                        comparison->alone_before, comparison->alone_after);
    if (comparison->before->interrupted || comparison->after->interrupted)
        vt_compare_warn(comparison, "the %s run was interrupted",
                        comparison->before->interrupted ? "old" : "new");
}

static void warn_of_company(struct vt_comparison *comparison, const struct vt_result *result,
                            const char *side)
{
    double share = json_number_value(json_object_get(result->settings, "shared"));
    double throttled = json_number_value(json_object_get(result->settings, "throttled"));
    if (throttled > 0)
        vt_compare_warn(
            comparison,
            "a CPU quota (cpu.max of the control group) stopped the %s run %.0f times: only larger "
            "changes can be found",
            side, throttled);
    else if (share > shared_share)
        vt_compare_warn(
            comparison,
            "something else used the core during %.0f %% of the %s run's batches: only larger changes "
            "can be found (measure again when it is quieter)",
            100 * fmin(1, share), side);
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

/* Clear of zero, and known well enough that a ratio says something. */
static void compute_ratio(struct vt_compared *row)
{
    if (row->counts)
        row->difference = vt_compare_subtract(row);
    if (row->counts || !is_measured(row->before) || !is_measured(row->after) || is_disturbed(row->before) ||
        is_disturbed(row->after) || unlike_batches(row->before, row->after))
        return;
    double error =
        hypot(vt_compare_interval_error(&row->before->toll), vt_compare_interval_error(&row->after->toll));
    if (!(row->before->toll.ci_low > 0) || !(row->after->toll.ci_low > 0) || !(error < vague))
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

static bool is_significant(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double least = log(1 + comparison->threshold), median = log(row->ratio), quiet = log(row->floor_ratio);
    return fabs(median) > least && fabs(quiet) > least && (median > 0) == (quiet > 0) &&
           vt_compare_is_lasting(row) && (row->p_runs < level || comparison->groups[row->group].changed) &&
           !(row->p_samples >= level); /* without samples the other witness stands alone */
}

static size_t weight_of(const char *crossing)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count), *style = vt_crossing_style(crossing);
    return (size_t)(style - styles);
}

static bool is_usable(const struct vt_result_row *row)
{
    return row->status == VT_STATUS_OK;
}

static void judge(const struct vt_comparison *comparison, struct vt_compared *row)
{
    const struct vt_result_row *a = row->before, *b = row->after;
    if (a->status != b->status && (is_usable(a) || is_usable(b))) {
        row->change = VT_CHANGE_STATUS;
        row->worse = is_usable(a);
    } else if (!is_usable(a)) {
        row->change = a->status == VT_STATUS_UNVERIFIED ? VT_CHANGE_UNCLEAR : VT_CHANGE_NONE;
    } else if (a->crossing && b->crossing && strcmp(a->crossing, b->crossing) != 0) {
        row->change = VT_CHANGE_CROSSING;
        row->worse = weight_of(b->crossing) > weight_of(a->crossing);
    } else if (row->counts) {
        vt_compare_judge_count(comparison, row);
    } else if (!is_comparable(row)) {
        row->change = VT_CHANGE_UNCLEAR;
    } else if (is_significant(comparison, row)) {
        row->worse = row->ratio > 1;
        row->with_group = comparison->groups[row->group].changed && !(row->p_runs < level);
        row->change = row->worse ? VT_CHANGE_SLOWER : VT_CHANGE_FASTER;
    }
}

static void judge_all(struct vt_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        judge(comparison, &comparison->rows[i]);
        comparison->changes[comparison->rows[i].change]++;
        comparison->worse += comparison->rows[i].worse;
        comparison->counts += comparison->rows[i].counts;
        if (!is_usable(comparison->rows[i].before) || !is_usable(comparison->rows[i].after))
            continue;
        comparison->measured++;
        comparison->judged += comparison->rows[i].change != VT_CHANGE_UNCLEAR;
    }
}

static const char *name_of(const struct vt_result *result)
{
    return result->file ? result->file : "a result";
}

int vt_compare(struct vt_comparison *comparison, const struct vt_result *before,
               const struct vt_result *after, double threshold, struct vt_error *error)
{
    *comparison = (struct vt_comparison){.before = before,
                                         .after = after,
                                         .threshold = isnan(threshold) ? usual_threshold : threshold,
                                         .count_threshold = threshold};
    int status = pair_rows(comparison);
    if (status == 0 && comparison->count == 0) {
        vt_compare_release(comparison);
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                            "nothing to compare: %s and %s have no case on the same engine, at the same "
                            "level, on as many vCPUs, in the "
                            "same unit",
                            name_of(before), name_of(after));
    }
    warn_of_host(comparison);
    vt_compare_warn_of_builds(comparison);
    warn_of_rows(comparison);
    warn_of_company(comparison, before, "old");
    warn_of_company(comparison, after, "new");
    for (size_t i = 0; i < comparison->count; i++)
        compute_ratio(&comparison->rows[i]);
    status = status ? status : vt_compare_estimate_spread(comparison);
    status = status ? status : test_rows(comparison);
    if (status) {
        vt_compare_release(comparison);
        return vt_error_memory(error, "the comparison");
    }
    bound_ratios(comparison);
    judge_all(comparison);
    return 0;
}
