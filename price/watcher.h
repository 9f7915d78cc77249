/*
 * A machine under watch: the source that serves, its vCPUs' threads, and readings of both.
 */
#ifndef VT_PRICE_WATCHER_H
#define VT_PRICE_WATCHER_H

#include "price/reasons/reasons.h"
#include "price/source/source.h"

#include <stdbool.h>
#include <stdint.h>

struct vt_price_watcher {
    const struct vt_price_source *source;
    void *state;
    struct vt_price_threads threads;
    struct vt_price_reasons *reasons; /* NULL: not asked for */
    char machine[128];                /* what it is called, cleaned */
    char untried[512];                /* what sources said that were tried before; may be empty */
};

struct vt_price_reading {
    struct vt_price_said said; /* times: of the threads, where they are known */
    uint64_t at;               /* ns, vt_clock_now */
    double took_ns;
    unsigned long long began; /* the process; 0: unknown */
};

/* Two readings, and what lies between. */
struct vt_price_watch {
    const struct vt_price_source *source;
    char machine[128];
    struct vt_price_counts delta;
    struct vt_price_times times; /* NaN: unknown */
    double seconds;
    double reading_ns; /* what a reading took, the longer of both */
    size_t vcpus;      /* whose threads are known; 0: unknown */
    bool nested;       /* it runs guests of its own */
    uint32_t events;   /* that counted exits by reason (vt_price_reasons_open_set); 0: none did */
    double event_ns;   /* by which they made each exit dearer; NaN: unknown */
    char untried[512]; /* what sources said that were tried before; may be empty */
};

/* The first source that serves. On failure there is nothing to close. */
int vt_price_watcher_open(struct vt_price_watcher *watcher, const struct vt_price_target *target,
                          struct vt_error *error);

/* With reasons: close the events of those that did not occur yet. */
int vt_price_watcher_trim(struct vt_price_watcher *watcher, struct vt_error *error);

int vt_price_watcher_read(struct vt_price_watcher *watcher, struct vt_price_reading *reading,
                          struct vt_error *error);

/* An error where both are not of one machine that went on. */
int vt_price_watcher_compare(const struct vt_price_watcher *watcher, const struct vt_price_reading *before,
                             const struct vt_price_reading *after, struct vt_price_watch *watch,
                             struct vt_error *error);

/* False: the process that was read has ended. Nobody waits for the end of a machine that has ended. */
bool vt_price_watcher_goes_on(const struct vt_price_watcher *watcher, const struct vt_price_reading *before);

void vt_price_watcher_close(struct vt_price_watcher *watcher);

#endif
