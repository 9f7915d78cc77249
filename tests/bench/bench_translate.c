/*
 * What the translator costs: compute kernels against native, sensitive instructions
 * done inline and by callout, and the speed of translating. One run, both sides in turn.
 */
#include "bench/engine.h"
#include "translate/process/process.h"
#include "guest/abi.h"
#include "tests/bench/versus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS           25
#define KERNEL_TURNS     300
#define CASE_TURNS       20000
#define MOST_CASES       128
#define INLINE_LIMIT_NS  5.0
#define FLAG_LIMIT_NS    2.0
#define CALLOUT_LIMIT_NS 100.0
#define SPEED_LIMIT      50.0

static volatile int stop;

struct side {
    const struct vt_engine *engine;
    void *state;
    int cpl;
};

struct kernel {
    const char *name;
    double limit;
};

static const struct kernel kernels[] = {
    {"arithmetic", 1.05}, {"pointer-chase", 1.05}, {"memcpy", 1.05},
    {"sort", 1.25},       {"interpreter", 1.35},   {"recursion", 1.60},
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

static double cycles_per_ns(void)
{
    struct timespec a, b;
    uint64_t start = __builtin_ia32_rdtsc();

    clock_gettime(CLOCK_MONOTONIC, &a);
    do
        clock_gettime(CLOCK_MONOTONIC, &b);
    while ((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec < 50000000);
    return (double)(__builtin_ia32_rdtsc() - start) /
           (double)((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec);
}

/* Cycles per operation of one batch, loop included; NaN where it does not run. */
static double cycles(const struct side *side, enum vt_twin twin, uint64_t turns, struct vt_counters *counters)
{
    struct vt_error error;
    struct vt_batch batch;

    if (side->engine->batch(side->state, twin, turns, &batch, &error) != VT_BATCH_DONE)
        return NAN;
    if (counters)
        *counters = batch.counters;
    return (double)batch.cycles / (double)turns;
}

static bool prepare(const struct side *side, const struct vt_case *c)
{
    struct vt_error error;
    char reason[256];

    return side->engine->supports(side->state, c, side->cpl, reason, sizeof reason) &&
           side->engine->prepare(side->state, c, side->cpl, &error) == 0;
}

static int compare_kernels(const struct side *native, const struct side *translate)
{
    static double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];
    struct vt_quiet quiet = {0};
    double logarithms = 0;
    int worst = 0;

    for (size_t i = 0; i < KERNELS; i++) {
        const struct vt_case *c = vt_guest_find_case(kernels[i].name);
        char title[64];
        if (!prepare(native, c) || !prepare(translate, c))
            return 3;
        for (size_t round = 0; round < ROUNDS; round++) {
            vt_versus_wait(&quiet);
            theirs[round] = cycles(native, VT_BODY, KERNEL_TURNS, NULL);
            ours[round] = cycles(translate, VT_BODY, KERNEL_TURNS, NULL);
            ratios[round] = ours[round] / theirs[round];
        }
        logarithms += log(vt_versus_median(ratios, ROUNDS));
        snprintf(title, sizeof title, "translate, %s against native", kernels[i].name);
        int status = vt_versus_report(title, "cycles", ours, theirs, ROUNDS, kernels[i].limit);
        worst = status > worst ? status : worst;
    }
    double mean = exp(logarithms / KERNELS);
    printf("translate, compute kernels: geometric mean %.3f, at most 1.20: %s\n", mean,
           mean <= 1.2 ? "kept" : "NOT KEPT");
    return mean <= 1.2 ? worst : 1;
}

/* Net cycles of one operation, and how it was done. */
static double toll(const struct side *side, struct vt_counters *counters)
{
    static double tolls[ROUNDS];
    struct vt_counters body, baseline;
    struct vt_quiet quiet = {0};

    for (size_t round = 0; round < ROUNDS; round++) {
        vt_versus_wait(&quiet);
        tolls[round] =
            cycles(side, VT_BODY, CASE_TURNS, &body) - cycles(side, VT_BASELINE, CASE_TURNS, &baseline);
    }
    *counters = vt_counters_since(&baseline, &body);
    return vt_versus_median(tolls, ROUNDS);
}

static double limit_of(const struct vt_case *c, bool called_out)
{
    if (called_out)
        return CALLOUT_LIMIT_NS;
    return strcmp(c->name, "cli") == 0 || strcmp(c->name, "sti") == 0 ? FLAG_LIMIT_NS : INLINE_LIMIT_NS;
}

/* The work of a device, of delivering an interrupt or of reading the clock is not the translator's. */
static bool has_work_of_its_own(const struct vt_case *c)
{
    return c->class == VT_CLASS_TIME || c->class == VT_CLASS_EXCEPTION || c->class == VT_CLASS_IDLE ||
           c->needs & (VT_NEED_EVENTFD | VT_NEED_INTERRUPTS | VT_NEED_DISCARD);
}

static int measure_case(const struct side *side, const struct vt_case *c, double per_ns)
{
    struct vt_counters counters;

    if (c->max_iterations || !prepare(side, c))
        return 0;
    double ns = toll(side, &counters) / per_ns;
    bool called_out = counters.value[VT_CALLOUTS] * 10 > CASE_TURNS * 9;
    bool in_line = counters.value[VT_INLINE_HITS] * 10 > CASE_TURNS * 9;
    if (isnan(ns) || (!called_out && !in_line))
        return 0;
    bool judged = !has_work_of_its_own(c) && strcmp(c->name, "rep-outs-user") != 0;
    bool holds = ns <= limit_of(c, called_out);
    printf("%-22s %-8s %8.2f ns", c->name, called_out ? "callout" : "inline", ns);
    if (judged)
        printf("   at most %g: %s\n", limit_of(c, called_out), holds ? "kept" : "NOT KEPT");
    else
        puts("   includes work of its own");
    return judged && !holds;
}

static int measure_cases(const struct side *side)
{
    double per_ns = cycles_per_ns();
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);
    int worst = 0;

    for (size_t i = 0; i < count; i++)
        worst |= measure_case(side, &cases[i], per_ns);
    return worst;
}

/* Of the processor's time: translating waits for nothing, and others may be busy here. */
static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/*
 * Straight-line functions of the most frequent instructions of compiled code, ended by returns: registers,
 * loads, stores, RIP-relative operands, short forward branches.
 */
static size_t make_functions(uint8_t *code, size_t size)
{
    static const char *const forms[] = {
        "\x48\x89\xe5",
        "\x48\x8b\x45\xf8",
        "\x89\x45\xfc",
        "\x48\x83\xec\x20",
        "\x8b\x55\xf4",
        "\x01\xd0",
        "\x48\x8d\x74\x24\x10",
        "\x48\x89\x74\x24\x18",
        "\x48\x8b\x05\x10\x20\x00\x00",
        "\x0f\xb6\x07",
        "\x41\x54",
        "\x41\x5c",
        "\x45\x31\xc0",
        "\x48\x85\xff",
        "\x74\x00",
        "\x75\x00",
        "\x66\x0f\xef\xc0",
        "\xb8\x2a\x00\x00\x00",
        "\x48\xc1\xe0\x03",
        "\x49\x89\xcd",
        "\xf3\x0f\x10\x45\xf0",
        "\x48\x63\xd2",
        "\x48\x81\xc4\x88\x00\x00\x00",
        "\x80\x7f\x10\x00",
        "\x0f\x94\xc0",
        "\x48\x0f\x44\xc2",
    };
    static const uint8_t lengths[] = {3, 4, 3, 4, 3, 2, 5, 5, 7, 3, 2, 2, 3,
                                      3, 2, 2, 4, 5, 4, 3, 5, 3, 7, 4, 3, 4};
    size_t used = 0, functions = 0;
    uint32_t random = 1;

    while (used + 16 < size) {
        random = random * 1664525 + 1013904223;
        unsigned form = (random >> 16) % (sizeof lengths + 1);
        if (form == sizeof lengths) {
            functions++;
            code[used++] = 0xc3;
            continue;
        }
        memcpy(code + used, forms[form], lengths[form]);
        used += lengths[form];
    }
    return functions;
}

static int measure_speed(void)
{
    struct vt_environment environment = {0};
    struct vt_translate_settings settings = {
        .memory = 16 << 20, .cache = 64 << 20, .environment = &environment};
    struct vt_translate *translate;
    struct vt_error error;
    double speeds[5];
    size_t functions = 0, size = 0;

    for (size_t round = 0; round < sizeof speeds / sizeof speeds[0]; round++) {
        if (vt_translate_create(&translate, &settings, &error) != 0) {
            puts(error.text);
            return 3;
        }
        uint8_t *code = vt_translate_memory(translate, &size);
        size = 8 << 20;
        functions = make_functions(code, size);
        double start = now_ns();
        for (uint8_t *at = code; vt_translate_counts(translate).bytes < size - 64;
             at = code + vt_translate_counts(translate).bytes)
            if (!vt_translate_prepare(translate, (uintptr_t)at))
                break;
        struct vt_translate_counts counts = vt_translate_counts(translate);
        speeds[round] = (double)counts.bytes / (now_ns() - start) * 1e3;
        if (round == 0)
            printf("translation: %zu functions, %.1f MB, %llu blocks, %llu flushes\n", functions,
                   (double)counts.bytes / 1e6, (unsigned long long)counts.blocks,
                   (unsigned long long)counts.flushes);
        vt_translate_destroy(translate);
    }
    double speed = vt_versus_median(speeds, sizeof speeds / sizeof speeds[0]);
    printf("translation, cold: %.1f MB/s of guest code, at least %g: %s\n", speed, SPEED_LIMIT,
           speed >= SPEED_LIMIT ? "kept" : "NOT KEPT");
    return speed < SPEED_LIMIT;
}

static bool open_side(struct side *side, const char *name, int cpl, struct vt_error *error)
{
    struct vt_engine_settings settings = {.limit_ns = 2000000000, .stop = &stop};

    *side = (struct side){.engine = vt_bench_find_engine(name), .cpl = cpl};
    return side->engine->open(&side->state, &settings, error) == 0;
}

int main(void)
{
    struct side native, translate;
    struct vt_error error;

    if (!open_side(&translate, "translate", 0, &error) || !open_side(&native, "native", 3, &error)) {
        puts(error.text);
        return 3;
    }
    int kernels_status = compare_kernels(&native, &translate);
    int cases_status = measure_cases(&translate);
    int speed_status = measure_speed();
    native.engine->close(native.state);
    translate.engine->close(translate.state);
    return kernels_status ? kernels_status : cases_status ? cases_status : speed_status;
}
