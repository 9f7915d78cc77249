/* What functions account for a difference, said for every format that people read. */
#ifndef VT_COMPARE_FORMAT_FUNCTIONS_H
#define VT_COMPARE_FORMAT_FUNCTIONS_H

#include "compare/comparison.h"
#include "show/pen/pen.h"

#include <jansson.h>

/* Below each count that changed, where both sides are profiled: its functions, and their sum. */
void vt_compare_say_functions(const struct vt_comparison *comparison, struct vt_pen *pen);

/* The same of one row, all of them: a new array; NULL: a side is not profiled. */
json_t *vt_compare_functions_json(const struct vt_compared *row);

#endif
