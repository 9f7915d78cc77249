/*
 * The CPUs a thread may run on, as many as Linux can have (sched_setaffinity(2)):
 * cpu_set_t ends at 1024, and on a larger machine the kernel refuses it.
 */
#ifndef VT_BASE_PROCESS_AFFINITY_H
#define VT_BASE_PROCESS_AFFINITY_H

#include <stdbool.h>
#include <stddef.h>

/* CONFIG_NR_CPUS is at most that on x86. */
#define VT_AFFINITY_CPUS 8192

struct vt_affinity {
    unsigned long bits[VT_AFFINITY_CPUS / 8 / sizeof(unsigned long)];
};

/* Of the calling thread. 0 or a negative errno; on failure the mask is empty. */
int vt_affinity_get(struct vt_affinity *affinity);

/* Let the calling thread run on these alone. 0 or a negative errno: none of them is there or allowed. */
int vt_affinity_set(const struct vt_affinity *affinity);

/* The same for one CPU. */
int vt_affinity_pin(long cpu);

/* Does the calling thread run on this CPU, and may it on no other? */
bool vt_affinity_is_pinned(long cpu);

/* False also for what is no number of a CPU. */
bool vt_affinity_has(const struct vt_affinity *affinity, long cpu);

/* The highest number, or -1 when there is none. */
int vt_affinity_last(const struct vt_affinity *affinity);

size_t vt_affinity_count(const struct vt_affinity *affinity);

#endif
