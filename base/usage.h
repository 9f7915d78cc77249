/*
 * What the calling thread has met so far that a measurement must know of, as the
 * kernel accounts for it: getrusage(2), RUSAGE_THREAD.
 */
#ifndef VT_BASE_USAGE_H
#define VT_BASE_USAGE_H

#include "base/counter.h"

#include <stdint.h>

struct vt_usage {
    uint64_t preemptions; /* involuntary context switches */
    uint64_t page_faults; /* served without I/O */
};

struct vt_usage vt_usage_now(void);

/* Involuntary context switches of all child processes that ended and were waited for. */
uint64_t vt_usage_of_children(void);

/* What happened between the two, as VT_PREEMPTIONS and VT_PAGE_FAULTS. */
void vt_usage_count(const struct vt_usage *before, const struct vt_usage *after,
                    struct vt_counters *counters);

#endif
