/*
 * Formats of a comparison.
 */
#ifndef VT_COMPARE_FORMAT_FORMAT_H
#define VT_COMPARE_FORMAT_FORMAT_H

#include "compare/compare.h"
#include "report/format.h"

#include <stdio.h>

struct vt_compare_format {
    const char *name;
    const char *extensions[3];
    int (*print)(const struct vt_comparison *comparison, const struct vt_screen *screen, FILE *stream,
                 struct vt_error *error);
};

const struct vt_compare_format *vt_compare_find_format(const char *name); /* NULL: unknown */
const struct vt_compare_format *vt_compare_format_of(const char *path);   /* by extension; NULL: none fits */

/* "2 of 338 measurements changed: 1 slower, 1 crosses in another way." */
void vt_compare_headline(const struct vt_comparison *comparison, char *text, size_t size);

/* What the verdict rests on, in one sentence. */
void vt_compare_basis(const struct vt_comparison *comparison, char *text, size_t size);

/* Did anything a reader must know happen to the row? */
bool vt_compare_is_finding(const struct vt_compared *row);

/* "kvm CPL 3" */
void vt_compare_road(const struct vt_compared *row, char *text, size_t size);

int vt_compare_text(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_markdown(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_json(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_html(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);

#endif
