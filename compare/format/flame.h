/*
 * The flame graph of a difference: both sides' chains in one, each frame as wide as on the side where it is
 * longer, coloured and told by what it grew or shrank.
 */
#ifndef VT_COMPARE_FORMAT_FLAME_H
#define VT_COMPARE_FORMAT_FLAME_H

#include "compare/comparison.h"

#include <stdio.h>

/* An SVG element; nothing where memory is out. The row has both profiles. */
void vt_compare_flame(const struct vt_compared *row, FILE *stream);

#endif
