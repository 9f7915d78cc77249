/*
 * Placing the core in its block and entering it, for every loader. Runs where memory is mapped as it is; free
 * of absolute addresses.
 */
#ifndef VT_GUEST_BOOT_PLACE_H
#define VT_GUEST_BOOT_PLACE_H

#include "guest/boot/info.h"

/* Inside the loader (core_file.S). */
extern const uint8_t vt_boot_core[] __attribute__((visibility("hidden")));

/* NULL, or why the core cannot run on this machine, one line. */
const char *vt_boot_refusal(void);

/* Copy the core to `base`, a block, with page tables and all; the info there, zeroed, is returned. */
struct vt_boot_info *vt_boot_place(uint64_t base);

/* What the core answered. */
uint64_t vt_boot_enter(const struct vt_boot_info *info, uint64_t what);

/* The words to go by: those given, or, where there are none, the image's own. */
const char *vt_boot_choose_line(const char *given);

#endif
