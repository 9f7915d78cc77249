/*
 * The part of each format that shows rows which count instructions: the difference of
 * every case, findings first. Prints nothing where there are none.
 */
#ifndef VT_COMPARE_FORMAT_COUNTS_H
#define VT_COMPARE_FORMAT_COUNTS_H

#include "compare/counts.h"
#include "show/screen.h"

#include <stdbool.h>
#include <stdio.h>

void vt_compare_counts_text(const struct vt_comparison *comparison, const struct vt_screen *screen,
                            FILE *stream);

/* A table of the findings, or of all others. */
void vt_compare_counts_markdown(const struct vt_comparison *comparison, bool findings, FILE *stream);
void vt_compare_counts_html(const struct vt_comparison *comparison, bool findings, FILE *stream);

#endif
