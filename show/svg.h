/*
 * Fits gnuplot's SVG into a page: only what is drawn is written, as short as it can be; colours become
 * the page's own, so that one picture serves light, dark and print; hover texts become <title> elements, or a
 * number of which the page's script makes one.
 */
#ifndef VT_SHOW_SVG_H
#define VT_SHOW_SVG_H

#include <stdio.h>

/* Series k is drawn in rgb(0,0,k) by the script and in var(--sK) by the page; rgb(0,1,0) is var(--grid). */
#define VT_SVG_SERIES "#0000%02zx"
#define VT_SVG_GRID   "#000100"

/* Prints the hover text with this number, escaped for HTML. */
typedef void (*vt_svg_title)(void *context, unsigned long number, FILE *stream);

/* `label` is the text alternative, escaped here. Without `title`, symbols with a hover number say it in
 * data-n. */
void vt_svg_embed(const char *picture, const char *label, const char *class, vt_svg_title title,
                  void *context, FILE *stream);

/* The point symbols all pictures share; once per page. */
void vt_svg_symbols(FILE *stream);

/* One of them as it stands in a key: of series 1 to 8, gnuplot's number of the point type. */
void vt_svg_key(size_t series, int point, FILE *stream);

#endif
