/*
 * The hypervisor below the one that is measured, where there is one that tells: its counters at the
 * edges of batches. Each reading is itself an exit of its, which the next reading counts.
 */
#ifndef VT_BENCH_OUTER_H
#define VT_BENCH_OUTER_H

#include <stdint.h>

/* Both count on from whatever they were, and wrap around. */
struct vt_outer {
    uint32_t (*exits)(void);      /* of the machine that this program runs in */
    uint32_t (*interrupts)(void); /* that its CPU has served */
};

#endif
