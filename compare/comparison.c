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
