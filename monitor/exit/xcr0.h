/* XCR0 of the processor itself (Intel SDM 1, section 13.3). CR4.OSXSAVE is set. */
#ifndef VT_MONITOR_EXIT_XCR0_H
#define VT_MONITOR_EXIT_XCR0_H

#include <stdint.h>

static inline uint64_t vt_xcr0_read(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | (uint64_t)high << 32;
}

static inline void vt_xcr0_write(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

#endif
