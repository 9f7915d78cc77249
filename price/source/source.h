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
    const char *qmp; /* a socket of QEMU's monitor; NULL: by process */
    pid_t process;   /* 0: by socket */
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
    int (*read)(void *state, struct vt_price_counts *counts, struct vt_error *error);
    void (*close)(void *state);
};

extern const struct vt_price_source vt_price_source_qmp, vt_price_source_descriptor, vt_price_source_debugfs;

/* All of them, in the order they are tried. */
const struct vt_price_source *const *vt_price_sources(size_t *count);

#endif
