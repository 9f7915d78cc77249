/*
 * The processor while the guest runs: the monitor's own tables, its pages, and the timer that ends a run.
 *
 * Owns: changing from the image's world to the monitor's and back. Does not own: the guest's virtual state.
 */
#ifndef VT_MONITOR_HARDWARE_H
#define VT_MONITOR_HARDWARE_H

#include "monitor/monitor.h"

/* Make descriptor tables and page tables. Once. */
void vt_hardware_open(void);

/* Use the monitor's pages from here on, and write to all of them. */
void vt_hardware_take(void);

/* Bits of CR4 that the guest's world has from the next vt_hardware_take on, beside its own; 0: none. */
void vt_hardware_add_cr4(uint64_t bits);

/* Which gate #GP takes: the monitor's, or the bare one that only moves past the instruction. */
enum vt_hardware_gate { VT_HARDWARE_EMULATING, VT_HARDWARE_BARE };

/*
 * Into the monitor's world, run from RIP on the stack. vt_hardware_take came before, and it is still the
 * monitor's world afterwards: vt_image_restore ends that.
 */
enum vt_monitor_end vt_hardware_run(uint64_t rip, uint64_t rsp, enum vt_hardware_gate gate,
                                    enum vt_monitor_door door);

/* The same world, and `inside` in it, at ring 0. */
enum vt_monitor_end vt_hardware_run_inside(enum vt_monitor_end (*inside)(void *context), void *context);

#endif
