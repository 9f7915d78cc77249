/*
 * When to give up: somebody asked for it, or the time is over. Every loop and every
 * program that is waited for looks here.
 */
#ifndef VT_LAB_FETCH_STOP_H
#define VT_LAB_FETCH_STOP_H

#include "base/error.h"

struct vt_lab_stop {
    const volatile int *flag; /* set asynchronously */
    double deadline;          /* by vt_lab_stop_clock; 0: none */
    double limit;             /* seconds it was made of, for messages */
};

/* Seconds of CLOCK_MONOTONIC. */
double vt_lab_stop_clock(void);

/* `limit` seconds from now; 0: without end. */
struct vt_lab_stop vt_lab_stop_after(const volatile int *flag, double limit);

/* 0: go on; -EINTR: asked to end; -ETIME: the time is over. `stop` may be NULL. */
int vt_lab_stop_asked(const struct vt_lab_stop *stop);

/* Say it: `why` is what vt_lab_stop_asked returned, `doing` "fetching linux-image". Returns `why`. */
int vt_lab_stop_tell(const struct vt_lab_stop *stop, int why, struct vt_error *error, const char *doing);

#endif
