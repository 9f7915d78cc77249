#include "guest/boot/memory.h"
#include "guest/boot/info.h"

/* Cases rewrite the entries that would map these (guest/abi.h, VT_GUEST_ABSENT). */
static const struct vt_boot_range rewritten = {VT_GUEST_ABSENT, VT_GUEST_ABSENT + 4 * VT_BOOT_ALIGNMENT};

static bool overlap(uint64_t start, const struct vt_boot_range *range)
{
    return start < range->end && range->start < start + VT_BOOT_BLOCK;
}

static bool is_free(uint64_t start, const struct vt_boot_range *taken, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (overlap(start, &taken[i]))
            return false;
    return !overlap(start, &rewritten);
}

/* From the top down; the lowest block still lies above what is mapped from linear 0 on. */
uint64_t vt_boot_memory_find(const struct vt_boot_range *granted, size_t granted_count,
                             const struct vt_boot_range *taken, size_t taken_count)
{
    uint64_t best = 0;

    for (size_t i = 0; i < granted_count; i++) {
        uint64_t end = granted[i].end < VT_BOOT_LIMIT ? granted[i].end : VT_BOOT_LIMIT;
        uint64_t lowest = granted[i].start < VT_BOOT_BLOCK ? VT_BOOT_BLOCK : granted[i].start;
        if (end < VT_BOOT_BLOCK)
            continue;
        for (uint64_t at = (end - VT_BOOT_BLOCK) & ~(uint64_t)(VT_BOOT_ALIGNMENT - 1);
             at >= lowest && at > best; at -= VT_BOOT_ALIGNMENT)
            if (is_free(at, taken, taken_count))
                best = at;
    }
    return best;
}
