/*
 * A result document in memory: what stands between measuring and reporting.
 *
 * Owns: the value. Does not own: how it is read (load.h), written (save.h) or made
 * from measurements (document.h), how it is shown (format.h).
 *
 * Unknown numbers are NaN, unknown texts NULL.
 */
#ifndef VT_RESULT_RESULT_H
#define VT_RESULT_RESULT_H

#include "base/unknown.h"
#include "bench/measurement.h"
#include "bench/profile.h"
#include "base/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define VT_RESULT_SCHEMA "vmtoll.result/1"

/* What tolls are in. */
enum vt_unit { VT_UNIT_NS, VT_UNIT_INSTRUCTIONS, VT_UNITS };

const char *vt_unit_name(enum vt_unit unit); /* as in the document: "ns" */

/* Occurrences of a counter per operation. */
struct vt_result_counter {
    const char *name;
    double per_operation;
};

struct vt_result_series {
    const double *values;
    size_t count;
};

/* What texts of a row mean to this version: VT_CLASSES, VT_PATHS, VT_CROSSINGS where it does not know the
 * word. */
struct vt_result_words {
    enum vt_class class;
    enum vt_path path;
    enum vt_crossing crossing; /* VT_CROSSING_UNKNOWN: no text */
};

/* One case on one engine at one privilege level. */
struct vt_result_row {
    const char *name; /* of the case */
    const char *class, *operation;
    const char *path, *engine, *crossing, *reason, *stopped;
    struct vt_result_words known; /* of class, path and crossing */
    enum vt_unit unit;
    enum vt_status status;
    int cpl; /* -1: unknown */
    bool simulated;
    double vcpus;       /* that ran it at once; NaN: not said, and then one */
    double depth;       /* of the guest, in hypervisors; NaN: not said, and then one */
    double outer_exits; /* per operation, of the hypervisor below the one that is measured */
    double iterations, batches, marked;
    struct vt_summary toll, toll_cycles;
    struct vt_summary breakdown[VT_PARTS]; /* of the toll, in its unit */
    double exits_per_op;
    const struct vt_result_counter *evidence;
    size_t evidence_count;
    json_t *evidence_totals; /* owned by the result; may be NULL */
    /* Toll, body and baseline per operation in `unit`, one entry per pair; indices of marked pairs. */
    struct vt_result_series samples, samples_body, samples_baseline, marks;
    struct vt_result_series shared; /* indices of pairs during which something else used the core */
    struct vt_result_series
        rounds;                   /* where in samples each round ends: within one, pairs follow one another */
    struct vt_result_series runs; /* of a row pooled from several runs (pool.h): where in samples each ends */
    const struct vt_profile *profile; /* where its instructions were executed; the result's; NULL: unknown */
};

struct vt_result {
    const char *file; /* where it was read, for messages; NULL when it was measured by this process */
    size_t line;      /* of that file, where the document starts */
    const char *version, *compiler, *flags, *build_id; /* of the vmtoll that measured (base/provenance.h) */
    const char *started;
    bool interrupted;
    json_t *host, *settings; /* owned; may be NULL */
    json_t *audit;           /* what `vmtoll audit` said of the machine; owned, may be NULL */
    json_t
        *translation; /* what the translator made of some cases, and what making cost; owned, may be NULL */
    struct vt_result_row *rows;
    size_t count;
    struct vt_arena arena; /* of every text and array above */
};

/* A result without rows, or NULL when memory is out. */
struct vt_result *vt_result_new(void);

void vt_result_free(struct vt_result *result);

/* A summary of which nothing is known. */
struct vt_summary vt_result_unknown_summary(void);

/* Fill `known` from the texts. */
void vt_result_recognize(struct vt_result_row *row);

/* How many vCPUs ran it at once; documents before 0.3 do not say: one. */
int vt_result_vcpus(const struct vt_result_row *row);

/* How deep it ran: 1 but for nested guests. */
int vt_result_depth(const struct vt_result_row *row);

/* Was a toll measured (whether or not its crossing is proved)? */
bool vt_result_has_toll(const struct vt_result_row *row);

/* A text of the host document by its keys ("cpu.brand"), or NULL. The host's. */
const char *vt_result_host_text(const struct vt_result *result, const char *path);

/* The rate of the time-stamp counter, as measured during the run, else as the host told; NaN: unknown. */
double vt_result_tsc_khz(const struct vt_result *result);

#endif
