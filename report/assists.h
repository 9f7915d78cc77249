/*
 * What AMD-V without NRIPS and decode assists adds to a path: the part of a profile under the functions that
 * only their absence calls. QEMU's processor has neither; AMD's have had both since 2011.
 */
#ifndef VT_REPORT_ASSISTS_H
#define VT_REPORT_ASSISTS_H

#include "report/table.h"
#include "show/pen/pen.h"

/* Instructions per operation. */
struct vt_assists {
    double nrips;  /* KVM decodes the instruction to step over it */
    double decode; /* it fetches its bytes, or emulates a move of a control register */
};

/* Zeros where there is none, as on other hypervisors than kvm_amd. */
struct vt_assists vt_assists_of(const struct vt_result_row *row);

/* A table of the rows that have some; nothing where none has. */
void vt_assists_say(const struct vt_table *table, struct vt_pen *pen);

#endif
