/*
 * One side of a comparison: the runs a file holds, taken as one result.
 */
#ifndef VT_COMPARE_LOAD_H
#define VT_COMPARE_LOAD_H

#include "base/error.h"
#include "result/result.h"

#include <stddef.h>

struct vt_compare_side {
    struct vt_result **runs; /* all of them pooled into the first */
    size_t count, weight;
};

/* Load `file` into an empty side, which unload follows in any case. 0 or a negative errno. */
int vt_compare_load(struct vt_compare_side *side, const char *file, struct vt_error *error);
void vt_compare_unload(struct vt_compare_side *side);

#endif
