/*
 * ACPI's power management timer, which the machines of the engines keep at
 * VT_PORT_PM_TIMER: 24 bits at VT_PM_TIMER_HZ (ACPI 6.5, 4.8.3.3).
 */
#ifndef VT_BENCH_PMTIMER_H
#define VT_BENCH_PMTIMER_H

#include "guest/abi.h"

#include <stdint.h>

/* What it shows `ns` nanoseconds after it showed 0. */
static inline uint32_t vt_bench_pm_timer(uint64_t ns)
{
    const uint64_t second = 1000000000;

    return (uint32_t)(ns / second * VT_PM_TIMER_HZ + ns % second * VT_PM_TIMER_HZ / second) & 0xffffff;
}

#endif
