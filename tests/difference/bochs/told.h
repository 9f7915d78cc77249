/* The image with the monitor inside, alone on Bochs: what it tells of each case or misdeed
 * (tests/monitor/tell.c). */
#ifndef VT_TESTS_DIFFERENCE_BOCHS_TOLD_H
#define VT_TESTS_DIFFERENCE_BOCHS_TOLD_H

#include "lab/emulator/bochs.h"
#include "tests/monitor/shared.h"

#include <stdbool.h>

struct told_listener {
    void (*hear)(void *context, const struct monitor_told *told);
    void *context;
};

/* Boot it with MONITOR_CASES or MONITOR_MISDEEDS and hear it to its end. False: `reason` says why not. */
bool told_boot(const struct vt_bochs_model *processor, const char *words,
               const struct told_listener *listener, char *reason, size_t size);

#endif
