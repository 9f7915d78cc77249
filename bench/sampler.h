/*
 * Sampling of one case on one opened engine: calibrate the batch, alternate body
 * and baseline, stop when the interval is narrow or the time is up.
 */
#ifndef VT_BENCH_SAMPLER_H
#define VT_BENCH_SAMPLER_H

#include "bench/engine.h"
#include "bench/measurement.h"

#include <stdint.h>

/* Pairs a measurement has at most. */
#define VT_SAMPLER_MOST 1001

struct vt_sampling {
    const struct vt_engine *engine;
    void *state;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
    double tsc_khz;       /* good enough to size batches */
    const volatile int *stop;
    uint64_t iterations; /* not 0: this many operations per batch ... */
    size_t pairs;        /* ... and exactly this many pairs */
};

/*
 * Fill iterations, batches, marked, stop, sample arrays, counters and - when the
 * case did not end well - status and reason. Returns 0, or a negative errno with
 * `error` when the engine is broken beyond this case.
 */
int vt_sampler_measure(struct vt_measurement *measurement, const struct vt_sampling *sampling,
                       struct vt_error *error);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t vt_sampler_clock(void);

#endif
