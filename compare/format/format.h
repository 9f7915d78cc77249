/*
 * Formats of a comparison.
 */
#ifndef VT_COMPARE_FORMAT_FORMAT_H
#define VT_COMPARE_FORMAT_FORMAT_H

#include "base/error.h"
#include "compare/comparison.h"
#include "show/screen.h"

#include <stdio.h>

struct vt_compare_format {
    const char *name;
    const char *extensions[3];
    int (*print)(const struct vt_comparison *comparison, const struct vt_screen *screen, FILE *stream,
                 struct vt_error *error);
};

const struct vt_compare_format *vt_compare_find_format(const char *name); /* NULL: unknown */
const struct vt_compare_format *vt_compare_format_of(const char *path);   /* by extension; NULL: none fits */

int vt_compare_text(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_markdown(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_json(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_html(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);

#endif
