/*
 * A client of QEMU's monitor (QEMU Machine Protocol, docs/interop/qmp-spec.rst) that asks, and changes
 * nothing.
 */
#ifndef VT_PRICE_SOURCE_QMP_H
#define VT_PRICE_SOURCE_QMP_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is asked; nothing else can be sent. */
enum vt_qmp_command {
    VT_QMP_CAPABILITIES, /* ends the greeting */
    VT_QMP_NAME,
    VT_QMP_CPUS,
    VT_QMP_STATISTICS,
    VT_QMP_COMMANDS
};

struct vt_qmp {
    int fd;
    const char *path; /* the caller's */
    int patience;     /* milliseconds an answer may take */
    char *bytes;      /* received, not yet understood; owned */
    size_t size;
    size_t scanned, depth; /* of the first object in it: bytes looked at, braces open there */
    bool quoted, escaped;  /* within a text, behind a backslash */
};

/* Connect and end the greeting. On failure there is nothing to close. */
int vt_qmp_open(struct vt_qmp *qmp, const char *path, struct vt_error *error);

/* The same on a socket that is connected; closed with the rest. */
int vt_qmp_open_on(struct vt_qmp *qmp, int fd, const char *path, int patience, struct vt_error *error);

/* Ask; *answer is the member `return`, the caller's. Numbers are reals: counters may pass 2^63. */
int vt_qmp_ask(struct vt_qmp *qmp, enum vt_qmp_command command, json_t **answer, struct vt_error *error);

/* Who listens on the socket; 0: unknown. */
pid_t vt_qmp_peer(const struct vt_qmp *qmp);

void vt_qmp_close(struct vt_qmp *qmp);

#endif
