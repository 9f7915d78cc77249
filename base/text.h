/*
 * Texts: made of pieces in a buffer of fixed size, and cleaned when they come from outside.
 */
#ifndef VT_BASE_TEXT_H
#define VT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Print behind what `text` holds, as far as there is room. */
void vt_text_append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Equal, or both NULL? */
bool vt_text_same(const char *a, const char *b);

/*
 * Replace what a terminal would obey and what is not UTF-8, a character cut in half
 * included, by question marks, in place. text[length] must be 0.
 */
void vt_text_clean(char *text, size_t length);

#endif
