/*
 * One side of a comparison: the runs a file holds, taken as one result.
 */
#ifndef VT_COMPARE_LOAD_H
#define VT_COMPARE_LOAD_H

#include "base/error.h"
#include "compare/paired.h"
#include "result/result.h"

#include <stddef.h>

struct vt_compare_side {
    struct vt_result **runs; /* after vt_compare_join all of them pooled into the first */
    size_t count, weight;
};

/* Load `file` into an empty side, which unload follows in any case. 0 or a negative errno. */
int vt_compare_load(struct vt_compare_side *side, const char *file, struct vt_error *error);
void vt_compare_unload(struct vt_compare_side *side);

/*
 * Take the runs of each side as one result, and those that `vmtoll ab` took in turns in pairs: `pairs` has
 * none (its count is 0) where they are no such runs. 0, or a negative errno with `error`. On success
 * vt_compare_release_pairs must follow.
 */
int vt_compare_join(struct vt_compare_side sides[2], struct vt_compare_pairs *pairs, struct vt_error *error);

#endif
