/*
 * What a crossing is made of: the way there and back, what is done there, and
 * where a process has to answer, the way on to it.
 *
 * Owns: which rows of a table tell a part, and the arithmetic. An engine may have
 * measured parts itself (the row's own breakdown); otherwise a part is the
 * difference of two rows of the same column, and its note names them. What no row
 * tells stays unknown, with the reason.
 */
#ifndef VT_REPORT_BREAKDOWN_H
#define VT_REPORT_BREAKDOWN_H

#include "report/table.h"

/* "the bare crossing": what a part is, to stand after an amount. */
const char *vt_breakdown_title(enum vt_part part);

/* "bare crossing": a name for the head of a column. */
const char *vt_breakdown_name(enum vt_part part);

/* One part of one crossing. */
struct vt_share {
    bool asked;       /* the part belongs to this crossing */
    bool common;      /* the source is that of every crossing of the column */
    double median;    /* in the column's unit; NaN: not measured */
    double half;      /* half the width of its 95 % interval; NaN: unknown */
    char source[240]; /* the rows it was computed from, or why it was not measured */
};

struct vt_crossing_parts {
    size_t line, column; /* of the table: the crossing that is taken apart */
    struct vt_share shares[VT_PARTS];
};

enum { VT_BREAKDOWN_MOST = 64 };

struct vt_breakdown {
    struct vt_crossing_parts list[VT_BREAKDOWN_MOST]; /* by column */
    size_t count;
};

/* Take apart the crossings everybody asks about, on each column that has them. */
void vt_breakdown_collect(struct vt_breakdown *breakdown, const struct vt_table *table);

/* Said instead, where nothing could be taken apart. */
const char *vt_breakdown_absence(void);

#endif
