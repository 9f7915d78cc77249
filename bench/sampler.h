/*
 * Sampling of one case on one opened engine: calibrate the batch, alternate body
 * and baseline, stop when the interval is narrow or the time is up.
 */
#ifndef VT_BENCH_SAMPLER_H
#define VT_BENCH_SAMPLER_H

#include "bench/engine.h"
#include "bench/measurement.h"
#include "bench/outer.h"
#include "bench/quiet.h"
#include "bench/tick.h"

#include <stdint.h>

/* Pairs a measurement has at most. */
#define VT_SAMPLER_MOST 1001

/* Tails are reported too: not fewer pairs than a 99th percentile needs, if the time allows. */
#define VT_SAMPLER_PRECISE_FROM 101

/* The interval of the median is narrow enough at this share of the median. */
#define VT_SAMPLER_PRECISION 0.01

struct vt_sampling {
    const struct vt_engine *engine;
    void *state;
    uint64_t deadline_ns;   /* CLOCK_MONOTONIC: this turn ends */
    uint64_t share_ns;      /* what the case gets in all its turns together; sizes its batches */
    double tsc_khz;         /* good enough to size batches */
    size_t turn;            /* pairs of this turn, at most and not below VT_STATISTICS_MIN; 0: no such end */
    uint64_t iterations;    /* not 0: this many operations per batch ... */
    size_t pairs;           /* ... and exactly this many pairs */
    const int *cpu;         /* the one the thread is pinned to; NULL: nobody watches over that */
    struct vt_quiet *quiet; /* wait for a quiet core before each pair; NULL: do not */
    uint64_t patience_ns;   /* CLOCK_MONOTONIC: from then on do not wait */
    /* Where a CPU's interrupts are told (base/process/interrupts.h): one hits the pair it falls into. NULL:
     * nobody asks. */
    const char *interrupts;
    int interrupted_cpu;
    /* Called before each pair with how many nanoseconds it may take (vt_tick_let_pass), that no tick falls
     * into it; NULL: they may. */
    void (*let_tick_pass)(struct vt_tick *tick, uint64_t needed);
    struct vt_tick *tick;
    const struct vt_outer
        *outer; /* the hypervisor below: its exits are counted, its interrupts hit; or NULL */
    const volatile int *stop;
};

/* Room for the samples of a measurement, `bare` crossings among them; where it is there already, it stays. */
int vt_sampler_make_room(struct vt_measurement *measurement, bool bare, struct vt_error *error);

/* A batch that ended otherwise than by VT_BATCH_DONE: status and reason; samples taken before are forgotten.
 */
void vt_sampler_fail(struct vt_measurement *measurement, enum vt_batch_end end, const struct vt_error *error);

/*
 * Take samples of one case for one turn; a later turn goes on where this one ended.
 * Fills iterations (in the first turn; the second starts again if it finds them far too
 * few), batches, marked, rounds, stop, sample arrays, counters
 * and - when the case did not end well - status and reason, batches then 0. `stop`
 * stays VT_STOP_NOT_RUN when only `turn` ended it and the median is not yet precise. Returns 0, or a negative
 * errno with `error` when the engine cannot go on with this case.
 */
int vt_sampler_take(struct vt_measurement *measurement, const struct vt_sampling *sampling,
                    struct vt_error *error);

/*
 * Summary of all samples taken; where instructions are counted, of those that nothing is known to have hit,
 * if there are such: the kernel's timer is no part of a path.
 */
void vt_sampler_summarize(struct vt_measurement *measurement);

#endif
