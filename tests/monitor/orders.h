/* What the image is asked for, done: the order that lies in the control block. */
#ifndef VT_TESTS_MONITOR_ORDERS_H
#define VT_TESTS_MONITOR_ORDERS_H

#include "tests/monitor/shared.h"

#include <stdbool.h>

/* Once, when the monitor is open: every body calls the recorder, devices are written down, misdeeds have
 * names. */
bool monitor_patch(void);
void monitor_tap(void);
void monitor_name_bad(void);

void monitor_do(void);

#endif
