#include "monitor/assist.h"

#include "monitor/hardware.h"
#include "monitor/msr.h"

#include <cpuid.h>

#define CR4_TSD (UINT64_C(1) << 2)

/* Intel SDM 4, 2.1: MSR_PLATFORM_INFO, bit 31: there is CPUID faulting; MSR_MISC_FEATURES_ENABLES, bit 0: it
 * is on. */
#define MSR_PLATFORM_INFO         0xce
#define HAS_CPUID_FAULTING        (UINT64_C(1) << 31)
#define MSR_MISC_FEATURES_ENABLES 0x140
#define CPUID_FAULTING            UINT64_C(1)

/* AMD APM 2 3.2.10 and 3 CPUID Fn8000_0021_EAX: CpuidUserDis. */
#define LEAF_EXTENDED_2     0x80000021
#define HAS_CPUID_USER_DIS  (1u << 17)
#define MSR_HWCR            0xc0010015
#define HWCR_CPUID_USER_DIS (UINT64_C(1) << 35)

struct access {
    uint32_t msr;
    uint64_t value;
};

static enum vt_monitor_end read(void *context)
{
    struct access *access = context;

    access->value = vt_msr_read(access->msr);
    return VT_MONITOR_RETURNED;
}

static enum vt_monitor_end write(void *context)
{
    const struct access *access = context;

    vt_msr_write(access->msr, access->value);
    return VT_MONITOR_RETURNED;
}

/* In the monitor's world, where an exception at ring 0 ends the run: not every processor knows them. */
static bool try(enum vt_monitor_end (*what)(void *context), struct access *access)
{
    vt_hardware_take();
    enum vt_monitor_end end = vt_hardware_run_inside(what, access);
    vt_image_restore();
    return end == VT_MONITOR_RETURNED;
}

/* The bit of `msr` that makes CPUID fault at ring 3; 0: there is none. */
static uint64_t find_cpuid_bit(uint32_t *msr)
{
    struct access info = {.msr = MSR_PLATFORM_INFO};
    unsigned a, b, c, d;

    if (__get_cpuid(LEAF_EXTENDED_2, &a, &b, &c, &d) && a & HAS_CPUID_USER_DIS) {
        *msr = MSR_HWCR;
        return HWCR_CPUID_USER_DIS;
    }
    *msr = MSR_MISC_FEATURES_ENABLES;
    return try(read, &info) && info.value & HAS_CPUID_FAULTING ? CPUID_FAULTING : 0;
}

static bool set_cpuid(bool on)
{
    struct access access = {.value = 0};
    uint64_t bit = find_cpuid_bit(&access.msr);

    if (!bit || !try(read, &access))
        return false;
    access.value = on ? access.value | bit : access.value & ~bit;
    return try(write, &access);
}

const char *vt_assist_lacks(enum vt_trapped_by assist)
{
    /* Whatever has a time-stamp counter has TSD. */
    if (assist != VT_TRAPPED_BY_CPUID_FAULTING || (set_cpuid(true) && set_cpuid(false)))
        return NULL;
    return "the processor has neither CPUID faulting (MSR_PLATFORM_INFO bit 31) nor CpuidUserDis";
}

void vt_assist_set(enum vt_trapped_by assist, bool on)
{
    if (assist == VT_TRAPPED_BY_TSD)
        vt_hardware_add_cr4(on ? CR4_TSD : 0);
    else if (assist == VT_TRAPPED_BY_CPUID_FAULTING)
        set_cpuid(on);
}
