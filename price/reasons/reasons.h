/*
 * Exits by reason: tracepoints that count on the threads of vCPUs, without a ring buffer and without a
 * program in the kernel. Each event that is open makes each exit dearer (cost.h).
 */
#ifndef VT_PRICE_REASONS_REASONS_H
#define VT_PRICE_REASONS_REASONS_H

#include "base/error.h"
#include "price/counts.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vt_price_reasons;

/* Count from now on, on `count` threads. `tracefs` is its folder; NULL: where it is mounted. */
int vt_price_reasons_open(struct vt_price_reasons **reasons, const char *tracefs, const pid_t *threads,
                          size_t count, struct vt_error *error);

/* Those that are open, a bit each in the order of vt_price_events. */
uint32_t vt_price_reasons_open_set(const struct vt_price_reasons *reasons);

/*
 * Each event that is open makes every exit dearer: close those that have counted nothing yet. Their reasons
 * are among the other exits from now on. Where nothing at all was counted, all stay.
 */
int vt_price_reasons_trim(struct vt_price_reasons *reasons, struct vt_error *error);

/* Close those that are not in `set`. */
void vt_price_reasons_keep(struct vt_price_reasons *reasons, uint32_t set);

/* Put what was counted beside KVM's own counters; whatever bore such a name before is replaced. */
int vt_price_reasons_read(const struct vt_price_reasons *reasons, struct vt_price_counts *counts,
                          struct vt_error *error);

/* Safe with NULL. */
void vt_price_reasons_close(struct vt_price_reasons *reasons);

#endif
