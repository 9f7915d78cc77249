#include "compare/judge.h"
#include "compare/counts.h"
#include "compare/floor.h"
#include "compare/statistics.h"
#include "show/crossing.h"

#include <math.h>
#include <string.h>

static bool is_significant(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double least = log1p(comparison->threshold), median = log(row->ratio), quiet = log(row->floor_ratio);
    if (comparison->pairs)
        return fabs(median) > least && row->p_runs < comparison->level;
    return fabs(median) > least && fabs(quiet) > least && (median > 0) == (quiet > 0) &&
           vt_compare_is_lasting(row) &&
           (row->p_runs < comparison->level || comparison->groups[row->group].changed) &&
           !(row->p_samples >= comparison->level); /* without samples the other witness stands alone */
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

/* Why a row whose ratio is known, and is not significant, is not therefore the same. */
static enum vt_unclear doubt_of(const struct vt_comparison *comparison, const struct vt_compared *row)
{
    double found = log1p(row->detectable);
    if (isnan(row->detectable)) /* its quiet pairs are not clear of zero */
        return VT_UNCLEAR_ZERO;
    if (!comparison->pairs && fabs(log(row->floor_ratio)) > found && fabs(log(row->ratio)) > found)
        return VT_UNCLEAR_CONTRADICTED;
    return row->detectable > comparison->resolution ? VT_UNCLEAR_COARSE : VT_UNCLEAR_NOT;
}

static void judge_time(const struct vt_comparison *comparison, struct vt_compared *row)
{
    if (row->unclear == VT_UNCLEAR_NOT && is_significant(comparison, row)) {
        row->worse = row->ratio > 1;
        row->with_group = comparison->groups && comparison->groups[row->group].changed &&
                          !(row->p_runs < comparison->level);
        row->change = row->worse ? VT_CHANGE_SLOWER : VT_CHANGE_FASTER;
        return;
    }
    if (row->unclear == VT_UNCLEAR_NOT)
        row->unclear = doubt_of(comparison, row);
    row->change = row->unclear ? VT_CHANGE_UNCLEAR : VT_CHANGE_NONE;
}

static void judge(const struct vt_comparison *comparison, struct vt_compared *row)
{
    const struct vt_result_row *a = row->before, *b = row->after;
    if (a->status != b->status && (is_usable(a) || is_usable(b))) {
        row->change = VT_CHANGE_STATUS;
        row->worse = is_usable(a);
    } else if (!is_usable(a)) {
        row->unclear = a->status == VT_STATUS_UNVERIFIED ? VT_UNCLEAR_UNVERIFIED : VT_UNCLEAR_NOT;
        row->change = row->unclear ? VT_CHANGE_UNCLEAR : VT_CHANGE_NONE;
    } else if (a->crossing && b->crossing && strcmp(a->crossing, b->crossing) != 0) {
        row->change = VT_CHANGE_CROSSING;
        row->worse = weight_of(b->crossing) > weight_of(a->crossing);
    } else if (row->counts) {
        vt_compare_judge_count(comparison, row);
    } else {
        judge_time(comparison, row);
    }
}

void vt_compare_judge(struct vt_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        struct vt_compared *row = &comparison->rows[i];
        judge(comparison, row);
        comparison->changes[row->change]++;
        comparison->answers[vt_compare_answer(row)]++;
        comparison->worse += row->worse;
        comparison->counts += row->counts;
    }
    comparison->judged = comparison->answers[VT_ANSWER_CHANGED] + comparison->answers[VT_ANSWER_UNCHANGED];
    comparison->measured = comparison->judged + comparison->answers[VT_ANSWER_UNCLEAR];
}
