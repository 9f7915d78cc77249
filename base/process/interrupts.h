/* Interrupts that a CPU has served, as the kernel counts them: proc(5), /proc/interrupts. */
#ifndef VT_BASE_PROCESS_INTERRUPTS_H
#define VT_BASE_PROCESS_INTERRUPTS_H

#include <stdint.h>

#define VT_INTERRUPTS_FILE "/proc/interrupts"

/*
 * All of `cpu` since the boot: devices', the local timer's, those of other CPUs. 0 where the file at `path`
 * does not tell, and then always 0.
 */
uint64_t vt_interrupts_served(const char *path, int cpu);

#endif
