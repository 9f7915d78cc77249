/* Model-specific registers of the processor itself. */
#ifndef VT_MONITOR_MSR_H
#define VT_MONITOR_MSR_H

#include <stdint.h>

static inline uint64_t vt_msr_read(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}

static inline void vt_msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#endif
