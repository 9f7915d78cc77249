/* Addresses for bad.S. */
#ifndef VT_TESTS_MONITOR_BAD_H
#define VT_TESTS_MONITOR_BAD_H

#include "guest/abi.h"

#define BAD_ELSEWHERE 0x1000000 /* tests/monitor/shared.h: MONITOR_CONTROL */
#define BAD_TABLES    VT_GUEST_TABLES
#define BAD_TOUCH     VT_GUEST_TOUCH
#define BAD_NOTHING   VT_GUEST_ABSENT
#define BAD_PLACE                                                                                            \
    (VT_GUEST_SCRATCH + 0x140) /* scratch.buffer: where the virtual CPU of translated code lies */

#endif
