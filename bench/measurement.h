/*
 * A measurement: one case on one engine at one privilege level, with its
 * distribution, its evidence and its verdict. The value that passes from the
 * runner to the result document.
 */
#ifndef VT_BENCH_MEASUREMENT_H
#define VT_BENCH_MEASUREMENT_H

#include "base/counter.h"
#include "base/statistics.h"
#include "guest/catalogue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the sensitive operation is virtualized. */
enum vt_path {
    VT_PATH_NATIVE,
    VT_PATH_EMULATED,
    VT_PATH_TRANSLATED,
    VT_PATH_PARAVIRTUAL,
    VT_PATH_HARDWARE,
    VT_PATHS
};

/* What really happened, as the counters prove it. */
enum vt_crossing {
    VT_CROSSING_UNKNOWN, /* no counter spoke: null in the document */
    VT_CROSSING_NONE,
    VT_CROSSING_INLINE,
    VT_CROSSING_CALLOUT,
    VT_CROSSING_TRAP,
    VT_CROSSING_EXIT_KERNEL,
    VT_CROSSING_EXIT_USER,
    VT_CROSSING_INTERPRETED,
    VT_CROSSING_HYPERCALL,
    VT_CROSSING_SYSTEM_CALL, /* no guest asked: its host called its own kernel */
    VT_CROSSINGS
};

enum vt_status {
    VT_STATUS_OK,
    VT_STATUS_UNVERIFIED,  /* measured, but the evidence contradicts what must have happened */
    VT_STATUS_UNSUPPORTED, /* cannot be asked here */
    VT_STATUS_FAILED,      /* asked, and it went wrong */
    VT_STATUS_TIMEOUT,     /* did not return, or the budget ended before its turn */
    VT_STATUSES
};

enum vt_stop {
    VT_STOP_NOT_RUN,
    VT_STOP_PRECISION, /* the interval of the median reached the target */
    VT_STOP_BUDGET,    /* its share of the time was spent */
    VT_STOP_SAMPLES,   /* as many pairs as the plan or the sample store wants */
    VT_STOP_INTERRUPTED,
    VT_STOPS
};

/*
 * What the toll of a crossing is made of. `bare` is the way there and back alone, with nothing to do on the
 * other side; the others are what is done there: by the engine's own emulator, by the kernel, in user space.
 */
enum vt_part { VT_PART_BARE, VT_PART_EMULATION, VT_PART_KERNEL, VT_PART_USER, VT_PARTS };

/* What is known to have disturbed a pair; bits. */
enum vt_mark {
    VT_MARK_HIT = 1,    /* a preemption or a host interrupt */
    VT_MARK_SHARED = 2, /* something else used the core, by the control before or after it (quiet.h) */
    VT_MARK_MOVED = 4,  /* it did not run pinned to the CPU of the run; it is a hit as well */
};

struct vt_measurement {
    const struct vt_case *c;
    const struct vt_pv_form *form; /* the paravirtual form that ran in its place, or NULL */
    const char *engine;            /* name; static */
    enum vt_path path;
    unsigned vcpus; /* that ran the case at once; one of them is measured */
    unsigned depth; /* of the guest, in hypervisors */
    int cpl;        /* privilege level the code believes to run at or runs at: 0 or 3 */
    enum vt_crossing crossing;
    enum vt_status status;
    char reason[512]; /* why the status is not ok, or what a reader must know; may be empty */
    bool simulated;
    enum vt_stop stop;
    uint64_t iterations; /* operations per batch */
    size_t batches;      /* pairs of body and baseline */
    size_t marked;       /* pairs hit by a preemption, by evidence; kept all the same */
    /* Per operation, in TSC cycles, one entry per pair; owned by the measurement. */
    double *body, *baseline;
    double *bare; /* TSC cycles of one bare crossing, beside each pair; NULL: the engine has none; owned */
    double
        *outer; /* exits to the hypervisor below, body less baseline; NULL: there is none that tells; owned */
    uint64_t *served; /* interrupts of the kernel in each pair; NULL: the case sets no timer; owned */
    uint8_t *marks;   /* of each pair, enum vt_mark */
    /* How many pairs there were after each turn: pairs of a turn follow one another, turns lie seconds apart.
     */
    uint16_t *rounds;
    size_t round_count;
    double tsc_khz; /* turns cycles into time; where simulated, a million times the ticks per instruction */
    struct vt_summary toll_cycles; /* of body[i] - baseline[i] */
    struct vt_summary toll;        /* the same in nanoseconds; where simulated, in instructions */
    struct vt_summary
        parts[VT_PARTS]; /* of the toll, in its unit; only those whose bit in parts_known is set */
    uint32_t parts_known;
    /* Counter totals over all batches of each twin. */
    struct vt_counters body_counters, baseline_counters;
    double exits_per_op; /* NaN: the engine has no exits and no signals */
    double outer_exits;  /* per operation, the median of pairs that were not hit; NaN: not known */
};

/* Releases the sample arrays; the measurement itself is the caller's. */
void vt_measurement_release(struct vt_measurement *measurement);

/*
 * Occurrences of `counter` per operation: body minus baseline, over all batches.
 * NaN when the counter is unknown or nothing ran.
 */
double vt_measurement_per_operation(const struct vt_measurement *measurement, enum vt_counter counter);

const char *vt_path_name(enum vt_path path);
const char *vt_crossing_name(enum vt_crossing crossing); /* NULL for VT_CROSSING_UNKNOWN */
const char *vt_part_name(enum vt_part part);
const char *vt_status_name(enum vt_status status);
const char *vt_stop_name(enum vt_stop stop);

#endif
