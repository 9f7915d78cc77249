/*
 * Published figures (data/published.json, inside the program): read in the named
 * source, shown beside measured ones on request, never part of any statistics.
 */
#ifndef VT_REPORT_PUBLISHED_H
#define VT_REPORT_PUBLISHED_H

#include "report/table.h"

#include <jansson.h>
#include <stddef.h>

struct vt_published_row {
    const char *source, *cpu, *unit; /* cpu may be NULL */
    const char *operation;           /* as published */
    char figures[256];               /* "native 242, translated 2308" */
    char here[512];                  /* what the case closest to it cost here; "" when it was not measured */
};

struct vt_published {
    struct vt_published_row *rows; /* by source */
    size_t count;
    json_t *document; /* owns the texts */
};

/* The figures beside the table's. 0, or -ENOMEM; release follows in either case. */
int vt_published_load(struct vt_published *published, const struct vt_table *table);
void vt_published_release(struct vt_published *published);

#endif
