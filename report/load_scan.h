/*
 * What a parser is too slow for: lists of numbers nobody asked for, and counting
 * lines. Private to the loader.
 */
#ifndef VT_REPORT_LOAD_SCAN_H
#define VT_REPORT_LOAD_SCAN_H

#include <stddef.h>

/*
 * Bytes at `text` that are ",n,n,n", each n a whole JSON number with blanks around
 * it and another ',' or ']' behind; *count grows by their number. What follows is
 * for the parser to judge.
 */
size_t vt_load_scan_numbers(const unsigned char *text, size_t size, size_t *count);

/* Bytes up to where a list of samples may begin, its '[' included; `size`: there is none. */
size_t vt_load_scan_series(const unsigned char *text, size_t size);

/* How many newlines. */
size_t vt_load_scan_lines(const unsigned char *text, size_t size);

#endif
