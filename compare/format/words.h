/*
 * What is said of a comparison in every format.
 */
#ifndef VT_COMPARE_FORMAT_WORDS_H
#define VT_COMPARE_FORMAT_WORDS_H

#include "compare/comparison.h"

/* "2 of 338 measurements changed: 1 slower, 1 crosses in another way." */
void vt_compare_headline(const struct vt_comparison *comparison, char *text, size_t size);

/* What the verdict rests on, in one sentence. */
void vt_compare_basis(const struct vt_comparison *comparison, char *text, size_t size);

/* Did anything a reader must know happen to the row? */
bool vt_compare_is_finding(const struct vt_compared *row);

/* "kvm CPL 3" */
void vt_compare_road(const struct vt_compared *row, char *text, size_t size);

/* One sentence on a row whose crossing or status changed, without a full stop. */
void vt_compare_explain(const struct vt_compared *row, char *text, size_t size);

#endif
