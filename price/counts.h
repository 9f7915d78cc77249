/*
 * KVM's statistics of one machine by name, summed over its vCPUs, whoever gave them.
 */
#ifndef VT_PRICE_COUNTS_H
#define VT_PRICE_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VT_PRICE_NAME = 48, VT_PRICE_COUNTERS = 192 };

struct vt_price_count {
    char name[VT_PRICE_NAME];
    double value; /* exact up to 2^53 */
};

struct vt_price_counts {
    struct vt_price_count list[VT_PRICE_COUNTERS];
    size_t count;
};

/*
 * Add to the counter of that name. False, and nothing is added: the name is none of KVM's (empty, too long,
 * other characters than small letters, digits and '_'), the value is no count, or there are too many.
 */
bool vt_price_count_add(struct vt_price_counts *counts, const char *name, double value);

/* Make the counter what `value` says, whatever it was. False: as above. */
bool vt_price_count_set(struct vt_price_counts *counts, const char *name, double value);

/* The same as the first for vt_stats_each(): `counts` is a struct vt_price_counts. */
void vt_price_count_take(const char *name, uint64_t value, void *counts);

/* NaN: the source has no such counter. */
double vt_price_count_of(const struct vt_price_counts *counts, const char *name);

/* Is it a state or a high-water mark, whose difference counts nothing? */
bool vt_price_count_is_gauge(const char *name);

/* after - before, for what both know, without gauges. False: a counter went back, so they are of two
 * machines. */
bool vt_price_counts_since(const struct vt_price_counts *before, const struct vt_price_counts *after,
                           struct vt_price_counts *delta);

#endif
