/*
 * Markup with text in it: whatever comes as an argument is text, and is escaped.
 */
#ifndef VT_SHOW_PEN_MARKUP_H
#define VT_SHOW_PEN_MARKUP_H

#include <stdarg.h>
#include <stdio.h>

/*
 * Like fprintf, but `format` is HTML and every %s in it is text: it is escaped, and NULL is nothing. So no
 * markup can come from outside. Knows %s, %c, %%, and the integer and floating conversions with flags, width,
 * precision (also as an argument), and h, l, ll and z; no other may be used.
 */
void vt_markup(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
