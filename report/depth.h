/*
 * The same operation in a guest and in a guest of a guest: rows of one engine at depth 1 and at depth 2,
 * side by side.
 */
#ifndef VT_REPORT_DEPTH_H
#define VT_REPORT_DEPTH_H

#include "report/table.h"

struct vt_depths {
    const struct vt_result_row *shallow, *deep;
};

/*
 * Both tolls of a case (NULL: of none) on an engine (NULL: on the first that has them), proved, on hardware;
 * false where one of them is not there.
 */
bool vt_depth_find(const struct vt_table *table, const struct vt_line *line, const char *engine,
                   struct vt_depths *depths);

#endif
