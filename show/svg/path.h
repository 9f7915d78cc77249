/*
 * The shortest text of a line that looks the same: tenths of a unit, each point as its distance from the one
 * before, and no points that a straight line goes through anyway.
 */
#ifndef VT_SHOW_SVG_PATH_H
#define VT_SHOW_SVG_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Where the pen stands, in tenths; a path may be written in several pieces. Starts as {0}. */
struct vt_svg_pen {
    FILE *stream;
    long x, y;
    char command; /* the one a further pair of numbers would be read as */
    bool down;    /* something was written */
};

/* The value of an attribute d of moves and lines in absolute numbers; what is something else ends it. */
void vt_svg_put_path(struct vt_svg_pen *pen, const char *points, size_t length);

/* Does it draw nothing: a path that only moves? gnuplot draws tick marks of no length so. */
bool vt_svg_is_idle(const char *points, size_t length);

#endif
