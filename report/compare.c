#include "report/compare.h"
#include "report/compare_statistics.h"
#include "bench/statistics.h"
#include "report/compare_counts.h"
#include "report/crossing.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_LEAST = 4,                        /* members whose median says something of the group */
    FEW_SAMPLES = 3 * VT_COMPARE_STRETCHES, /* with fewer, a drift during the run does not show */
    TAIL_LEAST = 30,                        /* cases whose 95th percentile says something of the tails */
};
static const double level = 0.05;
static const double usual_threshold = 0.02;
static const double disturbed_share = 0.25;
static const double deviation = 1.4826; /* median absolute deviation to standard deviation, of a normal */
/* Found with runs of one machine under changing load: what keeps 95 of 100 pairs without a finding. */
static const double heavy_tails = 1.55;
static const double groups_apart = 32;

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* ---- pairing */

static bool same_road(const struct vt_result_row *a, const struct vt_result_row *b)
{
    return a->cpl == b->cpl && a->simulated == b->simulated && strcmp(a->unit, b->unit) == 0 &&
           strcmp(a->name, b->name) == 0 && strcmp(a->engine, b->engine) == 0 &&
           (strcmp(a->path ? a->path : "", "paravirtual") == 0) ==
               (strcmp(b->path ? b->path : "", "paravirtual") == 0);
}

/* Documents of one machine list their rows in one order: the search mostly ends where it starts. */
static const struct vt_result_row *find_row(const struct vt_result *result,
                                            const struct vt_result_row *wanted, size_t *hint)
{
    for (size_t i = 0; i < result->count; i++) {
        size_t at = (*hint + i) % result->count;
        if (same_road(&result->rows[at], wanted)) {
            *hint = at + 1;
            return &result->rows[at];
        }
    }
    return NULL;
}

static int pair_rows(struct vt_comparison *comparison)
{
    const struct vt_result *before = comparison->before, *after = comparison->after;
    size_t hint = 0;
    comparison->rows = calloc(before->count + 1, sizeof *comparison->rows);
    if (!comparison->rows)
        return -ENOMEM;
    for (size_t i = 0; i < before->count; i++) {
        const struct vt_result_row *other = find_row(after, &before->rows[i], &hint);
        if (other)
            comparison->rows[comparison->count++] = (struct vt_compared){.before = &before->rows[i],
                                                                         .after = other,
                                                                         .counts = vt_compare_is_count(other),
                                                                         .difference = NAN,
                                                                         .ratio = NAN,
                                                                         .low = NAN,
                                                                         .high = NAN};
        else
            comparison->alone_before++;
    }
    comparison->alone_after = after->count > comparison->count ? after->count - comparison->count : 0;
    return 0;
}

/* ---- warnings */

void vt_compare_warn(struct vt_comparison *comparison, const char *format, ...)
{
    size_t room = sizeof comparison->warnings / sizeof comparison->warnings[0];
    if (comparison->warning_count == room)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(comparison->warnings[comparison->warning_count++], sizeof comparison->warnings[0], format,
              arguments);
    va_end(arguments);
}

static void warn_of_host(struct vt_comparison *comparison)
{
    static const struct {
        const char *path, *name;
    } facts[] = {
        {"cpu.brand",            "processor"         },
        {"kvm.backend",          "KVM backend"       },
        {"hypervisor.signature", "hypervisor around" },
        {"timing.governor",      "frequency governor"},
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

/* ---- ratios */

static bool is_measured(const struct vt_result_row *row)
{
    return row->status == VT_STATUS_OK && vt_result_has_toll(row);
}

static bool is_comparable(const struct vt_compared *row)
{
    return isfinite(row->ratio);
}

/* Standard error of the log ratio by the samples of both sides. */
static double pair_error(const struct vt_compared *row)
{
    double a = vt_compare_median_error(row->before), b = vt_compare_median_error(row->after);
    return sqrt(a * a + b * b);
}

/* Most batches of what takes longer than a time slice are preempted: then others' work is what was measured.
 */
static bool is_disturbed(const struct vt_result_row *row)
{
    return row->marked > disturbed_share * row->batches;
}

/* Clear of zero, and known well enough that a ratio says something. */
static void compute_ratio(struct vt_compared *row)
{
    if (row->counts)
        row->difference = vt_compare_subtract(row);
    if (row->counts || !is_measured(row->before) || !is_measured(row->after) || is_disturbed(row->before) ||
        is_disturbed(row->after))
        return;
    row->error = pair_error(row);
    if (isfinite(row->error) && row->error < 0.5)
        row->ratio = row->after->toll.median / row->before->toll.median;
}

/* ---- groups */

static bool same_group(const struct vt_result_row *a, const struct vt_result_row *b)
{
    return a->cpl == b->cpl && a->simulated == b->simulated && strcmp(a->engine, b->engine) == 0 &&
           same_text(a->crossing, b->crossing);
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
        if (!is_comparable(row) || row->group != group->number ||
            !vt_compare_stretches(after ? row->after : row->before, medians))
            continue;
        for (size_t k = 0; k < VT_COMPARE_STRETCHES; k++)
            work[k * room + count] = medians[k];
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
        if (is_comparable(&comparison->rows[i]) && row->cpl == member->cpl &&
            row->simulated == member->simulated && strcmp(row->engine, member->engine) == 0)
            work[count++] = log(comparison->rows[i].ratio);
    }
    return count >= GROUP_LEAST ? vt_compare_median(work, count) : 0;
}

static void measure_group(const struct vt_comparison *comparison, struct vt_compare_group *group,
                          double *work)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (is_comparable(&comparison->rows[i]) && comparison->rows[i].group == group->number)
            work[group->count++] = log(comparison->rows[i].ratio);
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

/* ---- single cases against their group */

static double residual_of(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    return log(row->ratio) - comparison->groups[row->group].shift;
}

/*
 * The error of a single case is itself known from few stretches only; it is drawn
 * half-way to that of all cases (as moderated t statistics do, Smyth 2004), and the
 * spread between runs that errors do not explain is added.
 */
static int standardize(struct vt_comparison *comparison, double *z)
{
    size_t n = comparison->count, known = 0;
    double *residuals = malloc(2 * (n + 1) * sizeof *residuals);
    if (!residuals)
        return -ENOMEM;
    double *errors = residuals + n + 1;
    for (size_t i = 0; i < n; i++)
        if (is_comparable(&comparison->rows[i])) {
            residuals[known] = fabs(residual_of(comparison, &comparison->rows[i]));
            errors[known++] = pow(comparison->rows[i].error, 2);
        }
    double common = vt_compare_median(errors, known);
    double unexplained = fmax(pow(deviation * vt_compare_median(residuals, known), 2) - common, 0);
    known = 0;
    for (size_t i = 0; i < n; i++) {
        const struct vt_compared *row = &comparison->rows[i];
        z[i] = NAN;
        if (!is_comparable(row))
            continue;
        double error = sqrt(unexplained + (pow(row->error, 2) + common) / 2),
               residual = residual_of(comparison, row);
        z[i] = error > 0 ? residual / error : residual == 0 ? 0 : copysign(INFINITY, residual);
        residuals[known++] = fabs(z[i]);
    }
    /* Runs differ in more ways than a normal distribution knows: its tails are stretched to those seen. */
    double stretch = heavy_tails;
    if (known >= TAIL_LEAST) {
        vt_compare_median(residuals, known);
        stretch *= fmax(1, vt_statistics_quantile(residuals, known, 0.95) / 1.96);
    }
    for (size_t i = 0; i < n; i++)
        z[i] /= stretch;
    comparison->spread = stretch * sqrt(unexplained + common);
    comparison->unexplained = stretch * sqrt(unexplained);
    free(residuals);
    return 0;
}

static int test_rows(struct vt_comparison *comparison)
{
    double *p = malloc(2 * (comparison->count + 1) * sizeof *p);
    if (!p)
        return -ENOMEM;
    double *q = p + comparison->count + 1;
    int status = standardize(comparison, q);
    for (size_t i = 0; i < comparison->count && status == 0; i++) {
        const struct vt_compared *row = &comparison->rows[i];
        p[i] =
            is_comparable(row) ? vt_compare_mann_whitney(&row->before->samples, &row->after->samples) : NAN;
        q[i] = vt_compare_normal_p(q[i]);
    }
    status = status ? status : vt_compare_holm(p, comparison->count);
    status = status ? status : vt_compare_holm(q, comparison->count);
    for (size_t i = 0; i < comparison->count && status == 0; i++) {
        comparison->rows[i].p_samples = p[i];
        comparison->rows[i].p_runs = q[i];
    }
    free(p);
    return status;
}

static int estimate(struct vt_comparison *comparison)
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
    }
    int status = work && comparison->groups ? test_rows(comparison) : -ENOMEM;
    free(work);
    return status;
}

/* ---- verdicts */

static void bound_ratios(struct vt_comparison *comparison)
{
    struct vt_random random = {.state = UINT64_C(0x9E3779B97F4A7C15)};
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        if (is_comparable(row))
            vt_compare_bootstrap(row->before, row->after, comparison->unexplained, &random, &row->low,
                                 &row->high);
    }
}

static bool is_significant(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    return fabs(log(row->ratio)) > log(1 + comparison->threshold) &&
           (row->p_runs < level || comparison->groups[row->group].changed) &&
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
        return vt_error_set(
            error, VT_EXIT_USAGE, EINVAL,
            "nothing to compare: %s and %s have no case on the same engine, at the same level, in the "
            "same unit",
            name_of(before), name_of(after));
    }
    warn_of_host(comparison);
    warn_of_rows(comparison);
    for (size_t i = 0; i < comparison->count; i++)
        compute_ratio(&comparison->rows[i]);
    status = status ? status : estimate(comparison);
    if (status) {
        vt_compare_release(comparison);
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the comparison");
    }
    bound_ratios(comparison);
    judge_all(comparison);
    return 0;
}

void vt_compare_release(struct vt_comparison *comparison)
{
    free(comparison->rows);
    free(comparison->groups);
    comparison->rows = NULL;
    comparison->groups = NULL;
    comparison->count = 0;
}

const char *vt_compare_change_name(enum vt_change change)
{
    static const char *const names[VT_CHANGES] = {
        [VT_CHANGE_NONE] = "same",     [VT_CHANGE_SLOWER] = "slower",   [VT_CHANGE_FASTER] = "faster",
        [VT_CHANGE_LONGER] = "longer", [VT_CHANGE_SHORTER] = "shorter", [VT_CHANGE_CROSSING] = "crossing",
        [VT_CHANGE_STATUS] = "status", [VT_CHANGE_UNCLEAR] = "unclear",
    };
    return names[change];
}

static bool exits(const char *crossing)
{
    return strncmp(crossing, "exit-", 5) == 0;
}

void vt_compare_explain(const struct vt_compared *row, char *text, size_t size)
{
    const struct vt_result_row *a = row->before, *b = row->after;
    if (row->change == VT_CHANGE_STATUS) {
        snprintf(text, size, "was %s, is %s%s%.150s", vt_status_name(a->status), vt_status_name(b->status),
                 row->worse && b->reason ? ": " : "", row->worse && b->reason ? b->reason : "");
    } else if (row->change == VT_CHANGE_CROSSING) {
        const char *tale = exits(b->crossing) && !exits(a->crossing)   ? "this instruction exits now: "
                           : exits(a->crossing) && !exits(b->crossing) ? "this instruction no longer exits: "
                                                                       : "it crosses in another way: ";
        snprintf(text, size, "%s%s before, %s now", tale, vt_crossing_style(a->crossing)->title,
                 vt_crossing_style(b->crossing)->title);
    } else if (row->change == VT_CHANGE_LONGER || row->change == VT_CHANGE_SHORTER) {
        vt_compare_print_difference(row, text, size);
    } else {
        snprintf(text, size, "%s%s", vt_compare_change_name(row->change),
                 row->with_group ? ", with its group" : "");
    }
}
