/*
 * What is said of a comparison in every format.
 */
#ifndef VT_COMPARE_FORMAT_WORDS_H
#define VT_COMPARE_FORMAT_WORDS_H

#include "compare/comparison.h"
#include "show/pen/pen.h"

/* "2 of 338 measurements changed: 1 slower, 1 crossing in another way; 321 unchanged (half of them within
 * 3.1 %, all within 9.2 %); 15 cannot tell." */
void vt_compare_headline(const struct vt_comparison *comparison, char *text, size_t size);

/* What the verdicts rest on, and what kept rows from one. */
void vt_compare_say_basis(const struct vt_comparison *comparison, struct vt_pen *pen);

/* Is there a row of which a reader must know? */
bool vt_compare_has_findings(const struct vt_comparison *comparison);

/* Did anything a reader must know happen to the row? */
bool vt_compare_is_finding(const struct vt_compared *row);

/* "kvm CPL 3" */
void vt_compare_road(const struct vt_compared *row, char *text, size_t size);

/* One sentence on what became of a row, or why that cannot be told, without a full stop. */
void vt_compare_explain(const struct vt_compared *row, char *text, size_t size);

/* "3.1 %" of 0.031. */
void vt_compare_print_share(double share, char *text, size_t size);

/* What a row's verdict rests on where all its witnesses must agree; NaN: no test was made. */
double vt_compare_p(const struct vt_comparison *comparison, const struct vt_compared *row);

#endif
