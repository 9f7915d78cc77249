#include "compare/format/words.h"
#include "base/text.h"
#include "compare/counts.h"
#include "show/crossing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool exits(const char *crossing)
{
    return strncmp(crossing, "exit-", 5) == 0;
}

/* What kept a row from an answer. */
static const char *const reasons[VT_UNCLEARS] = {
    [VT_UNCLEAR_NOT] = "",
    [VT_UNCLEAR_UNVERIFIED] = "unverified: its crossing is not proved",
    [VT_UNCLEAR_DISTURBED] = "disturbed by other work",
    [VT_UNCLEAR_LENGTHS] = "batches of unlike lengths",
    [VT_UNCLEAR_ZERO] = "too close to zero for a ratio",
    [VT_UNCLEAR_PASSING] = "a part of a run was disturbed: what moved may have passed",
    [VT_UNCLEAR_CONTRADICTED] = "it moved, and the witnesses do not agree",
    [VT_UNCLEAR_COARSE] = "too noisy: only larger changes could have been found",
};

bool vt_compare_is_finding(const struct vt_compared *row)
{
    return row->change != VT_CHANGE_NONE && row->change != VT_CHANGE_UNCLEAR;
}

/* All cores draw random numbers from one generator: others' use of it lasts, and nothing here shows it. */
static bool is_shared(const struct vt_compared *row)
{
    return vt_compare_is_finding(row) && row->before->known.class == VT_CLASS_RANDOM;
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
    } else if (row->change == VT_CHANGE_UNCLEAR) {
        snprintf(text, size, "cannot tell: %s", reasons[row->unclear]);
    } else {
        snprintf(text, size, "%s%s%s", vt_compare_change_name(row->change),
                 row->with_group ? ", with its group" : "",
                 is_shared(row) ? "; its generator is shared with all cores" : "");
    }
}

static void append_kinds(const struct vt_comparison *c, char *text, size_t size)
{
    static const struct {
        enum vt_change change;
        const char *words;
    } kinds[] = {
        {VT_CHANGE_SLOWER, "slower"},
        {VT_CHANGE_FASTER, "faster"},
        {VT_CHANGE_LONGER, "longer"},
        {VT_CHANGE_SHORTER, "shorter"},
        {VT_CHANGE_CROSSING, "crossing in another way"},
    };
    const char *separator = ": ";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (c->changes[kinds[i].change]) {
            vt_text_append(text, size, "%s%zu %s", separator, c->changes[kinds[i].change], kinds[i].words);
            separator = ", ";
        }
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void vt_compare_print_share(double share, char *text, size_t size)
{
    double percent = share * 100;
    snprintf(text, size, percent < 0.095 ? "%.2g %%" : percent < 19.95 ? "%.1f %%" : "%.0f %%", percent);
}

/* Within what the unchanged times are so: half of them and all. Counts need no such words. */
static void append_within(const struct vt_comparison *c, char *text, size_t size)
{
    double *within = malloc((c->count + 1) * sizeof *within);
    size_t count = 0;
    for (size_t i = 0; i < c->count && within; i++)
        if (!c->rows[i].counts && vt_compare_answer(&c->rows[i]) == VT_ANSWER_UNCHANGED)
            within[count++] = c->rows[i].detectable;
    if (count) {
        char half[16], all[16];
        qsort(within, count, sizeof *within, compare_numbers);
        vt_compare_print_share(within[count / 2], half, sizeof half);
        vt_compare_print_share(within[count - 1], all, sizeof all);
        vt_text_append(text, size,
                       strcmp(half, all) ? " (half of them within %s, all within %s)" : " (within %s)", half,
                       all);
    }
    free(within);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* What stands first is what most of it is, unless something changed: that comes before all. */
static void append_answers(const struct vt_comparison *c, char *text, size_t size)
{
    size_t changed = c->answers[VT_ANSWER_CHANGED], same = c->answers[VT_ANSWER_UNCHANGED],
           unclear = c->answers[VT_ANSWER_UNCLEAR];
    if (changed) {
        vt_text_append(text, size, "%zu of %zu measurement%s changed", changed, c->measured,
                       plural(c->measured));
        append_kinds(c, text, size);
        vt_text_append(text, size, "; %zu unchanged", same);
    } else if (unclear > same) {
        vt_text_append(text, size, "Cannot tell in %zu of %zu measurement%s; 0 changed, %zu unchanged",
                       unclear, c->measured, plural(c->measured), same);
    } else {
        vt_text_append(text, size, "Nothing changed%s: %zu of %zu measurement%s unchanged",
                       c->counts == c->count ? "" : " beyond chance", same, c->measured, plural(c->measured));
    }
    append_within(c, text, size);
    if (changed || unclear <= same)
        vt_text_append(text, size, "; %zu cannot tell", unclear);
}

void vt_compare_headline(const struct vt_comparison *c, char *text, size_t size)
{
    *text = '\0';
    if (c->measured == 0)
        vt_text_append(text, size, "Nothing could be compared: no measurement was made on both sides");
    else
        append_answers(c, text, size);
    if (c->changes[VT_CHANGE_STATUS])
        vt_text_append(text, size, "; %zu measured on one side only", c->changes[VT_CHANGE_STATUS]);
    vt_text_append(text, size, ".");
}

static void print_paired_basis(const struct vt_comparison *c, char *text, size_t size)
{
    snprintf(
        text, size,
        "Both settings were measured in %zu pairs of turns, in random order. A change shows within the pairs "
        "(Wilcoxon's signed ranks, corrected for the number of cases: Holm, %.2g %%)",
        c->pairs, c->level * 100);
    if (c->threshold > 0)
        vt_text_append(text, size, " and is at least %.3g %%", c->threshold * 100);
    vt_text_append(
        text, size,
        ". Detectable is the smallest change of a row that is found so in 95 of 100; where that is "
        "more than %.3g %%, or nothing can be compared, the row cannot tell.",
        c->resolution * 100);
}

static void print_basis(const struct vt_comparison *c, char *text, size_t size)
{
    if (c->counts == c->count) {
        vt_compare_count_basis(c, text, size);
        return;
    }
    if (c->pairs) {
        print_paired_basis(c, text, size);
        return;
    }
    snprintf(
        text, size,
        "A change is at least %.3g %%, shows in the samples (Mann-Whitney) and exceeds the %.2g %% by "
        "which like "
        "cases differ between these two runs; both tests are corrected for the number of cases (Holm, 5 "
        "%%). Detectable is the smallest change of a row that is found so in 95 of 100; where that is more "
        "than %.3g %%, or nothing can be compared, the row cannot tell.",
        c->threshold * 100, c->spread * 100, c->resolution * 100);
}

/* Which reasons keep how many rows from an answer. */
static void print_reasons(const struct vt_comparison *c, char *text, size_t size)
{
    size_t counts[VT_UNCLEARS] = {0};
    const char *separator = "Cannot tell: ";
    *text = '\0';
    for (size_t i = 0; i < c->count; i++)
        counts[c->rows[i].change == VT_CHANGE_UNCLEAR ? c->rows[i].unclear : VT_UNCLEAR_NOT]++;
    for (int i = VT_UNCLEAR_NOT + 1; i < VT_UNCLEARS; i++)
        if (counts[i]) {
            vt_text_append(text, size, "%s%zu %s", separator, counts[i], reasons[i]);
            separator = "; ";
        }
}

void vt_compare_say_basis(const struct vt_comparison *c, struct vt_pen *pen)
{
    char text[1024];
    print_basis(c, text, sizeof text);
    vt_pen_paragraph(pen, "%s", text);
    print_reasons(c, text, sizeof text);
    if (*text)
        vt_pen_paragraph(pen, "%s.", text);
}

bool vt_compare_has_findings(const struct vt_comparison *c)
{
    return c->count > c->changes[VT_CHANGE_NONE] + c->changes[VT_CHANGE_UNCLEAR];
}

void vt_compare_road(const struct vt_compared *row, char *text, size_t size)
{
    snprintf(text, size, row->before->cpl < 0 ? "%.40s" : "%.40s CPL %d", row->before->engine,
             row->before->cpl);
    if (vt_result_vcpus(row->before) > 1)
        vt_text_append(text, size, ", %d vCPUs", vt_result_vcpus(row->before));
    if (vt_result_depth(row->before) > 1)
        vt_text_append(text, size, ", depth %d", vt_result_depth(row->before));
}

double vt_compare_p(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double p = row->with_group ? comparison->groups[row->group].p : row->p_runs;
    return isnan(row->p_samples) ? p : fmax(p, row->p_samples);
}
