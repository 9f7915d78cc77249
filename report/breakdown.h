/*
 * The parts of a toll in words for people.
 */
#ifndef VT_REPORT_BREAKDOWN_H
#define VT_REPORT_BREAKDOWN_H

#include "report/result.h"

/* "the bare crossing": what a part is, to stand after an amount. */
const char *vt_breakdown_title(enum vt_part part);

/* Is any part of the row's toll known? */
bool vt_breakdown_has(const struct vt_result_row *row);

#endif
