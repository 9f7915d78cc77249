#include "price/counts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of Documentation/virt/kvm/api.rst, KVM_STATS_TYPE_INSTANT, _PEAK and booleans, as x86.c has them. */
static const char *const gauges[] = {"blocking",   "guest_mode",        "pages_4k",
                                     "pages_2m",   "pages_1g",          "nx_lpage_splits",
                                     "mmu_unsync", "max_mmu_rmap_size", "max_mmu_page_hash_collisions"};

static struct vt_price_count *find(const struct vt_price_counts *counts, const char *name)
{
    for (size_t i = 0; i < counts->count; i++)
        if (strcmp(counts->list[i].name, name) == 0)
            return (struct vt_price_count *)&counts->list[i];
    return NULL;
}

static bool is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length > 0 && length < VT_PRICE_NAME && name[length] == '\0';
}

bool vt_price_count_add(struct vt_price_counts *counts, const char *name, double value)
{
    if (!is_name(name) || !(value >= 0) || !isfinite(value))
        return false;
    struct vt_price_count *at = find(counts, name);
    if (!at && counts->count == VT_PRICE_COUNTERS)
        return false;
    if (!at) {
        at = &counts->list[counts->count++];
        *at = (struct vt_price_count){.value = 0};
        snprintf(at->name, sizeof at->name, "%s", name);
    }
    at->value += value;
    return true;
}

bool vt_price_count_set(struct vt_price_counts *counts, const char *name, double value)
{
    struct vt_price_count *at = find(counts, name);
    if (at)
        at->value = 0;
    return vt_price_count_add(counts, name, value);
}

void vt_price_count_take(const char *name, uint64_t value, void *counts)
{
    vt_price_count_add(counts, name, (double)value);
}

double vt_price_count_of(const struct vt_price_counts *counts, const char *name)
{
    const struct vt_price_count *at = find(counts, name);
    return at ? at->value : NAN;
}

bool vt_price_count_is_gauge(const char *name)
{
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        if (strcmp(gauges[i], name) == 0)
            return true;
    return false;
}

bool vt_price_counts_since(const struct vt_price_counts *before, const struct vt_price_counts *after,
                           struct vt_price_counts *delta)
{
    delta->count = 0;
    for (size_t i = 0; i < after->count; i++) {
        const struct vt_price_count *now = &after->list[i], *then = find(before, now->name);
        if (!then || vt_price_count_is_gauge(now->name))
            continue;
        if (now->value < then->value)
            return false;
        vt_price_count_add(delta, now->name, now->value - then->value);
    }
    return true;
}
