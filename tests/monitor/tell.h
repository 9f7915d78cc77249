/* All orders one after the other, told through the debug port to a machine that gives none. */
#ifndef VT_TESTS_MONITOR_TELL_H
#define VT_TESTS_MONITOR_TELL_H

#include <stdbool.h>

void monitor_tell_all(bool misdeeds);

#endif
