/*
 * The block of memory the image works in, out of what firmware grants: never a page that is not listed as
 * free.
 */
#ifndef VT_GUEST_BOOT_MEMORY_H
#define VT_GUEST_BOOT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [start, end) */
struct vt_boot_range {
    uint64_t start, end;
};

/*
 * VT_BOOT_BLOCK bytes at VT_BOOT_ALIGNMENT below VT_BOOT_LIMIT, within one of the `granted` ranges and
 * outside all that are `taken`, as high as there are any; 0: there is no such place.
 */
uint64_t vt_boot_memory_find(const struct vt_boot_range *granted, size_t granted_count,
                             const struct vt_boot_range *taken, size_t taken_count);

#endif
