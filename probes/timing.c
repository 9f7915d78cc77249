#include "probes/live.h"
#include "probes/section.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

/* Settings of the kernel that move time measurements. */
static const struct setting {
    const char *name, *path, *absent;
} settings[] = {
    {"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource",
     "the kernel does not tell"},
    {"governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
     "no frequency scaling driver: fixed frequency, or a guest"},
    {"driver", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver",
     "no frequency scaling driver: fixed frequency, or a guest"},
    {"smt", "/sys/devices/system/cpu/smt/control", "the kernel does not tell"},
};

static void put_setting(json_t *document, const struct vt_facts *facts, const struct setting *setting)
{
    char path[128], line[128];
    int number;
    vt_document_path(path, "timing", setting->name);
    if (!facts->live)
        vt_document_unknown(document, path, "a CPUID dump does not tell");
    else if (vt_live_line(setting->path, line, sizeof line, &number) && *line)
        vt_document_put(document, path, json_string(line), setting->path);
    else
        vt_document_unknown(document, path, setting->absent);
}

/* Two drivers, two files of opposite meaning. */
static void put_turbo(json_t *document, const struct vt_facts *facts)
{
    static const char boost[] = "/sys/devices/system/cpu/cpufreq/boost";
    static const char no_turbo[] = "/sys/devices/system/cpu/intel_pstate/no_turbo";
    char line[16];
    int number;
    if (!facts->live)
        vt_document_unknown(document, "timing.turbo", "a CPUID dump does not tell");
    else if (vt_live_line(no_turbo, line, sizeof line, &number))
        vt_document_put(document, "timing.turbo", json_boolean(*line == '0'), no_turbo);
    else if (vt_live_line(boost, line, sizeof line, &number))
        vt_document_put(document, "timing.turbo", json_boolean(*line == '1'), boost);
    else
        vt_document_unknown(document, "timing.turbo",
                            "no frequency scaling driver: fixed frequency, or a guest");
}

/* Crystal frequency × ratio (SDM 2A, leaf 0x15); without the crystal's, the base frequency of leaf 0x16 is
 * the TSC's. */
static uint64_t khz_from_cpuid(const struct vt_facts *facts, const char **evidence)
{
    uint32_t ratio[4], base[4];
    bool has_ratio = vt_facts_leaf(facts, 0x15, 0, ratio) == VT_READ && ratio[VT_EAX] && ratio[VT_EBX];
    *evidence = "CPUID 0x15";
    if (has_ratio && ratio[VT_ECX])
        return (uint64_t)ratio[VT_ECX] * ratio[VT_EBX] / ratio[VT_EAX] / 1000;
    *evidence = "CPUID 0x16, base frequency";
    if (has_ratio && vt_facts_leaf(facts, 0x16, 0, base) == VT_READ)
        return (uint64_t)(base[VT_EAX] & 0xffff) * 1000;
    return 0;
}

/* VMware's leaf, which KVM and others imitate (VMware KB 1009458), and Xen's. Both in kHz. */
static uint64_t khz_from_hypervisor(const json_t *document, const struct vt_facts *facts,
                                    const char **evidence)
{
    uint32_t reg[4];
    const char *vendor = vt_document_text(document, "hypervisor.vendor");
    if (!vendor)
        return 0;
    *evidence = "CPUID 0x40000010";
    if (strcmp(vendor, "Xen") != 0 && strcmp(vendor, "Hyper-V") != 0 &&
        vt_facts_leaf(facts, 0x40000000, 0, reg) == VT_READ && reg[VT_EAX] >= 0x40000010 &&
        vt_facts_leaf(facts, 0x40000010, 0, reg) == VT_READ)
        return reg[VT_EAX];
    *evidence = "CPUID 0x40000003, Xen";
    if (strcmp(vendor, "Xen") == 0 && vt_facts_leaf(facts, 0x40000003, 0, reg) == VT_READ)
        return reg[VT_ECX];
    return 0;
}

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Both clocks read together; the tightest of a few readings is the least disturbed. */
static void read_together(uint64_t *tsc, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = __rdtsc(), now = nanoseconds(), after = __rdtsc();
        if (after - before < best) {
            best = after - before;
            *tsc = before + best / 2;
            *ns = now;
        }
    }
}

/* Against the kernel's clock over a few milliseconds: good to about one part in ten thousand. */
static uint64_t measure_khz(const char **evidence)
{
    uint64_t tsc[2] = {0}, ns[2] = {0};
    *evidence = "measured over 10 ms against CLOCK_MONOTONIC_RAW, good to about 0.01 %";
    read_together(&tsc[0], &ns[0]);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    read_together(&tsc[1], &ns[1]);
    return ns[1] > ns[0] ? (uint64_t)((double)(tsc[1] - tsc[0]) * 1e6 / (double)(ns[1] - ns[0]) + 0.5) : 0;
}

static void put_khz(json_t *document, const struct vt_facts *facts)
{
    const char *evidence;
    uint64_t khz = khz_from_cpuid(facts, &evidence);
    if (!khz)
        khz = khz_from_hypervisor(document, facts, &evidence);
    if (!khz && facts->live) {
        evidence = "KVM_GET_TSC_KHZ";
        khz = (uint64_t)json_integer_value(vt_document_get(document, "kvm.tsc_khz"));
    }
    if (!khz && facts->live)
        khz = measure_khz(&evidence);
    if (khz)
        vt_document_put(document, "timing.tsc_khz", json_integer((json_int_t)khz), evidence);
    else
        vt_document_unknown(document, "timing.tsc_khz",
                            "neither CPUID 0x15 and 0x16 nor a hypervisor's leaf give the frequency");
}

void vt_detect_timing(json_t *document, const struct vt_facts *facts)
{
    struct vt_finding invariant = vt_row_cpuid(facts, (struct vt_cpuid_bit){0x80000007, 0, VT_EDX, 8});
    vt_row_record(document, "timing", "invariant_tsc", &invariant);
    put_khz(document, facts);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        put_setting(document, facts, &settings[i]);
    put_turbo(document, facts);
}
