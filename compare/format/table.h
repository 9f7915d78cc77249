/*
 * The tables of a comparison: what was timed and what was counted, in every format read by people.
 */
#ifndef VT_COMPARE_FORMAT_TABLE_H
#define VT_COMPARE_FORMAT_TABLE_H

#include "compare/comparison.h"
#include "show/pen/pen.h"

/* What changed; nothing where nothing did. Rows whose median was taken on neither side are left out of all
 * tables, unless that is new. */
void vt_compare_findings(const struct vt_comparison *comparison, struct vt_pen *pen);

/* What is unchanged and what cannot be told, under headings; its times only where they are wanted. */
void vt_compare_told(const struct vt_comparison *comparison, bool times, struct vt_pen *pen);

/* The same folded away; nothing where everything changed. */
void vt_compare_rest(const struct vt_comparison *comparison, struct vt_pen *pen);

/* How many times these are. */
size_t vt_compare_count_rest(const struct vt_comparison *comparison);

#endif
