#include "monitor/road.h"

#include "guest/abi.h"

/* A fault and its return take some hundred cycles of a processor; an interpreter of ring 0 takes ten
 * thousands. */
#define BARE_MOST 5000
#define NOP_MOST  50
#define NOP_TRIES 3

enum { BARE_TIMES = 9 }; /* of which the median is taken: clocks are not icount's alone */

/* Ticks of VT_ROAD_BARE bare crossings: faults, calls. */
static struct {
    uint64_t fault, call;
} bare;

/* The first finds things cold. */
uint64_t vt_road_measure_bare(vt_road_batch_of *batch, vt_case_function body, vt_case_function baseline)
{
    uint64_t toll[BARE_TIMES] = {0};

    batch(body);
    for (size_t i = 0; i < BARE_TIMES; i++) {
        uint64_t with = batch(body), without = batch(baseline);
        uint64_t value = with > without ? with - without : 0;
        size_t at = i;
        for (; at > 0 && toll[at - 1] > value; at--)
            toll[at] = toll[at - 1];
        toll[at] = value;
    }
    return toll[BARE_TIMES / 2];
}

static uint64_t run_bare(enum vt_monitor_bare what, vt_case_function function)
{
    vt_monitor_prepare(vt_guest_find_case("cli"));
    if (vt_monitor_run_bare(function, VT_ROAD_BARE, what) != VT_MONITOR_RETURNED)
        return 0;
    return vt_monitor.tsc[1] - vt_monitor.tsc[0];
}

static uint64_t run_faults(vt_case_function function)
{
    return run_bare(VT_MONITOR_BARE_FAULT, function);
}

static uint64_t run_calls(vt_case_function function)
{
    return run_bare(VT_MONITOR_BARE_CALL, function);
}

static void measure_bare(void)
{
    const struct vt_case *c = vt_guest_find_case("cli");
    const struct vt_pv_form *call = vt_guest_pv_form(vt_guest_find_case("vmmcall"), VT_PV_PROCESS);

    bare.fault = vt_road_measure_bare(run_faults, c->body, c->baseline);
    bare.call = vt_road_measure_bare(run_calls, call->body, call->baseline);
}

uint64_t vt_road_bare(uint64_t *crossings)
{
    *crossings = VT_ROAD_BARE;
    return bare.fault;
}

uint64_t vt_road_bare_call(uint64_t *crossings)
{
    *crossings = VT_ROAD_BARE;
    return bare.call;
}

static uint64_t time_once(vt_case_function function)
{
    uint64_t tsc[2];

    vt_batch(function, VT_ROAD_BARE, (struct vt_scratch *)VT_GUEST_SCRATCH, tsc);
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
    return least > (uint64_t)VT_ROAD_BARE * NOP_MOST;
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
    if (!reason && bare.fault > (uint64_t)VT_ROAD_BARE * BARE_MOST)
        reason = "a fault is not the processor's alone here: a bare one takes more than 5000 cycles";
    return reason;
}

const char *vt_road_refuse(void)
{
    static bool asked;
    static const char *reason;

    if (!asked)
        reason = find_refusal();
    asked = true;
    return reason;
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

/* The return from vt_batch is one, too, of both twins. */
static void take_counts(struct vt_road_batch *out)
{
    out->count[VT_ROAD_TRAPS] = vt_monitor.traps;
    out->count[VT_ROAD_EXITS] = vt_monitor.exits;
    out->count[VT_ROAD_CALLS] = vt_monitor.calls;
    out->count[VT_ROAD_INTERRUPTS] = vt_monitor.interrupts;
    for (size_t i = 0; i < 32; i++)
        out->vectors[i] = vt_monitor.vectors[i];
}

void vt_road_finish(enum vt_monitor_end end, struct vt_road_batch *out)
{
    *out = (struct vt_road_batch){.end = end_of(end),
                                  .vector = end == VT_MONITOR_BROKEN ? vt_monitor.broken
                                                                     : vt_monitor.vcpu.fault.vector,
                                  .tsc = {vt_monitor.tsc[0], vt_monitor.tsc[1]}};
    if (end == VT_MONITOR_RETURNED)
        take_counts(out);
}
