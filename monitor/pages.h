/* Page tables of the monitor's world. What they mean for the guest is asked through hardware.h. */
#ifndef VT_MONITOR_PAGES_H
#define VT_MONITOR_PAGES_H

void vt_pages_open(void);

/* As they were made, into CR3: all translations are forgotten. */
void vt_pages_take(void);

#endif
