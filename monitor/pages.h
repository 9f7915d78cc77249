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
