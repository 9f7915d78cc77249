/*
 * One machine or several, watched at the same time: from a first reading to a last one, and from interval to
 * interval between.
 */
#ifndef VT_PRICE_SESSION_H
#define VT_PRICE_SESSION_H

#include "price/watcher.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    VT_PRICE_INTERVALS = 1000,
    VT_PRICE_SCOUT_MS = 200, /* for which all events of --reasons are open, before the first reading */
};

struct vt_price_watched {
    struct vt_price_target target;
    struct vt_price_watcher watcher;
    bool open;                             /* it is still read */
    struct vt_error error;                 /* why it is not; exit 0: it is, or was to the end */
    struct vt_price_reading *first, *last; /* owned */
    struct vt_price_watch whole;  /* from the first to the last; seconds 0: there is no second one yet */
    struct vt_price_watch latest; /* of the last interval */
    struct vt_price_watch *parts; /* between readings, where there are several; owned */
    size_t part_count;
};

struct vt_price_session {
    struct vt_price_watched *list; /* owned */
    size_t count;
};

/*
 * Open all of `targets` and read each once. Who cannot be read says so in `error` of its own. Returns 0, or
 * -ENOMEM; released in any case.
 */
int vt_price_session_open(struct vt_price_session *session, const struct vt_price_target *targets,
                          size_t count, struct vt_error *error);

/*
 * Wait for `seconds`, then read all that are open once more: `whole` and `latest` of each. With `keep` the
 * interval is added to `parts`. `stop` ends the wait early, and so does the end of the only machine.
 */
int vt_price_session_go_on(struct vt_price_session *session, double seconds, bool keep,
                           const volatile int *stop, struct vt_error *error);

/* How many are open. */
size_t vt_price_session_open_count(const struct vt_price_session *session);

/* Why the machine at `i` has no bill; NULL: it has one. */
const struct vt_error *vt_price_session_error(const struct vt_price_session *session, size_t i);

/* The events that count reasons of any machine; 0: none. */
uint32_t vt_price_session_events(const struct vt_price_session *session);

/* By how much they are known to make an exit dearer; NaN: it is not. */
void vt_price_session_set_event(struct vt_price_session *session, double each_ns);

/* One machine, two readings. `stop` ends the watch early, and the time is what it was. Returns 0, or a
 * negative errno with `error`. */
int vt_price_watch(const struct vt_price_target *target, double seconds, const volatile int *stop,
                   struct vt_price_watch *watch, struct vt_error *error);

void vt_price_session_release(struct vt_price_session *session);

#endif
