/*
 * Page tables of the monitor's world, and what of it is the guest's.
 *
 * Owns: the pages the guest really has, which follow the tables it writes. Does not own: when they are used
 * (hardware.c).
 */
#ifndef VT_MONITOR_PAGES_H
#define VT_MONITOR_PAGES_H

#include <stdbool.h>
#include <stdint.h>

void vt_pages_open(void);

/* As they were made, into CR3: all translations are forgotten. */
void vt_pages_take(void);

/*
 * A world apart, until vt_pages_take: what the guest may write it may not execute, where the processor can
 * tell (EFER.NXE is on), and `last` is the table of the last 512 GiB.
 */
void vt_pages_separate(uint64_t *last);

/* The entry of a small page; vt_pages_take brings the old ones back. Below 4 MiB. */
uint64_t vt_pages_get(uint64_t address);
void vt_pages_set(uint64_t address, uint64_t entry);

/* The bit of an entry that forbids execution; 0: the processor has none. */
uint64_t vt_pages_no_execute(void);

/* Nested page tables: the guest's own memory and code, and nothing else; `leaf`: bits that entries which lead
 * to memory have beside. Once. */
void vt_pages_open_nested(uint64_t leaf);
uint64_t vt_pages_nested_root(void);

/* Is it memory of the guest's, all of it, and may the guest write there? */
bool vt_pages_is_guest(uint64_t address, unsigned size, bool write);

/* Is it one of the guest's page tables, whose writes the monitor must see? */
bool vt_pages_is_table(uint64_t address);

/* The guest has changed the page-table entry that holds `address`: let the pages it really has follow. */
void vt_pages_follow(uint64_t address);

/* Forget a translation; ~0: all of them. */
void vt_pages_flush(uint64_t address);

#endif
