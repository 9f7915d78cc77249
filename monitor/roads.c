/* The roads that the monitor brings to the image (guest/image/road.h). */
#include "guest/abi.h"
#include "monitor/call.h"
#include "monitor/monitor.h"
#include "monitor/svm.h"

#include <cpuid.h>

/* A fault and its return take some hundred cycles of a processor; an interpreter of ring 0 takes ten
 * thousands. */
#define BARE_MOST   5000
#define BARE_LENGTH 100
#define NOP_MOST    50
#define NOP_TRIES   3

static struct {
    uint64_t ticks; /* of BARE_LENGTH bare crossings */
} bare;

static uint64_t bare_batch(vt_case_function function)
{
    vt_monitor_prepare(vt_guest_find_case("cli"));
    if (vt_monitor_run_bare(function, BARE_LENGTH) != VT_MONITOR_RETURNED)
        return 0;
    return vt_monitor.tsc[1] - vt_monitor.tsc[0];
}

static void measure_bare(void)
{
    const struct vt_case *c = vt_guest_find_case("cli");

    bare_batch(c->body);
    uint64_t body = bare_batch(c->body), baseline = bare_batch(c->baseline);
    bare.ticks = body > baseline ? body - baseline : 0;
}

static uint64_t get_bare(uint64_t *crossings)
{
    *crossings = BARE_LENGTH;
    return bare.ticks;
}

static uint64_t time_once(vt_case_function function)
{
    uint64_t tsc[2];

    vt_batch(function, BARE_LENGTH, (struct vt_scratch *)VT_GUEST_SCRATCH, tsc);
    return tsc[1] - tsc[0];
}

/* Asked before the monitor is opened: what it executes then, an interpreter may not know, and end the
 * machine. */
static bool is_interpreted(void)
{
    const struct vt_case *c = vt_guest_find_case("nop");
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < NOP_TRIES; i++) {
        uint64_t body = time_once(c->body), baseline = time_once(c->baseline);
        uint64_t toll = body > baseline ? body - baseline : 0;
        least = toll < least ? toll : least;
    }
    return least > (uint64_t)BARE_LENGTH * NOP_MOST;
}

static const char *find_refusal(void)
{
    if (is_interpreted())
        return "ring 0 is interpreted here: a NOP takes more than 50 cycles, and a monitor's price would be "
               "the "
               "interpreter's";
    const char *reason = vt_monitor_open();
    if (!reason)
        measure_bare();
    if (!reason && bare.ticks > (uint64_t)BARE_LENGTH * BARE_MOST)
        reason = "a fault is not the processor's alone here: a bare one takes more than 5000 cycles";
    return reason;
}

static const char *refuse(void)
{
    static bool asked;
    static const char *reason;

    if (!asked)
        reason = find_refusal();
    asked = true;
    return reason;
}

/* At ring 3 a hypercall instruction goes to the hypervisor below, past the monitor. */
static bool is_inside(void)
{
    unsigned a, b, c, d;

    __cpuid(1, a, b, c, d);
    return c >> 31 & 1;
}

static const char *why_not(const struct vt_case *c)
{
    const char *lack = vt_monitor_lacks(c);

    if (!lack && c->handler == VT_BY_HYPERCALL && is_inside())
        lack = "it may go to the hypervisor this machine runs under, past the monitor";
    return lack;
}

static enum vt_road_end end_of(enum vt_monitor_end end)
{
    static const enum vt_road_end ends[] = {[VT_MONITOR_RETURNED] = VT_ROAD_DONE,
                                            [VT_MONITOR_FAULT] = VT_ROAD_FAULT,
                                            [VT_MONITOR_HALTED] = VT_ROAD_HALTED,
                                            [VT_MONITOR_TIMEOUT] = VT_ROAD_TIMEOUT,
                                            [VT_MONITOR_BROKEN] = VT_ROAD_BROKEN};
    return ends[end];
}

enum count { COUNT_TRAPS, COUNT_CALLS, COUNT_EXITS, COUNT_INTERRUPTS };

/* The return from vt_batch is one, too, of both twins. */
static void take_counts(struct vt_road_batch *out)
{
    out->count[COUNT_TRAPS] = vt_monitor.traps;
    out->count[COUNT_EXITS] = vt_monitor.exits;
    out->count[COUNT_CALLS] = vt_monitor.calls;
    out->count[COUNT_INTERRUPTS] = vt_monitor.interrupts;
    for (size_t i = 0; i < 32; i++)
        out->vectors[i] = vt_monitor.vectors[i];
}

static void finish(enum vt_monitor_end end, struct vt_road_batch *out)
{
    *out = (struct vt_road_batch){.end = end_of(end),
                                  .vector = end == VT_MONITOR_BROKEN ? vt_monitor.broken
                                                                     : vt_monitor.vcpu.fault.vector,
                                  .tsc = {vt_monitor.tsc[0], vt_monitor.tsc[1]}};
    if (end == VT_MONITOR_RETURNED)
        take_counts(out);
}

static void batch(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_monitor_prepare(c);
    finish(vt_monitor_run(body ? c->body : c->baseline, iterations, VT_MONITOR_SHUT), out);
}

static const char *why_no_call(const struct vt_case *c)
{
    if (!vt_guest_pv_form(c, VT_PV_XEN)->calls)
        return "shared memory of Xen's, which the monitor does not keep";
    return vt_call_offers(c) ? NULL : "the monitor answers no such call of Xen's";
}

static void batch_of_form(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    const struct vt_pv_form *form = vt_guest_pv_form(c, VT_PV_XEN);

    vt_monitor_prepare(c);
    vt_call_prepare(c);
    finish(vt_monitor_run(body ? form->body : form->baseline, iterations, VT_MONITOR_CALLS), out);
}

#define COUNTS                                                                                               \
    {                                                                                                        \
        [COUNT_TRAPS] = "traps", [COUNT_CALLS] = "hypercalls", [COUNT_EXITS] = "exits",                      \
        [COUNT_INTERRUPTS] = "interrupts"                                                                    \
    }

static const struct vt_image_road by_fault = {
    .name = "monitor-trap",
    .counts = COUNTS,
    .refuse = refuse,
    .why_not = why_not,
    .batch = batch,
    .bare = get_bare,
};

static const struct vt_image_road by_call = {
    .name = "monitor-call",
    .counts = COUNTS,
    .by_form = true,
    .refuse = refuse,
    .why_not = why_no_call,
    .batch = batch_of_form,
};

static struct {
    bool measured;
    uint64_t ticks; /* of BARE_LENGTH bare exits */
} bare_exit;

static uint64_t bare_exits(vt_case_function function)
{
    vt_monitor_prepare(vt_guest_find_case("cpuid"));
    return vt_svm_run_bare(function, BARE_LENGTH) == VT_MONITOR_RETURNED
               ? vt_monitor.tsc[1] - vt_monitor.tsc[0]
               : 0;
}

static uint64_t get_bare_exit(uint64_t *crossings)
{
    const struct vt_case *c = vt_guest_find_case("cpuid");

    if (!bare_exit.measured) {
        bare_exits(c->body);
        uint64_t body = bare_exits(c->body), baseline = bare_exits(c->baseline);
        bare_exit.ticks = body > baseline ? body - baseline : 0;
        bare_exit.measured = true;
    }
    *crossings = BARE_LENGTH;
    return bare_exit.ticks;
}

static const char *refuse_svm(void)
{
    const char *reason = refuse();

    return reason ? reason : vt_svm_open();
}

static void batch_all(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_monitor_prepare(c);
    finish(vt_svm_run(body ? c->body : c->baseline, iterations, VT_SVM_ALL), out);
}

static void batch_as_kvm(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    vt_monitor_prepare(c);
    finish(vt_svm_run(body ? c->body : c->baseline, iterations, VT_SVM_AS_KVM), out);
}

static const struct vt_image_road by_exit = {
    .name = "monitor-svm",
    .counts = COUNTS,
    .refuse = refuse_svm,
    .why_not = vt_monitor_lacks,
    .batch = batch_all,
    .bare = get_bare_exit,
};

static const struct vt_image_road by_few_exits = {
    .name = "monitor-svm-kvm",
    .counts = COUNTS,
    .refuse = refuse_svm,
    .why_not = vt_monitor_lacks,
    .batch = batch_as_kvm,
    .bare = get_bare_exit,
};

const struct vt_image_road *const *vt_image_roads(size_t *count)
{
    static const struct vt_image_road *const all[] = {&by_fault, &by_call, &by_exit, &by_few_exits};

    *count = sizeof all / sizeof all[0];
    return all;
}
