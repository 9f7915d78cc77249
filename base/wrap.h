/*
 * Text fitted to the width of a screen.
 */
#ifndef VT_BASE_WRAP_H
#define VT_BASE_WRAP_H

#include <stdio.h>

/* Characters on the screen, taking each code point for one and escape sequences of colour for none. */
int vt_wrap_width(const char *text);

/*
 * Print `text` broken at blanks into lines of at most `width` (0: one line), of which those behind the first
 * are indented. `at`: where the first one begins. No line is ended.
 */
void vt_wrap(const char *text, int width, int indent, int at, FILE *stream);

#endif
