/*
 * Where the statistics of a machine that somebody else runs come from. A source reads: it never attaches to
 * the machine, stops it or writes to it.
 */
#ifndef VT_PRICE_SOURCE_SOURCE_H
#define VT_PRICE_SOURCE_SOURCE_H

#include "base/error.h"
#include "price/counts.h"
#include "price/threads.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Which machine. */
struct vt_price_target {
    const char *qmp;     /* a socket of QEMU's monitor; or NULL */
    const char *domain;  /* its name in libvirt; or NULL */
    const char *metrics; /* the file Firecracker writes; or NULL */
    pid_t process;       /* 0: one of the others */
    bool reasons;        /* count exits by reason as well, which makes them dearer */
};

/* At one moment. */
struct vt_price_said {
    struct vt_price_counts counts;
    struct vt_price_times times; /* of the vCPUs, where the source knows them of itself; NaN: it does not */
    double at;                   /* seconds on a clock of the source's own; NaN: now */
};

struct vt_price_source {
    const char *name;
    const char *needs; /* in words, for who has it not */
    const char *costs; /* what one reading costs the guest */
    bool (*suits)(const struct vt_price_target *target);
    /* Makes *state, which close() releases; on failure there is nothing to release. `machine` receives what
     * the machine is called, `threads` its vCPUs' where the source knows them (else they stay empty). */
    int (*open)(void **state, const struct vt_price_target *target, char *machine, size_t size,
                struct vt_price_threads *threads, struct vt_error *error);
    /* `said` comes empty. */
    int (*read)(void *state, struct vt_price_said *said, struct vt_error *error);
    void (*close)(void *state);
};

extern const struct vt_price_source vt_price_source_qmp, vt_price_source_libvirt, vt_price_source_firecracker,
    vt_price_source_descriptor, vt_price_source_debugfs;

/* All of them, in the order they are tried. */
const struct vt_price_source *const *vt_price_sources(size_t *count);

#endif
