/*
 * The words of JSON (RFC 8259), and counting lines. Private to the loader.
 */
#ifndef VT_RESULT_LOAD_SCAN_H
#define VT_RESULT_LOAD_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A reader of bytes. What passes something moves `at` behind it and returns true, or returns false with `at`
 * where the bytes are wrong, which is `end` when they are too few.
 */
struct vt_scan {
    const unsigned char *at, *end;
    bool last;            /* the input ends at `end` */
    bool escaped;         /* the string passed last has escapes */
    const char *expected; /* what should have stood at `at`: "a digit" */
};

void vt_load_scan_blanks(struct vt_scan *scan);

/* A string, number, true, false or null. */
bool vt_load_scan_scalar(struct vt_scan *scan);

/* A string and the colon behind it; *quote is where the string ends. */
bool vt_load_scan_key(struct vt_scan *scan, const unsigned char **quote);

/* The byte order mark that some write in front of UTF-8 and a reader may pass over (RFC 8259, 8.1). */
bool vt_load_scan_mark(struct vt_scan *scan);

/* As much as there is of ",n,n,n", each n a number with another ',' or ']' behind; returns their number. */
size_t vt_load_scan_numbers(struct vt_scan *scan);

/* The bytes of a scanned string without its escapes, half a pair of surrogates as '?': `room` of them at most
 * are written, how many there are is returned. */
size_t vt_load_scan_decode(const unsigned char *string, size_t length, char *text, size_t room);

/* How many newlines. */
size_t vt_load_scan_lines(const unsigned char *text, size_t size);

#endif
