/*
 * Engine `translate`: the cases, copied into the translator's window, run as ring-0
 * code of the virtual CPU.
 *
 * Inline hits are counted by a run of their own: the counting code takes longer than
 * what it counts. Before the first batch of a length, the same code with the same
 * length runs once in counting mode, untimed; a batch of that length reports its hits.
 * Callouts are counted in the batch itself.
 */
#include "base/usage.h"
#include "base/process/watchdog.h"
#include "bench/engine.h"
#include "bench/engines/machine/inside.h"
#include "bench/engines/machine/machine.h"
#include "translate/process/process.h"
#include "bench/instruction.h"
#include "vcpu/apic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Layout of the window. */
#define CODE       0x000000
#define HANDLERS   0x100000
#define STACK_TOP  0x200000
#define IDT_GATES  256
#define PAGE_BYTES 4096

/* RDTSC and RDTSCP of vt_batch. */
#define OWN_HITS 2

struct proof {
    uint64_t iterations; /* 0: none yet */
    uint64_t hits;
};

struct translate_engine {
    struct vt_engine_settings settings;
    struct vt_watchdog watchdog;
    struct vt_machine *machine;
    struct vt_environment environment;
    struct vt_translate *translate;
    uint8_t *window;
    const struct vt_case *c;
    struct proof proof[2]; /* by enum vt_twin */
    uint64_t warm[2];      /* flush count when the twin was last run, plus 1 */
    uint64_t tsc[2];
};

static bool available(char *reason, size_t size)
{
    struct vt_translate_settings settings = {0};
    struct vt_translate *translate;
    struct vt_error error;

    if (vt_translate_create(&translate, &settings, &error) == 0) {
        vt_translate_destroy(translate);
        return true;
    }
    snprintf(reason, size, "%s", error.text);
    return false;
}

static enum vt_access load(void *context, uint64_t address, void *value, unsigned size, uint32_t *error)
{
    struct translate_engine *engine = context;

    if (vt_translate_load(engine->translate, address, value, size))
        return VT_ACCESS_DONE;
    return engine->machine->environment.load(engine->machine, address, value, size, error);
}

static enum vt_access store(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error)
{
    struct translate_engine *engine = context;

    if (vt_translate_store(engine->translate, address, value, size))
        return VT_ACCESS_DONE;
    return engine->machine->environment.store(engine->machine, address, value, size, error);
}

/* The local APIC is the virtual CPU's, and that is the translator's. */
static bool is_apic(const struct translate_engine *engine, uint64_t address)
{
    return address - engine->machine->scratch.xapic < PAGE_BYTES;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    struct translate_engine *engine = context;

    if (is_apic(engine, address))
        return vt_vcpu_apic_read(vt_translate_vcpu(engine->translate), address % PAGE_BYTES);
    return engine->machine->environment.mmio_read(engine->machine, address, size);
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct translate_engine *engine = context;

    if (is_apic(engine, address))
        vt_vcpu_apic_write(vt_translate_vcpu(engine->translate), address % PAGE_BYTES, value);
    else
        engine->machine->environment.mmio_write(engine->machine, address, size, value);
}

#define FORWARD(type, name, parameters, arguments)                                                           \
    static type name parameters                                                                              \
    {                                                                                                        \
        struct vt_machine *machine = ((struct translate_engine *)context)->machine;                          \
        return machine->environment.name arguments;                                                          \
    }
FORWARD(uint32_t, port_read, (void *context, uint16_t port, unsigned size), (machine, port, size))
FORWARD(void, port_write, (void *context, uint16_t port, unsigned size, uint32_t value),
        (machine, port, size, value))
FORWARD(enum vt_access, msr_read, (void *context, uint32_t index, uint64_t *value), (machine, index, value))
FORWARD(enum vt_access, msr_write, (void *context, uint32_t index, uint64_t value), (machine, index, value))
FORWARD(uint64_t, counter, (void *context, uint32_t index), (machine, index))
FORWARD(void, flush, (void *context, uint64_t address), (machine, address))
FORWARD(void, write_back, (void *context), (machine))
FORWARD(void, hypercall, (void *context, uint64_t gpr[16]), (machine, gpr))

static uint64_t read_clock(void *context)
{
    return vt_machine_clock(((struct translate_engine *)context)->machine);
}

static void connect_environment(struct translate_engine *engine)
{
    engine->environment = (struct vt_environment){
        .context = engine,
        .load = load,
        .store = store,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .port_read = port_read,
        .port_write = port_write,
        .msr_read = msr_read,
        .msr_write = msr_write,
        .clock = read_clock,
        .counter = counter,
        .flush = flush,
        .write_back = write_back,
        .hypercall = hypercall,
    };
}

static void on_expiry(void *context, siginfo_t *info, void *ucontext)
{
    struct translate_engine *engine = context;

    (void)info;
    vt_translate_stop(engine->translate, ucontext);
}

static void engine_close(void *state)
{
    struct translate_engine *engine = state;

    vt_watchdog_close(&engine->watchdog);
    vt_translate_destroy(engine->translate);
    vt_machine_close(engine->machine);
    free(engine);
}

static int open_parts(struct translate_engine *engine, struct vt_error *error)
{
    struct vt_translate_settings settings = {.environment = &engine->environment,
                                             .fix_fault = vt_machine_fix_access};
    int status = vt_machine_open(&engine->machine, error);

    if (status != 0)
        return status;
    connect_environment(engine);
    status = vt_translate_create(&engine->translate, &settings, error);
    if (status != 0)
        goto no_translate;
    engine->watchdog.expired = on_expiry;
    engine->watchdog.context = engine;
    status = vt_watchdog_open(&engine->watchdog, error);
    if (status == 0)
        return 0;
    vt_translate_destroy(engine->translate);
no_translate:
    vt_machine_close(engine->machine);
    return status;
}

static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct translate_engine *engine = calloc(1, sizeof *engine);
    size_t size;

    if (!engine)
        return vt_error_memory(error, "engine translate");
    engine->settings = *settings;
    int status = open_parts(engine, error);
    if (status != 0) {
        free(engine);
        return status;
    }
    engine->window = vt_translate_memory(engine->translate, &size);
    *state = engine;
    return 0;
}

static enum vt_path path(void *state)
{
    (void)state;
    return VT_PATH_TRANSLATED;
}

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    (void)state, (void)cpl;
    const char *lacks = vt_machine_lacks(c);
    if (lacks)
        snprintf(reason, size, "%s", lacks);
    return !lacks;
}

/* The machine's handlers move into the window, and the gates with them. */
static void lay_handlers(struct translate_engine *engine)
{
    const struct vt_machine *machine = engine->machine;
    uint8_t *idt = (uint8_t *)(uintptr_t)machine->vcpu.idtr.base;
    uint64_t distance = (uintptr_t)engine->window + HANDLERS - (uintptr_t)machine->stubs;

    memcpy(engine->window + HANDLERS, machine->stubs, PAGE_BYTES);
    for (int i = 0; i < IDT_GATES; i++) {
        uint64_t gate[2], handler;
        memcpy(gate, idt + 16 * i, sizeof gate);
        if (!(gate[0] >> 47 & 1))
            continue;
        handler = ((gate[0] & 0xffff) | (gate[0] >> 48) << 16 | gate[1] << 32) + distance;
        gate[0] =
            (gate[0] & UINT64_C(0x0000ffffffff0000)) | (handler & 0xffff) | (handler >> 16 & 0xffff) << 48;
        gate[1] = handler >> 32;
        memcpy(idt + 16 * i, gate, sizeof gate);
    }
}

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct translate_engine *engine = state;

    (void)cpl, (void)error;
    engine->c = c;
    vt_machine_prepare(engine->machine, c);
    vt_translate_forget(engine->translate);
    vt_translate_reset_vectors(engine->translate);
    memcpy(engine->window + CODE, vt_guest_code_start, (size_t)(vt_guest_code_end - vt_guest_code_start));
    lay_handlers(engine);
    *vt_translate_vcpu(engine->translate) = engine->machine->vcpu;
    memset(engine->proof, 0, sizeof engine->proof);
    memset(engine->warm, 0, sizeof engine->warm);
    return 0;
}

static uint64_t in_window(const struct translate_engine *engine, const void *function)
{
    return (uintptr_t)engine->window + CODE + (uint64_t)((const uint8_t *)function - vt_guest_code_start);
}

static enum vt_translate_end run(struct translate_engine *engine, enum vt_twin twin, uint64_t iterations)
{
    struct vt_vcpu *vcpu = vt_translate_vcpu(engine->translate);
    vt_case_function function = twin == VT_BODY ? engine->c->body : engine->c->baseline;
    enum vt_translate_end end;

    if (engine->c->needs & VT_NEED_DISCARD)
        vt_machine_discard(engine->machine);
    vcpu->gpr[VT_RSP] = (uintptr_t)engine->window + STACK_TOP;
    vcpu->gpr[VT_RDI] = in_window(engine, (const void *)(uintptr_t)function);
    vcpu->gpr[VT_RSI] = iterations;
    vcpu->gpr[VT_RDX] = (uintptr_t)&engine->machine->scratch;
    vcpu->gpr[VT_RCX] = (uintptr_t)engine->tsc;
    vt_watchdog_arm(&engine->watchdog, engine->settings.limit_ns);
    end = vt_translate_call(engine->translate, in_window(engine, (const void *)(uintptr_t)vt_batch), 0);
    vt_watchdog_arm(&engine->watchdog, 0);
    return end;
}

/* Translation is no part of what a batch measures: everything in it has run before. */
static enum vt_translate_end warm_up(struct translate_engine *engine, enum vt_twin twin)
{
    enum vt_translate_end end = VT_TRANSLATE_RETURNED;

    for (int i = 0; i < 4 && end == VT_TRANSLATE_RETURNED; i++) {
        uint64_t flushes = vt_translate_counts(engine->translate).flushes;
        if (engine->warm[twin] == flushes + 1)
            break;
        end = run(engine, twin, 2);
        engine->warm[twin] = flushes + 1;
    }
    return end;
}

static enum vt_translate_end prove(struct translate_engine *engine, enum vt_twin twin, uint64_t iterations)
{
    struct proof *proof = &engine->proof[twin];

    if (proof->iterations == iterations)
        return VT_TRANSLATE_RETURNED;
    vt_translate_count(engine->translate, true);
    enum vt_translate_end end = warm_up(engine, twin);
    uint64_t before = vt_translate_counts(engine->translate).inline_hits;
    if (end == VT_TRANSLATE_RETURNED)
        end = run(engine, twin, iterations);
    uint64_t hits = vt_translate_counts(engine->translate).inline_hits - before;
    vt_translate_count(engine->translate, false);
    *proof = (struct proof){iterations, hits > OWN_HITS ? hits - OWN_HITS : 0};
    return end;
}

static enum vt_batch_end explain(const struct translate_engine *engine, enum vt_translate_end end,
                                 struct vt_error *error)
{
    const struct vt_vcpu *vcpu = vt_translate_vcpu(engine->translate);
    uint64_t offset = vcpu->rip - (uintptr_t)engine->window - CODE;

    switch (end) {
    case VT_TRANSLATE_STOPPED:
        if (*engine->settings.stop)
            return VT_BATCH_INTERRUPTED;
        vt_error_set(error, VT_EXIT_NO, 0, "did not return within %llu ms",
                     (unsigned long long)(engine->settings.limit_ns / 1000000));
        return VT_BATCH_TIMEOUT;
    case VT_TRANSLATE_HALTED:
        vt_error_set(error, VT_EXIT_NO, 0, "halted with no interrupt to wake it");
        return VT_BATCH_FAULT;
    case VT_TRANSLATE_UNHANDLED:
        vt_error_set(error, VT_EXIT_NO, 0, "%s is neither translated nor emulated",
                     vt_bench_instruction_at(offset).text);
        return VT_BATCH_ABSENT;
    default:
        return vt_machine_explain(vcpu, engine->c, offset, error);
    }
}

static void fill_counters(struct vt_counters *counters, const struct vt_translate_counts *before,
                          const struct vt_translate_counts *after)
{
    vt_counters_put(counters, VT_CALLOUTS, after->callouts - before->callouts);
    vt_counters_put(counters, VT_SIGNALS, after->signals - before->signals);
    vt_counters_put(counters, VT_BLOCKS, after->blocks - before->blocks);
    vt_counters_put(counters, VT_CHAIN_MISSES, after->chain_misses - before->chain_misses);
    vt_counters_put(counters, VT_LOOKUP_MISSES, after->lookup_misses - before->lookup_misses);
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    struct translate_engine *engine = state;
    enum vt_translate_end end = prove(engine, twin, iterations);

    if (end == VT_TRANSLATE_RETURNED)
        end = warm_up(engine, twin);
    struct vt_translate_counts before = vt_translate_counts(engine->translate);
    struct vt_usage usage_before = vt_usage_now();
    if (end == VT_TRANSLATE_RETURNED)
        end = run(engine, twin, iterations);
    if (end != VT_TRANSLATE_RETURNED)
        return explain(engine, end, error);
    struct vt_usage usage_after = vt_usage_now();
    struct vt_translate_counts after = vt_translate_counts(engine->translate);

    *out = (struct vt_batch){.cycles = engine->tsc[1] - engine->tsc[0],
                             .marked = usage_after.preemptions != usage_before.preemptions};
    fill_counters(&out->counters, &before, &after);
    vt_counters_put(&out->counters, VT_INLINE_HITS, engine->proof[twin].hits);
    vt_usage_count(&usage_before, &usage_after, &out->counters);
    if (engine->c->needs & VT_NEED_INTERRUPTS)
        vt_counters_put(&out->counters, VT_INTERRUPTS, after.interrupts - before.interrupts);
    return VT_BATCH_DONE;
}

static size_t own(void *state, struct vt_own own[VT_OWN_MOST])
{
    const struct translate_engine *engine = state;
    const void *parts[VT_TRANSLATE_OWN];

    vt_translate_own(engine->translate, parts);
    own[0] = (struct vt_own){engine, 0};
    own[1] = (struct vt_own){engine->machine, 0};
    for (size_t i = 0; i < VT_TRANSLATE_OWN; i++)
        own[2 + i] = (struct vt_own){parts[i], 0};
    return 2 + VT_TRANSLATE_OWN;
}

struct vt_machine *vt_translate_inside(void *state, struct vt_translate **translate)
{
    struct translate_engine *engine = state;

    *translate = engine->translate;
    return engine->machine;
}

uint64_t vt_translate_inside_address(void *state, const void *code)
{
    return in_window(state, code);
}

enum vt_translate_end vt_translate_inside_run(void *state, uint64_t iterations)
{
    return run(state, VT_BODY, iterations);
}

static const int levels[] = {0, -1};

const struct vt_engine vt_engine_translate = {
    .name = "translate",
    .summary = "binary translation: sensitive instructions replaced, in a process",
    .levels = levels,
    .available = available,
    .open = engine_open,
    .path = path,
    .supports = supports,
    .prepare = prepare,
    .batch = batch,
    .own = own,
    .close = engine_close,
};
