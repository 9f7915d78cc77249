/*
 * The contract between the runner and an engine: a piece of software that runs
 * cases along one path.
 *
 * The runner owns calibration, sampling, statistics and verdicts. An engine owns
 * its machine: it makes ready for a case and then runs one batch of one twin at a
 * time. Engines never print, never exit, never know of reports. Every operation
 * below but `form`, `bare` and `own` is mandatory.
 */
#ifndef VT_BENCH_ENGINE_H
#define VT_BENCH_ENGINE_H

#include "base/process/affinity.h"
#include "base/counter.h"
#include "base/error.h"
#include "bench/measurement.h"
#include "bench/watch.h"
#include "guest/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

enum vt_twin { VT_BODY, VT_BASELINE };

/* How a batch ended. */
enum vt_batch_end {
    VT_BATCH_DONE,
    VT_BATCH_FAULT,       /* the code raised an exception nobody expected; error says which */
    VT_BATCH_ABSENT,      /* it raised #UD: this processor, as the engine shows it, lacks the instruction */
    VT_BATCH_TIMEOUT,     /* it did not return within the limit */
    VT_BATCH_INTERRUPTED, /* *settings.stop became set */
    VT_BATCH_BROKEN,      /* the engine itself failed; error says how */
};

struct vt_batch {
    uint64_t cycles;             /* TSC cycles between the two time stamps around the call */
    struct vt_counters counters; /* what happened during it, the engine's own overhead taken off */
    bool marked;                 /* a preemption or host interrupt is known to have hit it */
    const char *note;            /* what a reader must know of it, or NULL; lives as long as the program */
};

struct vt_engine_settings {
    uint64_t limit_ns;              /* a batch that takes longer is ended */
    const volatile int *stop;       /* set asynchronously: end soon */
    const struct vt_affinity *cpus; /* where threads of a machine's other vCPUs may run; NULL: none may */
    unsigned vcpus;                 /* that run a case at once; at least 1 */
    bool simulated;                 /* the clock counts instructions */
};

struct vt_engine {
    const char *name;
    const char *summary;
    /* Privilege levels it offers, ended by -1. */
    const int *levels;
    /* Can it work on this machine? On no: false and, in reason, why and what to do. */
    bool (*available)(char *reason, size_t size);
    /* *state is the engine's until close. */
    int (*open)(void **state, const struct vt_engine_settings *settings, struct vt_error *error);
    /* The path its measurements are of; `state` may be NULL when the engine could not be opened. */
    enum vt_path (*path)(void *state);
    /* Can it run this case at this level? On no: false and why. */
    bool (*supports)(void *state, const struct vt_case *c, int cpl, char *reason, size_t size);
    /* The paravirtual form it runs in the case's place, or NULL. Asked where the case is supported. An engine
     * that runs the cases as they are has no such function. */
    const struct vt_pv_form *(*form)(void *state, const struct vt_case *c, int cpl);
    /* Bring the machine into the state the case starts from. Called before its first batch and after a bad
     * end. */
    int (*prepare)(void *state, const struct vt_case *c, int cpl, struct vt_error *error);
    /* Run `iterations` (>= 1) of one twin of the prepared case. Fills *batch when the end is VT_BATCH_DONE.
     */
    enum vt_batch_end (*batch)(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *batch,
                               struct vt_error *error);
    /* Cycles of one crossing of this engine that does nothing, measured now: what a toll cannot go below.
     * NULL where that cannot be asked apart. */
    double (*bare)(void *state);
    /* Set by an engine that runs cases inside this process, where nothing stops a wrong address: the runner
     * then gives it a process of its own (apart.h). Fills what the engine itself writes there in a batch of
     * the prepared case beside memory that `open` mapped, at most VT_OWN_MOST - 2, and returns how many; 0:
     * this case cannot reach the process. */
    size_t (*own)(void *state, struct vt_own own[VT_OWN_MOST]);
    void (*close)(void *state);
    bool runs_many; /* it can run a case on settings.vcpus at once */
};

/* All engines, in the order of the roads; *count receives how many. */
const struct vt_engine *const *vt_bench_engines(size_t *count);

/* The engine of that name, or NULL. */
const struct vt_engine *vt_bench_find_engine(const char *name);

#endif
