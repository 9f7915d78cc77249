/*
 * The tables the core runs on. The loader lays them where the block lies, and the core again where it is
 * mapped, when a monitor had the processor: free of absolute addresses.
 */
#ifndef VT_GUEST_BOOT_TABLES_H
#define VT_GUEST_BOOT_TABLES_H

#include "guest/boot/info.h"

/* Into the block, seen at `memory`, physically at `base`: pages, descriptors and what stands in them of
 * `stubs`, the payload's entries. Returns what CR3 takes. */
uint64_t vt_boot_tables(uint8_t *memory, uint64_t base, uint64_t stubs);

#endif
