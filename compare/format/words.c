#include "compare/format/words.h"
#include "base/text.h"
#include "compare/counts.h"
#include "show/crossing.h"

#include <stdio.h>
#include <string.h>

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

bool vt_compare_is_finding(const struct vt_compared *row)
{
    return row->change != VT_CHANGE_NONE && row->change != VT_CHANGE_UNCLEAR;
}

/* Of what was measured on both sides. */
static size_t count_changed(const struct vt_comparison *c)
{
    return c->count - c->changes[VT_CHANGE_NONE] - c->changes[VT_CHANGE_UNCLEAR] -
           c->changes[VT_CHANGE_STATUS];
}

static const char *why_nothing(const struct vt_comparison *c)
{
    return c->measured
               ? "what was measured on both sides is disturbed by other work, or too close to zero for "
                 "a ratio"
               : "no measurement was made on both sides";
}

void vt_compare_headline(const struct vt_comparison *c, char *text, size_t size)
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
    size_t changed = count_changed(c);
    const char *separator = ": ";
    *text = '\0';
    if (c->judged == 0)
        vt_text_append(text, size, "Nothing could be compared: %s", why_nothing(c));
    else if (changed == 0)
        vt_text_append(text, size, "Nothing changed%s, in %zu measurement%s",
                       c->counts == c->count ? "" : " beyond chance", c->judged, c->judged == 1 ? "" : "s");
    else
        vt_text_append(text, size, "%zu of %zu measurement%s changed", changed, c->judged,
                       c->judged == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (c->changes[kinds[i].change]) {
            vt_text_append(text, size, "%s%zu %s", separator, c->changes[kinds[i].change], kinds[i].words);
            separator = ", ";
        }
    if (c->judged && c->measured > c->judged)
        vt_text_append(text, size, "; %zu unclear", c->measured - c->judged);
    if (c->changes[VT_CHANGE_STATUS])
        vt_text_append(text, size, "; %zu measured on one side only", c->changes[VT_CHANGE_STATUS]);
    vt_text_append(text, size, ".");
}

void vt_compare_basis(const struct vt_comparison *c, char *text, size_t size)
{
    if (c->counts == c->count) {
        vt_compare_count_basis(c, text, size);
        return;
    }
    snprintf(text, size,
             "A change is at least %.3g %%, shows in the samples (Mann-Whitney) and exceeds the %.2g %% by "
             "which like "
             "cases differ between these two runs; both tests are corrected for the number of cases (Holm, 5 "
             "%%).%s",
             c->threshold * 100, c->spread * 100,
             c->changes[VT_CHANGE_UNCLEAR] ? " Left out as unclear: what is unverified, disturbed by other "
                                             "work, or too close to zero for a ratio."
                                           : "");
}

void vt_compare_road(const struct vt_compared *row, char *text, size_t size)
{
    snprintf(text, size, row->before->cpl < 0 ? "%.40s" : "%.40s CPL %d", row->before->engine,
             row->before->cpl);
    if (vt_result_vcpus(row->before) > 1)
        vt_text_append(text, size, ", %d vCPUs", vt_result_vcpus(row->before));
}
