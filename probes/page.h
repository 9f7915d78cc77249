/*
 * A probe document as text: the width that is filled, and the verdicts, which both
 * the screen and the whole page begin with.
 */
#ifndef VT_PROBES_PAGE_H
#define VT_PROBES_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct vt_page {
    const json_t *probe;
    FILE *stream;
    int columns;
    const char *bold, *dim, *plain;
};

struct vt_page vt_page_open(const json_t *probe, FILE *stream, bool colour, int columns);

/* A line of words up to the right edge, further ones indented (base/wrap.h). */
void vt_page_wrap(const struct vt_page *page, const char *text, int indent, int at);

/* `all`: also an answer that an earlier one contains, and what to do after each. */
void vt_page_verdicts(const struct vt_page *page, bool all);

#endif
