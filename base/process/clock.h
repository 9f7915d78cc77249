/*
 * The clock that deadlines and waits are measured with.
 */
#ifndef VT_BASE_PROCESS_CLOCK_H
#define VT_BASE_PROCESS_CLOCK_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock (clock_gettime(2), CLOCK_MONOTONIC). */
uint64_t vt_clock_now(void);

#endif
