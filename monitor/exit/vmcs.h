/* The current control structure of VT-x (Intel SDM 3C VMREAD, VMWRITE). A field that is not there reads as 0.
 */
#ifndef VT_MONITOR_EXIT_VMCS_H
#define VT_MONITOR_EXIT_VMCS_H

#include "guest/vmcs.h"

#include <stdint.h>

static inline uint64_t vt_vmcs_read(uint64_t field)
{
    uint64_t value = 0;

    __asm__ volatile("vmread %1, %0" : "+r"(value) : "r"(field) : "cc");
    return value;
}

static inline void vt_vmcs_write(uint64_t field, uint64_t value)
{
    __asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc", "memory");
}

#endif
