/*
 * What a parser is too slow for: what nobody asked for, and counting lines. Private
 * to the loader.
 */
#ifndef VT_RESULT_LOAD_SCAN_H
#define VT_RESULT_LOAD_SCAN_H

#include <stddef.h>

/*
 * Bytes at `text` that are ",n,n,n", each n a whole JSON number with blanks around
 * it and another ',' or ']' behind; *count grows by their number. What follows is
 * for the parser to judge.
 */
size_t vt_load_scan_numbers(const unsigned char *text, size_t size, size_t *count);

/* Bytes up to the next '{' or '[', that included; `size`: there is none. */
size_t vt_load_scan_bracket(const unsigned char *text, size_t size);

/*
 * Bytes of the container whose bracket is before `text`, up to the one that closes it;
 * 0: it is empty, is not JSON, has no end here, or is nested deeper than `levels`
 * (itself included, at most 63). What is not JSON is for the parser to judge.
 */
size_t vt_load_scan_container(const unsigned char *text, size_t size, size_t levels);

/* How many newlines. */
size_t vt_load_scan_lines(const unsigned char *text, size_t size);

#endif
