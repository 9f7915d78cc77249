/*
 * Published figures (data/published.json, inside the program): read in the named
 * source, shown on request beside what was measured alike, never part of any statistics.
 *
 * Like stands beside like: the same operation on the same kind of road, crossing in the same way. Times are
 * shown in the source's unit: TSC cycles where the measured clock's rate is known.
 */
#ifndef VT_REPORT_PUBLISHED_H
#define VT_REPORT_PUBLISHED_H

#include "report/table.h"

#include <jansson.h>
#include <stddef.h>

/* One figure, or the two sides of one change. */
struct vt_published_row {
    const char *source, *cpu; /* NULL: not stated */
    bool quoted;              /* not read in the source itself */
    const char *operation;    /* as published */
    char road[48];            /* "hardware nested" */
    char figure[48];          /* "1313 -> 1291 cycles" */
    char here[512];           /* "kvm CPL 0 1990 cycles"; "" when nothing like it was measured */
};

struct vt_published {
    struct vt_published_row *rows; /* by source */
    size_t count;
    json_t *document; /* owns the texts */
};

/* The figures beside the table's. 0, or -ENOMEM; release follows in either case. */
int vt_published_load(struct vt_published *published, const struct vt_table *table);
void vt_published_release(struct vt_published *published);

/* What is published, as data: the caller's. NULL: out of memory. */
json_t *vt_published_document(void);

/* One of its sources; the document's. NULL: none of that id. */
const json_t *vt_published_source(const json_t *document, const char *id);

#endif
