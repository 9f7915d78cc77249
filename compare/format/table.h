/*
 * The tables of a comparison: what was timed and what was counted, in every format read by people.
 */
#ifndef VT_COMPARE_FORMAT_TABLE_H
#define VT_COMPARE_FORMAT_TABLE_H

#include "compare/comparison.h"
#include "show/pen/pen.h"

/* Times of what changed, or of all else; nothing where there are none. Rows whose median was
 * taken on neither side are left out, unless that is new. */
void vt_compare_times(const struct vt_comparison *comparison, bool findings, struct vt_pen *pen);

/* The same of instruction counts. */
void vt_compare_counts(const struct vt_comparison *comparison, bool findings, struct vt_pen *pen);

/* All that did not change, folded away; nothing where everything did. */
void vt_compare_rest(const struct vt_comparison *comparison, struct vt_pen *pen);

#endif
