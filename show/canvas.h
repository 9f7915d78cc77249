/*
 * What a gnuplot script draws on: a picture inside the page, or a file of its own.
 * Knows the terminals and the colours; not what is drawn.
 */
#ifndef VT_SHOW_CANVAS_H
#define VT_SHOW_CANVAS_H

#include <stddef.h>
#include <stdio.h>

enum vt_medium {
    VT_MEDIUM_PAGE, /* SVG, to be fitted into a page by svg.h, which also brings the colours and the key */
    VT_MEDIUM_PDF,  /* for a paper: vectors, fonts embedded */
    VT_MEDIUM_PNG,  /* for a slide: 300 dots per inch */
};

struct vt_canvas {
    FILE *stream; /* of the script; the caller's */
    enum vt_medium medium;
    const char *name; /* of the picture, without its extension; safe inside quotes */
};

/* Room a file's own key and title take at the top, in pixels of the page; 0 in the page. */
int vt_canvas_head(const struct vt_canvas *canvas);

/* gnuplot's number for the colour of the grid; series k (from 0) has colour k + 1: `lc 3`. */
enum { VT_CANVAS_GRID = 9 };

/* Start the picture. Sizes are pixels of the page; a file is scaled so that 13 pixels are 7 points. */
void vt_canvas_open(const struct vt_canvas *canvas, int width, int height, int font);
void vt_canvas_close(const struct vt_canvas *canvas);

/* Extension of the files of a medium, without the dot. */
const char *vt_canvas_extension(enum vt_medium medium);

#endif
