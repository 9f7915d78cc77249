/*
 * The roads that the monitor brings to the image (guest/image/road.h), each below this image's own
 * hypervisor.
 *
 * Owns: which there are, and what is the same of them. Does not own: how a guest is entered.
 */
#ifndef VT_MONITOR_ROAD_H
#define VT_MONITOR_ROAD_H

#include "monitor/monitor.h"

enum vt_road_count { VT_ROAD_TRAPS, VT_ROAD_CALLS, VT_ROAD_EXITS, VT_ROAD_INTERRUPTS };

/* Their names, as vt_image_road.counts. */
#define VT_ROAD_COUNTED                                                                                      \
    {                                                                                                        \
        [VT_ROAD_TRAPS] = "traps", [VT_ROAD_CALLS] = "hypercalls", [VT_ROAD_EXITS] = "exits",                \
        [VT_ROAD_INTERRUPTS] = "interrupts"                                                                  \
    }

#define VT_ROAD_BARE 100 /* bare crossings that are measured at once */

/* Why there can be no monitor here; NULL: there is one, opened. */
const char *vt_road_refuse(void);

/* What a run left, for the image. */
void vt_road_finish(enum vt_monitor_end end, struct vt_road_batch *out);

/* Ticks of VT_ROAD_BARE bare crossings, of which `batch` runs a body or a baseline; it returns the ticks that
 * took. */
typedef uint64_t vt_road_batch_of(vt_case_function function);
uint64_t vt_road_measure_bare(vt_road_batch_of *batch, vt_case_function body, vt_case_function baseline);

/* As vt_image_road.bare: faults with nothing done, and calls. */
uint64_t vt_road_bare(uint64_t *crossings);
uint64_t vt_road_bare_call(uint64_t *crossings);

#endif
