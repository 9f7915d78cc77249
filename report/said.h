/*
 * What a report says of the machine, in the words of every format that is read by people.
 */
#ifndef VT_REPORT_SAID_H
#define VT_REPORT_SAID_H

#include "report/table.h"
#include "show/pen/pen.h"

/* The probe's questions and their answers; returns how many. */
size_t vt_said_answers(const struct vt_result *result, struct vt_pen *pen);

/* What is known of the machine; its file before, where there are several. */
size_t vt_said_facts(const struct vt_table *table, const struct vt_result *result, struct vt_pen *pen);

/* What stood in the way of clean figures, as items of a list that may already be open. */
size_t vt_said_warnings(const struct vt_result *result, struct vt_pen *pen);

/* The audit's verdict, and which machine it is of where there are several; NULL: none was audited. */
const struct vt_result *vt_said_verdict(const struct vt_table *table, struct vt_pen *pen);

/* Instructions that would escape, as a table; nothing where there are none. */
void vt_said_holes(const struct vt_result *result, struct vt_pen *pen);

#endif
