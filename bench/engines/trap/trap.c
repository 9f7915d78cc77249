/*
 * Engine `trap`: trap and emulate. The case runs at ring 3 of a process and
 * believes to run at CPL 0; what faults is emulated, what does not fault shows the
 * guest the host.
 */
#include "base/usage.h"
#include "base/process/watchdog.h"
#include "bench/engine.h"
#include "bench/engines/machine/inside.h"
#include "bench/engines/machine/machine.h"
#include "bench/engines/native/umip.h"
#include "bench/engines/trap/assist.h"
#include "bench/engines/trap/bare.h"
#include "bench/engines/trap/catch.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* INT 80h, without help of the kernel a system call of this process. */
#define SYSTEM_CALL_VECTOR 0x80

struct trap_engine {
    struct vt_engine_settings settings;
    struct vt_machine *machine;
    const struct vt_case *c;
    uint32_t assists;   /* that this machine has */
    uint32_t used;      /* for the prepared case */
    bool umip_emulated; /* the host kernel answers SGDT and its kin itself */
    bool inside;        /* this machine is itself a guest */
    uint64_t tsc[2];
    struct vt_trap_catcher catcher;
};

static uintptr_t code_end(void)
{
    return (uintptr_t)vt_guest_code_end;
}

static bool available(char *reason, size_t size)
{
    (void)reason, (void)size;
    return true;
}

static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct trap_engine *engine = calloc(1, sizeof *engine);
    unsigned eax, ebx, ecx = 0, edx;
    int status;

    if (!engine)
        return vt_error_memory(error, "engine trap");
    engine->settings = *settings;
    status = vt_machine_open(&engine->machine, error);
    if (status != 0) {
        free(engine);
        return status;
    }
    status = vt_trap_open(&engine->catcher, engine->machine, error);
    if (status != 0) {
        vt_machine_close(engine->machine);
        free(engine);
        return status;
    }
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    engine->inside = ecx >> 31 & 1;
    engine->assists = vt_assist_find(code_end());
    engine->umip_emulated = vt_native_umip_is_emulated();
    *state = engine;
    return 0;
}

static void engine_close(void *state)
{
    struct trap_engine *engine = state;

    vt_trap_close(&engine->catcher);
    vt_machine_close(engine->machine);
    free(engine);
}

static enum vt_path path(void *state)
{
    (void)state;
    return VT_PATH_EMULATED;
}

/* What of the case enters the host's kernel at ring 3, in words; NULL: nothing does. */
static const char *system_call(const struct vt_case *c)
{
    if (c->needs & VT_NEED_HANDLERS && c->skip_vector == SYSTEM_CALL_VECTOR)
        return "INT 80h";
    return c->needs & VT_NEED_USER ? "SYSCALL" : NULL;
}

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    struct trap_engine *engine = state;

    (void)cpl;
    if (system_call(c) && !(engine->assists & VT_ASSIST_SYSCALL))
        snprintf(reason, size, "%s at ring 3 is a system call: needs syscall user dispatch (Linux 5.11)",
                 system_call(c));
    else if (vt_machine_lacks(c))
        snprintf(reason, size, "%s", vt_machine_lacks(c));
    else if (c->handler == VT_BY_HYPERCALL && engine->inside)
        snprintf(reason, size,
                 "at ring 3 it goes to the hypervisor this machine runs under, not to a signal");
    else
        return true;
    return false;
}

static bool reads_time_stamp(const struct vt_case *c)
{
    return strcmp(c->name, "rdtsc") == 0 || strcmp(c->name, "rdtscp") == 0;
}

static uint32_t wanted_assists(const struct vt_case *c)
{
    uint32_t wanted = VT_ASSIST_CPUID;

    if (reads_time_stamp(c))
        wanted |= VT_ASSIST_TSC;
    if (system_call(c))
        wanted |= VT_ASSIST_SYSCALL;
    return wanted;
}

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct trap_engine *engine = state;

    (void)cpl, (void)error;
    engine->c = c;
    engine->used = wanted_assists(c) & engine->assists;
    vt_machine_prepare(engine->machine, c);
    vt_trap_forget(&engine->catcher);
    return 0;
}

static enum vt_batch_end explain(const struct trap_engine *engine, enum vt_trap_end end,
                                 struct vt_error *error)
{
    const struct vt_vcpu *vcpu = &engine->machine->vcpu;

    switch (end) {
    case VT_TRAP_TIMEOUT:
        if (*engine->settings.stop)
            return VT_BATCH_INTERRUPTED;
        vt_error_set(error, VT_EXIT_NO, 0, "did not return within %llu ms",
                     (unsigned long long)(engine->settings.limit_ns / 1000000));
        return VT_BATCH_TIMEOUT;
    case VT_TRAP_HALTED:
        vt_error_set(error, VT_EXIT_NO, 0, "halted with no interrupt to wake it");
        return VT_BATCH_FAULT;
    default:
        return vt_machine_explain(vcpu, engine->c, vcpu->rip - (uintptr_t)vt_guest_code_start, error);
    }
}

/* vt_batch reads the clock twice; where that faults, two of the signals are the method's own. */
static uint64_t own_signals(const struct trap_engine *engine)
{
    return engine->used & VT_ASSIST_TSC ? 2 : 0;
}

/* Why a sensitive instruction crossed, or what the guest sees because it did not. */
static const char *note_of(const struct trap_engine *engine, uint64_t signals, bool emulated)
{
    if (emulated)
        return "UMIP: it faults, but the host kernel answers with dummy values before any signal";
    if (signals == 0)
        return engine->c->sensitivity == VT_SENSITIVE
                   ? "does not fault at ring 3: the guest sees the host's state"
                   : NULL;
    if (engine->used & VT_ASSIST_TSC)
        return "faults at ring 3 only with the assist of prctl(PR_SET_TSC)";
    if (engine->used & VT_ASSIST_CPUID && engine->c->class == VT_CLASS_IDENTIFICATION)
        return "faults at ring 3 only with the assist of CPUID faulting, arch_prctl(ARCH_CPUID_SET)";
    if (engine->used & VT_ASSIST_SYSCALL)
        return "a system call of the host at ring 3: caught by syscall user dispatch";
    return NULL;
}

static void fill_batch(const struct trap_engine *engine, enum vt_twin twin, uint64_t iterations,
                       const struct vt_usage *before, const struct vt_usage *after, struct vt_batch *out)
{
    bool emulated = engine->umip_emulated && twin == VT_BODY && vt_native_umip_covers(engine->c);
    uint64_t signals = engine->catcher.signals - own_signals(engine);

    *out = (struct vt_batch){
        .cycles = engine->tsc[1] - engine->tsc[0],
        .marked = after->preemptions != before->preemptions,
        .note = note_of(engine, signals, emulated),
    };
    vt_counters_put(&out->counters, VT_SIGNALS, signals);
    vt_counters_put(&out->counters, VT_HOST_EMULATIONS, emulated ? iterations : 0);
    vt_usage_count(before, after, &out->counters);
    if (engine->c->needs & VT_NEED_INTERRUPTS)
        vt_counters_put(&out->counters, VT_INTERRUPTS, engine->catcher.interrupts);
}

static enum vt_trap_end run(struct trap_engine *engine, vt_case_function function, uint64_t iterations)
{
    const uint64_t arguments[4] = {(uintptr_t)function, iterations, (uintptr_t)&engine->machine->scratch,
                                   (uintptr_t)engine->tsc};
    enum vt_trap_end end;

    vt_assist_switch(engine->used, true, code_end());
    engine->machine->clock_is_hidden = engine->used & VT_ASSIST_TSC;
    end = vt_trap_run(&engine->catcher, (uintptr_t)vt_batch, arguments, engine->settings.limit_ns);
    engine->machine->clock_is_hidden = false;
    vt_assist_switch(engine->used, false, code_end());
    return end;
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    struct trap_engine *engine = state;
    struct vt_usage before, after;
    enum vt_trap_end end;

    if (engine->c->needs & VT_NEED_DISCARD)
        vt_machine_discard(engine->machine);
    before = vt_usage_now();
    end = run(engine, twin == VT_BODY ? engine->c->body : engine->c->baseline, iterations);
    after = vt_usage_now();
    if (end != VT_TRAP_RETURNED)
        return explain(engine, end, error);
    fill_batch(engine, twin, iterations, &before, &after, out);
    return VT_BATCH_DONE;
}

static double bare(void *state)
{
    (void)state;
    return vt_trap_bare();
}

static size_t own(void *state, struct vt_own own[VT_OWN_MOST])
{
    const struct trap_engine *engine = state;
    own[0] = (struct vt_own){engine, 0};
    own[1] = (struct vt_own){engine->machine, 0};
    return 2 + vt_trap_own(&engine->catcher, own + 2);
}

struct vt_machine *vt_trap_inside(void *state)
{
    return ((struct trap_engine *)state)->machine;
}

static const int levels[] = {0, -1};

const struct vt_engine vt_engine_trap = {
    .name = "trap",
    .summary = "trap and emulate: at ring 3 of a process, faults caught as signals",
    .levels = levels,
    .available = available,
    .open = engine_open,
    .path = path,
    .supports = supports,
    .prepare = prepare,
    .batch = batch,
    .bare = bare,
    .own = own,
    .close = engine_close,
};
