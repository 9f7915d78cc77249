/*
 * The runner: takes cases down engines within a time budget and returns one
 * measurement per case, engine and privilege level. Owns calibration, sampling
 * and stopping; evidence.c judges, statistics.c summarizes.
 */
#ifndef VT_BENCH_RUNNER_H
#define VT_BENCH_RUNNER_H

#include "bench/engine.h"
#include "bench/measurement.h"
#include "bench/outer.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct vt_progress {
    size_t done, total; /* measurements */
    double left;        /* seconds of the budget not yet spent */
    const char *engine, *name;
    int cpl;
};

/* A row in which an earlier run of the same plan ended the machine, or hung. It is not asked again. */
struct vt_lost_row {
    size_t number;         /* its place, as progress counts: `done` and one */
    enum vt_status status; /* of the row */
    char reason[512];
};

/* The reason of such a row where it was measured by an earlier run. */
#define VT_MADE_BEFORE "measured by an earlier run of the machine"

/*
 * A machine whose clock counts instructions: equal batches give equal counts, so
 * their number and length are fixed beforehand and nothing is calibrated.
 */
struct vt_simulation {
    const char *engine;           /* the name its rows carry instead of the engine's own */
    uint64_t iterations;          /* operations per batch */
    size_t pairs;                 /* VT_STATISTICS_MIN to VT_SAMPLER_MOST */
    double ticks_per_instruction; /* of its time-stamp counter */
    const struct vt_lost_row *lost;
    size_t lost_count;
    size_t before; /* rows up to this number have been measured, or are lost: they are not asked again */
    /* Called with each row once it is measured, in instructions; NULL: nobody waits for it. */
    void (*made)(void *context, const struct vt_measurement *row);
    void *context;
    unsigned depth;               /* of the guest, in hypervisors; 1: there is one */
    const struct vt_outer *outer; /* the one below it; NULL: there is none, or it does not tell */
};

struct vt_plan {
    const struct vt_engine *const *engines;
    size_t engine_count;
    const struct vt_case *const *cases;
    size_t case_count;
    uint32_t levels;                        /* bit per CPL */
    uint32_t paths;                         /* bit per enum vt_path; engines of other paths are left out */
    unsigned vcpus;                         /* that run a case at once; 0 is 1 */
    double budget;                          /* seconds, > 0 */
    const struct vt_simulation *simulation; /* NULL: a real machine, sampled adaptively */
    int cpu;                                /* to be pinned to; -1: the highest the affinity mask allows */
    const volatile int *stop;               /* set asynchronously: end now, keep what there is */
    void (*progress)(void *context, const struct vt_progress *progress); /* or NULL */
    void *context;
};

struct vt_run {
    struct vt_measurement *measurements; /* in the plan's order of engines, levels, cases */
    size_t count;
    bool interrupted;
    int cpu;              /* pinned to; -1: could not pin */
    unsigned vcpus;       /* that ran each case at once */
    size_t cpus;          /* that the process may run on; 0: not known */
    double elapsed;       /* seconds */
    double tsc_khz;       /* measured against CLOCK_MONOTONIC_RAW during the run */
    size_t moved;         /* pairs that did not run pinned to `cpu` */
    double throttled;     /* times the kernel stopped it because a CPU quota was spent; NaN: unknown */
    double steal;         /* seconds the hypervisor below took from this CPU; NaN: unknown */
    uint64_t preemptions; /* involuntary context switches of the run */
    double waited;        /* seconds spent on finding the core quiet (quiet.h) */
    double shared;        /* share of all pairs during which it was not; NaN: no pairs */
};

/*
 * 0, or a negative errno with `error`; a measurement that fails is not a failure
 * of the run. The caller releases with vt_run_release.
 */
int vt_bench_run(struct vt_run *run, const struct vt_plan *plan, struct vt_error *error);
void vt_run_release(struct vt_run *run);

#endif
