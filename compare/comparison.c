#include "compare/comparison.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

const char *vt_compare_answer_name(enum vt_answer answer)
{
    static const char *const names[VT_ANSWERS] = {
        [VT_ANSWER_CHANGED] = "changed",
        [VT_ANSWER_UNCHANGED] = "unchanged",
        [VT_ANSWER_UNCLEAR] = "unclear",
    };
    return names[answer];
}

const char *vt_compare_unclear_name(enum vt_unclear unclear)
{
    static const char *const names[VT_UNCLEARS] = {
        [VT_UNCLEAR_UNVERIFIED] = "unverified", [VT_UNCLEAR_DISTURBED] = "disturbed",
        [VT_UNCLEAR_LENGTHS] = "lengths",       [VT_UNCLEAR_ZERO] = "zero",
        [VT_UNCLEAR_PASSING] = "passing",       [VT_UNCLEAR_CONTRADICTED] = "contradicted",
        [VT_UNCLEAR_COARSE] = "coarse",
    };
    return names[unclear];
}

static bool is_measured(const struct vt_result_row *row)
{
    return row->status == VT_STATUS_OK || row->status == VT_STATUS_UNVERIFIED;
}

enum vt_answer vt_compare_answer(const struct vt_compared *row)
{
    if (!is_measured(row->before) || !is_measured(row->after) || row->change == VT_CHANGE_STATUS)
        return VT_ANSWER_NONE;
    return row->change == VT_CHANGE_UNCLEAR ? VT_ANSWER_UNCLEAR
           : row->change == VT_CHANGE_NONE  ? VT_ANSWER_UNCHANGED
                                            : VT_ANSWER_CHANGED;
}
