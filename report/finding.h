/*
 * What the numbers say, in sentences: the answer to "what does a crossing cost
 * here?", computed from the table. Plain UTF-8 text, the same in every format.
 */
#ifndef VT_REPORT_FINDING_H
#define VT_REPORT_FINDING_H

#include "report/table.h"

/* The proved measurements of one column that crossed in the same way. */
struct vt_group {
    size_t column;
    enum vt_crossing crossing;
    size_t count;
    double low, median, high;       /* of the tolls' medians, in the column's unit */
    const char *cheapest, *dearest; /* cases */
    double parts[VT_PARTS];         /* medians over the cases whose toll was taken apart; NaN: none was */
};

enum { VT_FINDINGS = 40 };

struct vt_findings {
    char headline[320];           /* the answer */
    char lines[VT_FINDINGS][400]; /* what supports it */
    size_t count;
    size_t remarks; /* lines from here on are of another kind than one per group */
};

/* Groups of status ok, in the order of columns; the control cases are left out. Returns how many, at most
 * `room`. */
size_t vt_finding_groups(const struct vt_table *table, struct vt_group *groups, size_t room);

void vt_finding_collect(struct vt_findings *findings, const struct vt_table *table);

#endif
