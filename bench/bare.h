/*
 * How much of a toll is the bare crossing, and what is left of it. Pure: samples and verdict in, parts out.
 */
#ifndef VT_BENCH_BARE_H
#define VT_BENCH_BARE_H

#include "bench/measurement.h"

/*
 * Fill parts (in TSC cycles) and parts_known of a judged measurement. Parts are known where the engine
 * measured its bare crossing beside each pair and each operation is proved to have crossed.
 */
void vt_bare_split(struct vt_measurement *measurement);

#endif
