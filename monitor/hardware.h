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

/* Is it memory of the guest's, all of it, and may the guest write there? */
bool vt_hardware_is_guest(uint64_t address, unsigned size, bool write);

/* Is it one of the guest's page tables, whose writes the monitor must see? */
bool vt_hardware_is_table(uint64_t address);

/* The guest has changed the page-table entry that holds `address`: let the pages it really has follow. */
void vt_hardware_follow(uint64_t address);

/* Use the monitor's pages from here on, and write to all of them. */
void vt_hardware_take(void);

/* Forget a translation; ~0: all of them. */
void vt_hardware_flush(uint64_t address);

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

/* The timer that ended a run is served. */
void vt_hardware_end_timer(void);

static inline uint64_t vt_hardware_rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}

static inline void vt_hardware_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#endif
