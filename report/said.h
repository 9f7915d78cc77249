/*
 * What a report says of the machine, in the words of every format that is read by people.
 */
#ifndef VT_REPORT_SAID_H
#define VT_REPORT_SAID_H

#include "report/format.h"
#include "show/pen/pen.h"

/* The probe's questions and their answers; returns how many. */
size_t vt_said_answers(const struct vt_result *result, struct vt_pen *pen);

/* What is known of the machine; its file before, where there are several. */
size_t vt_said_facts(const struct vt_table *table, const struct vt_result *result, struct vt_pen *pen);

/* What stood in the way of clean figures, as items of a list that may already be open. */
size_t vt_said_warnings(const struct vt_result *result, struct vt_pen *pen);

/* The audit's verdict, and which machine it is of where there are several; NULL: none was audited. */
const struct vt_result *vt_said_verdict(const struct vt_table *table, struct vt_pen *pen);

/* Instructions as they were tried, as a table; nothing where there are none. */
enum vt_trials {
    VT_TRIALS_SILENT,       /* of those that would escape, the one that shows it */
    VT_TRIALS_UNPRIVILEGED, /* of those that ring 3 may execute, the one that tells most */
    VT_TRIALS_EVERY
};
void vt_said_trials(const struct vt_result *result, enum vt_trials which, struct vt_pen *pen);

/* Figures of others, where they were asked for. */
void vt_said_published(const struct vt_published *published, struct vt_pen *pen);

/* The whole report around its table, which the format prints: returns what that does. */
int vt_said_report(const struct vt_report *report, struct vt_pen *pen,
                   int (*print_table)(const struct vt_report *report, FILE *stream));

#endif
