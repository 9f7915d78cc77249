/*
 * Formats of a comparison.
 */
#ifndef VT_COMPARE_FORMAT_FORMAT_H
#define VT_COMPARE_FORMAT_FORMAT_H

#include "base/error.h"
#include "compare/comparison.h"
#include "show/format.h"
#include "show/screen.h"

#include <stdio.h>

bool vt_compare_has_format(enum vt_format format);

/* 0, or a negative errno with `error`. A failed write need not be noticed: the caller checks the stream. */
int vt_compare_print(enum vt_format format, const struct vt_comparison *comparison,
                     const struct vt_screen *screen, FILE *stream, struct vt_error *error);

int vt_compare_json(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_html(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);
int vt_compare_commit(const struct vt_comparison *, const struct vt_screen *, FILE *, struct vt_error *);

#endif
