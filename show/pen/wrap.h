/*
 * Text fitted to the width of a screen.
 */
#ifndef VT_SHOW_PEN_WRAP_H
#define VT_SHOW_PEN_WRAP_H

#include <stdio.h>

/* Characters on the screen, taking each code point for one and escape sequences of colour for none. */
int vt_pen_width(const char *text);

/*
 * Print `text` broken at blanks into lines of at most `width` (0: one line), of which those behind the first
 * are indented, as the first one is already. No line is ended.
 */
void vt_pen_wrap(const char *text, int width, int indent, FILE *stream);

#endif
