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

/* Bytes of the character of UTF-8 (RFC 3629) that starts here; 0: none does. The text ends with 0. */
size_t vt_text_character(const unsigned char *text);

/*
 * Replace what a terminal would obey (C0, C1), what hides or reorders other characters
 * (zero width, bidirectional) and what is not UTF-8, a character cut in half included, by
 * a question mark per byte, in place. text[length] must be 0.
 */
void vt_text_clean(char *text, size_t length);

#endif
