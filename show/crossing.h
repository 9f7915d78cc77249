/*
 * How reports show crossings: a short mark, a name for people, and what it means.
 */
#ifndef VT_SHOW_CROSSING_H
#define VT_SHOW_CROSSING_H

#include "bench/measurement.h"

#include <stddef.h>

struct vt_crossing_style {
    enum vt_crossing crossing;
    const char *name;    /* as in the document; NULL: no counter spoke */
    const char *mark;    /* one character */
    const char *title;   /* "exit to the kernel" */
    const char *meaning; /* one sentence, no full stop */
};

/* All of them, from the lightest to the heaviest; *count receives how many. */
const struct vt_crossing_style *vt_crossing_styles(size_t *count);

/* The style of that name (may be NULL); never NULL: a name from the future has the mark '*'. */
const struct vt_crossing_style *vt_crossing_style(const char *name);

#endif
