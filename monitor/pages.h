/* Page tables of the monitor's world. What they mean for the guest is asked through hardware.h. */
#ifndef VT_MONITOR_PAGES_H
#define VT_MONITOR_PAGES_H

#include <stdint.h>

void vt_pages_open(void);

/* As they were made, into CR3: all translations are forgotten. */
void vt_pages_take(void);

/* Nested page tables: the guest's own memory and code, and nothing else. Once. */
void vt_pages_open_nested(void);
uint64_t vt_pages_nested_root(void);

#endif
