#include "compare/counts.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Counts are whole instructions divided by the operations of a batch; less than this is rounding. */
static const double least = 0.005;

/* Share of a count that two runs may differ by where batches of one run differ. */
static const double inexact = 0.0002;

bool vt_compare_is_count(const struct vt_result_row *row)
{
    return row->simulated && row->unit == VT_UNIT_INSTRUCTIONS;
}

double vt_compare_lab_noise(const char *engine)
{
    return strcmp(engine, "vmx") == 0 ? inexact : 0;
}

double vt_compare_subtract(const struct vt_compared *row)
{
    if (!vt_result_has_toll(row->before) || !vt_result_has_toll(row->after))
        return NAN;
    double difference = row->after->toll.median - row->before->toll.median;
    return fabs(difference) < least ? 0 : difference;
}

double vt_compare_count_ratio(const struct vt_compared *row)
{
    double before = row->before->toll.median;
    return isfinite(row->difference) && before > 0 ? row->after->toll.median / before : NAN;
}

/*
 * A case whose own batches do not all count alike, for it waits for memory or for a ring to be full, is known
 * as far as their middle halves tell; 0 for all others.
 */
static double spread_of_batches(const struct vt_compared *row)
{
    const struct vt_summary *a = &row->before->toll, *b = &row->after->toll;
    double spread = fmax(a->p75 - a->p25, b->p75 - b->p25);
    return spread > least ? spread + inexact * fabs(a->median) : 0;
}

static bool is_within_batches(const struct vt_compared *row)
{
    const struct vt_summary *a = &row->before->toll, *b = &row->after->toll;
    double noise = inexact * fabs(a->median);
    return spread_of_batches(row) > 0 && a->p25 <= b->p75 + noise && b->p25 <= a->p75 + noise;
}

static double threshold_of(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    return isnan(comparison->count_threshold) ? vt_compare_lab_noise(row->before->engine)
                                              : comparison->count_threshold;
}

bool vt_compare_counts_exactly(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    return row->counts && isfinite(row->difference) && threshold_of(comparison, row) == 0 &&
           !(isnan(comparison->count_threshold) && spread_of_batches(row) > 0);
}

double vt_compare_count_resolution(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double before = fabs(row->before->toll.median);
    double spread = isnan(comparison->count_threshold) ? spread_of_batches(row) : 0;
    return isnan(row->difference) || !(before > 0)
               ? NAN
               : fmax(threshold_of(comparison, row), fmax(spread, least) / before);
}

void vt_compare_judge_count(const struct vt_comparison *comparison, struct vt_compared *row)
{
    double share = threshold_of(comparison, row);
    if (isnan(row->difference)) {
        row->unclear = VT_UNCLEAR_UNVERIFIED;
        row->change = VT_CHANGE_UNCLEAR;
    } else if (isnan(comparison->count_threshold) && is_within_batches(row)) {
        row->change = VT_CHANGE_NONE;
    } else if (fabs(row->difference) > share * fabs(row->before->toll.median)) {
        row->worse = row->difference > 0;
        row->change = row->worse ? VT_CHANGE_LONGER : VT_CHANGE_SHORTER;
    }
}

static const char *setting(const struct vt_result *result, const char *key)
{
    return json_string_value(json_object_get(result->settings, key));
}

static void warn_of(struct vt_comparison *comparison, const char *name, const char *before, const char *after)
{
    if (before && after && strcmp(before, after) != 0)
        vt_compare_warn(comparison, "the lab's %s was \"%.200s\" and is \"%.200s\"", name, before, after);
}

/* Most of the line is the lab's own: from the first word that differs. */
static void warn_of_command_line(struct vt_comparison *comparison, const char *before, const char *after)
{
    size_t word = 0;

    if (!before || !after)
        return;
    for (size_t i = 0; before[i] == after[i]; i++) {
        if (before[i] == '\0')
            return;
        word = before[i] == ' ' ? i + 1 : word;
    }
    const char *dots = word ? "... " : "";
    vt_compare_warn(comparison, "the lab's kernel command line was \"%s%.200s\" and is \"%s%.200s\"", dots,
                    before + word, dots, after + word);
}

static void warn_of_processors(struct vt_comparison *comparison)
{
    json_int_t before = json_integer_value(json_object_get(comparison->before->settings, "processors"));
    json_int_t after = json_integer_value(json_object_get(comparison->after->settings, "processors"));
    if (before > 0 && after > 0 && before != after)
        vt_compare_warn(comparison, "the lab's machine had %lld processors and has %lld", (long long)before,
                        (long long)after);
}

/* A kernel or a processor may change them without being asked. */
static void warn_of_parameters(struct vt_comparison *comparison)
{
    json_t *before = json_object_get(comparison->before->settings, "module_parameters");
    json_t *after = json_object_get(comparison->after->settings, "module_parameters");
    char text[400] = "";
    const char *name;
    json_t *value;

    json_object_foreach(before, name, value)
    {
        const char *was = json_string_value(value), *is = json_string_value(json_object_get(after, name));
        if (was && is && strcmp(was, is) != 0)
            vt_text_append(text, sizeof text, "%s%.40s was \"%.40s\" and is \"%.40s\"", *text ? ", " : "",
                           name, was, is);
    }
    if (*text)
        vt_compare_warn(comparison, "unlike parameters of KVM: %s", text);
}

bool vt_compare_warn_of_labs(struct vt_comparison *comparison)
{
    static const struct {
        const char *key, *name;
    } keys[] = {
        {"kernel", "kernel"},
        {"hypervisor", "hypervisor"},
        {"emulator", "emulator"},
    };
    const struct vt_result *before = comparison->before, *after = comparison->after;

    if (!setting(before, "lab") || !setting(after, "lab"))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        warn_of(comparison, keys[i].name, setting(before, keys[i].key), setting(after, keys[i].key));
    warn_of_command_line(comparison, setting(before, "kernel_command_line"),
                         setting(after, "kernel_command_line"));
    warn_of_processors(comparison);
    warn_of_parameters(comparison);
    return true;
}

static int decimals_of(double count)
{
    return fabs(count - round(count)) < least ? 0 : 2;
}

void vt_compare_print_count(double count, char *text, size_t size)
{
    snprintf(text, size, isfinite(count) ? "%.*f" : "-", decimals_of(count), count);
}

void vt_compare_print_difference(const struct vt_compared *row, char *text, size_t size)
{
    double difference = row->difference, before = row->before->toll.median,
           percent = difference / fabs(before) * 100;

    if (isnan(difference)) {
        *text = '\0';
        return;
    }
    snprintf(text, size, difference == 0 ? "0" : "%+.*f instruction%s", decimals_of(difference), difference,
             fabs(difference) == 1 ? "" : "s");
    if (difference != 0 && before != 0)
        vt_text_append(text, size, fabs(percent) < 10 ? " (%+.2g %%)" : " (%+.0f %%)", percent);
}

void vt_compare_count_basis(const struct vt_comparison *comparison, char *text, size_t size)
{
    bool noisy = false;
    for (size_t i = 0; i < comparison->count; i++)
        noisy |= comparison->rows[i].counts && vt_compare_lab_noise(comparison->rows[i].before->engine) > 0;
    if (comparison->count_threshold > 0)
        snprintf(text, size,
                 "Instructions are counted, so there is no chance in them: a change is a difference of more "
                 "than %.3g %%.",
                 comparison->count_threshold * 100);
    else
        snprintf(text, size,
                 "Instructions are counted, so there is no chance in them: a change is any difference%s%s.",
                 isnan(comparison->count_threshold)
                     ? "; of a case whose own batches differ, more than they do (--threshold 0 shows all)"
                     : "",
                 noisy && isnan(comparison->count_threshold)
                     ? "; of the lab vmx, whose runs differ by less, more than 0.02 %"
                     : "");
}
