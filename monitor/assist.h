/*
 * Assists: settings of the processor by which an instruction faults at ring 3 that by itself is silent there,
 * so that a monitor that traps sees it.
 *
 * Owns: finding and setting them. Does not own: which case one is about (guest/cases.def).
 */
#ifndef VT_MONITOR_ASSIST_H
#define VT_MONITOR_ASSIST_H

#include "guest/catalogue.h"

/* Why it is not to be had here, asked of the processor; NULL: it is. The monitor is open, its guest prepared.
 */
const char *vt_assist_lacks(enum vt_trapped_by assist);

/* For runs from now on, before the next guest is prepared. One at a time, and off before another road runs.
 */
void vt_assist_set(enum vt_trapped_by assist, bool on);

#endif
