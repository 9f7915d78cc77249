/*
 * What translated code can reach: the guest's memory, a copy of its code, the translator's tables and the
 * virtual CPU. Nothing but translated code can be executed.
 *
 * Owns: pages and frames for that. Does not own: the rest of the monitor's world (pages.c).
 */
#ifndef VT_MONITOR_TRANSLATOR_PAGES_H
#define VT_MONITOR_TRANSLATOR_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_TRANSLATOR_CODE_MOST 0x10000 /* bytes of the guest's code */
#define VT_TRANSLATOR_TABLES                                                                                 \
    UINT64_C(0xffffffff80000000) /* where the tables of eight times address 0 would begin */

#define VT_TRANSLATOR_TABLES_SIZE (UINT64_C(20) << 20) /* and how far they may reach */

/* Is there room for the guest's code? Once. */
bool vt_translator_pages_open(void);

/* Use them, from the monitor's pages as they were made; the guest's code is as it was built. `context` and
 * `code` are whole pages. */
void vt_translator_pages_take(const void *context, size_t context_size, const void *code, size_t code_size);

/* The monitor's pages as they were. True: the guest has written to its code. */
bool vt_translator_pages_leave(void);

/* May it write to that page of its code? When they are not in use, nothing happens: they begin writable. */
void vt_translator_pages_protect(uint64_t page, bool writable);

/* Frames for `size` bytes of a table, and none any more. False: there are no more. */
bool vt_translator_pages_give(uint64_t chunk, size_t size);
void vt_translator_pages_withdraw(uint64_t chunk, size_t size);

#endif
