/*
 * Exits by reason: tracepoints that count on the threads of vCPUs, without a ring buffer and without a
 * program in the kernel. Each event that is open makes each exit dearer (cost.h).
 */
#ifndef VT_PRICE_REASONS_REASONS_H
#define VT_PRICE_REASONS_REASONS_H

#include "base/error.h"
#include "price/counts.h"

#include <stddef.h>
#include <sys/types.h>

struct vt_price_reasons;

/* Count from now on, on `count` threads. `tracefs` is its folder; NULL: where it is mounted. */
int vt_price_reasons_open(struct vt_price_reasons **reasons, const char *tracefs, const pid_t *threads,
                          size_t count, struct vt_error *error);

/* How many events are open on each thread. */
size_t vt_price_reasons_events(const struct vt_price_reasons *reasons);

/* Put what was counted beside KVM's own counters; whatever bore such a name before is replaced. */
int vt_price_reasons_read(const struct vt_price_reasons *reasons, struct vt_price_counts *counts,
                          struct vt_error *error);

/* Safe with NULL. */
void vt_price_reasons_close(struct vt_price_reasons *reasons);

#endif
