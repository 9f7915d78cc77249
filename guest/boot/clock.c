/*
 * How fast the time-stamp counter counts, by whatever can tell: what processor or hypervisor say, and what
 * clocks of known speed show. One source alone may be wrong (Bochs' CPUID is by a factor of hundreds): two
 * must agree.
 */
#include "guest/boot/core.h"
#include "guest/boot/port.h"

#include <cpuid.h>

#define HYPERVISOR_LEAVES 0x40000000
#define PIT_HZ            1193182
#define PM_TIMER_HZ       VT_PM_TIMER_HZ
#define TOLERANCE         200 /* one part of so many */
#define PART              50  /* of a second that is measured */
#define LOOKS             20000000

static uint64_t khz;

uint64_t vt_boot_clock_khz(void)
{
    return khz;
}

enum { SIGNATURE = 12 };

/* As the leaf has it, NUL behind what is shorter; the last byte is C's own. */
struct signature {
    char text[SIGNATURE + 1];
};

static bool reads_signature(const struct signature *signature)
{
    unsigned a, b[3];
    __cpuid(HYPERVISOR_LEAVES, a, b[0], b[1], b[2]);
    for (unsigned i = 0; i < SIGNATURE; i++)
        if ((char)(b[i / 4] >> i % 4 * 8) != signature->text[i])
            return false;
    return vt_boot_is_under_hypervisor();
}

static unsigned most_hypervisor_leaf(void)
{
    unsigned a = 0, b, c, d;
    if (vt_boot_is_under_hypervisor())
        __cpuid(HYPERVISOR_LEAVES, a, b, c, d);
    return a;
}

static uint64_t by_ratio(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(0x15, 0, &a, &b, &c, &d) && a && b && c ? (uint64_t)c * b / a / 1000 : 0;
}

static uint64_t by_base(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(0x16, 0, &a, &b, &c, &d) ? (uint64_t)(a & 0xffff) * 1000 : 0;
}

static uint64_t by_leaf(void)
{
    unsigned a, b, c, d;
    if (most_hypervisor_leaf() < HYPERVISOR_LEAVES + 0x10)
        return 0;
    __cpuid(HYPERVISOR_LEAVES + 0x10, a, b, c, d);
    return a;
}

/* struct pvclock_vcpu_time_info (Linux kvm/x86/msr.rst) */
static uint64_t by_kvm(void)
{
    static volatile struct {
        uint32_t version, pad;
        uint64_t tsc, system;
        uint32_t factor;
        uint8_t shift; /* signed */
        uint8_t flags, pad2[2];
    } clock __attribute__((aligned(64)));
    const uint32_t msr = 0x4b564d01;
    unsigned a, b, c, d;

    if (!reads_signature(&(const struct signature){"KVMKVMKVM"}))
        return 0;
    __cpuid(HYPERVISOR_LEAVES + 1, a, b, c, d);
    if (!(a & 1 << 3) || !vt_boot_try_wrmsr(msr, (vt_boot_info()->base + (uint64_t)(uintptr_t)&clock) | 1))
        return 0;
    uint64_t factor = clock.factor, rate = factor ? (UINT64_C(1000000) << 32) / factor : 0;
    int shift = clock.shift < 0x80 ? clock.shift : clock.shift - 0x100;
    vt_boot_try_wrmsr(msr, 0);
    return shift < -31 || shift > 31 ? 0 : shift < 0 ? rate << -shift : rate >> shift;
}

/* Microsoft's TLFS, 12.3: where partition frequencies may be read. */
static uint64_t by_hyperv(void)
{
    unsigned a, b, c, d;
    uint64_t hz;
    if (!reads_signature(&(const struct signature){"Microsoft Hv"}))
        return 0;
    __cpuid(HYPERVISOR_LEAVES + 3, a, b, c, d);
    return a & 1 << 11 && vt_boot_try_rdmsr(0x40000022, &hz) ? hz / 1000 : 0;
}

/* xen/include/public/arch-x86/cpuid.h, leaf 4 */
static uint64_t by_xen(void)
{
    unsigned a, b, c, d;
    if (!reads_signature(&(const struct signature){"XenVMMXenVMM"}))
        return 0;
    __cpuid_count(HYPERVISOR_LEAVES + 3, 0, a, b, c, d);
    return c;
}

/* A clock that counts up, `bits` wide. */
struct counter {
    uint64_t (*read)(void);
    uint64_t hz;
    int bits;
};

/* Of some readings the one that took least: where both clocks stood at nearly the same time. */
static void read_both(const struct counter *counter, uint64_t *value, uint64_t *tsc)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint64_t before = vt_boot_tsc(), now = counter->read(), took = vt_boot_tsc() - before;
        if (took >= least)
            continue;
        least = took;
        *value = now;
        *tsc = before + took / 2;
    }
}

static uint64_t time_with(const struct counter *counter)
{
    uint64_t mask = UINT64_MAX >> (64 - counter->bits), from, to, begin, end;
    uint32_t look = 0;

    read_both(counter, &from, &begin);
    while (((counter->read() - from) & mask) < counter->hz / PART)
        if (++look == LOOKS || (look == 100000 && counter->read() == from))
            return 0;
    read_both(counter, &to, &end);
    return (end - begin) * (counter->hz / 1000) / ((to - from) & mask);
}

static uint64_t read_pm_timer(void)
{
    return vt_boot_in_long(vt_boot_acpi_timer());
}

static uint64_t by_pm_timer(void)
{
    const struct counter counter = {read_pm_timer, PM_TIMER_HZ, vt_boot_acpi_timer_is_long() ? 32 : 24};
    return vt_boot_acpi_timer() ? time_with(&counter) : 0;
}

/* IA-PC HPET 1.0a, 2.3: period in femtoseconds, enable bit, counter. */
#define HPET_PERIOD  1
#define HPET_CONFIG  4
#define HPET_COUNTER 60
static volatile uint32_t *hpet;

static uint64_t read_hpet(void)
{
    return hpet[HPET_COUNTER];
}

static uint64_t by_hpet(void)
{
    if (!vt_boot_acpi_hpet())
        return 0;
    hpet = vt_boot_look(vt_boot_acpi_hpet());
    uint32_t period = hpet[HPET_PERIOD], config = hpet[HPET_CONFIG];
    if (period < 1000000 || period > 100000000)
        return 0;
    const struct counter counter = {read_hpet, UINT64_C(1000000000000000) / period, 32};
    hpet[HPET_CONFIG] = config | 1;
    uint64_t rate = time_with(&counter);
    hpet[HPET_CONFIG] = config;
    return rate;
}

/* Channel 2 of the 8254 counts down from 65535, which takes 55 ms; port 0x61 opens its gate. */
static uint64_t read_pit(void)
{
    vt_boot_out(0x43, 0x80);
    uint32_t low = vt_boot_in(0x42);
    return 0xffff - (low | (uint32_t)vt_boot_in(0x42) << 8);
}

static uint64_t by_pit(void)
{
    const struct counter counter = {read_pit, PIT_HZ, 16};
    uint8_t gate = vt_boot_in(0x61);
    uint64_t rate = 0;

    vt_boot_out(0x61, (uint8_t)((gate & ~3) | 1));
    vt_boot_out(0x43, 0xb0);
    vt_boot_out(0x42, 0xff);
    vt_boot_out(0x42, 0xff);
    if (read_pit() < 0x8000)
        rate = time_with(&counter);
    vt_boot_out(0x61, gate);
    return rate;
}

/* The real-time clock's seconds: where nothing quicker agrees, since they take two. */
static bool await_second(uint64_t *tsc)
{
    vt_boot_out(0x70, 0);
    uint8_t before = vt_boot_in(0x71);
    for (uint32_t look = 0; look < LOOKS; look++)
        if (vt_boot_in(0x71) != before) {
            *tsc = vt_boot_tsc();
            return true;
        }
    return false;
}

static uint64_t by_rtc(void)
{
    uint64_t begin, end;
    vt_boot_out(0x70, 0x0d);
    uint8_t battery = vt_boot_in(0x71);
    /* Its battery's bit and seven zeros, or what nobody answers: a look at that would last for minutes. */
    if (!(battery & 0x80) || battery == 0xff || !await_second(&begin) || !await_second(&end))
        return 0;
    return (end - begin) / 1000;
}

/* The first that another agrees with counts. */
static const struct {
    const char *name;
    uint64_t (*ask)(void);
} sources[] = {
    {"cpuid-15h", by_ratio}, {"cpuid-40000010h", by_leaf},
    {"kvm-clock", by_kvm},   {"hyper-v", by_hyperv},
    {"xen", by_xen},         {"pm-timer", by_pm_timer},
    {"hpet", by_hpet},       {"pit", by_pit},
    {"cpuid-16h", by_base},  {"rtc", by_rtc},
};

enum { SOURCES = sizeof sources / sizeof sources[0] };

static bool agree(uint64_t a, uint64_t b)
{
    return a && b && (a > b ? a - b : b - a) <= a / TOLERANCE;
}

static void say_source(const char *name, uint64_t rate)
{
    vt_boot_say("@clock ");
    vt_boot_say(name);
    vt_boot_say(" ");
    vt_boot_say_number(rate);
    vt_boot_say_end();
}

static uint64_t choose(const uint64_t rates[SOURCES])
{
    for (int i = 0; i < SOURCES; i++)
        for (int j = i + 1; j < SOURCES; j++)
            if (agree(rates[i], rates[j]))
                return rates[i];
    return 0;
}

void vt_boot_clock_find(void)
{
    uint64_t rates[SOURCES] = {0};

    for (int i = 0; i < SOURCES; i++) {
        if (sources[i].ask == by_rtc && choose(rates))
            break;
        rates[i] = sources[i].ask();
        if (rates[i])
            say_source(sources[i].name, rates[i]);
    }
    khz = choose(rates);
}
