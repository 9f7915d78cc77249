#include "result/hygiene.h"
#include "base/provenance.h"
#include "result/path.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Shares of the run's time, and preemptions per second, from which on a run is called disturbed. */
#define STEAL_SHARE     0.005
#define PREEMPTION_RATE 20.0

/* Times per second that a spent quota stopped the run, from which on it explains the others. */
#define THROTTLE_RATE 0.2

/* What a frequency that is told may differ from one that is measured. */
#define TSC_ERROR 0.01

/* Share of the pairs during which something else used the core, from which on medians may hold it. */
#define SHARED_SHARE 0.2

static bool is_text_but(const json_t *value, const char *good)
{
    return json_is_string(value) && strcmp(json_string_value(value), good) != 0;
}

static bool is_text(const json_t *value, const char *wanted)
{
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/* A figure of the settings per second of the run; NaN when unknown. */
static double rate(const json_t *settings, const char *name)
{
    const json_t *value = json_object_get(settings, name), *elapsed = json_object_get(settings, "elapsed_s");
    if (!json_is_number(value) || !json_is_number(elapsed) || json_number_value(elapsed) <= 0)
        return NAN;
    return json_number_value(value) / json_number_value(elapsed);
}

static bool governor(const json_t *host, const json_t *settings)
{
    (void)settings;
    return is_text_but(vt_result_at(host, "timing.governor"), "performance");
}

static bool turbo(const json_t *host, const json_t *settings)
{
    (void)settings;
    return json_is_true(vt_result_at(host, "timing.turbo"));
}

static bool smt(const json_t *host, const json_t *settings)
{
    (void)settings;
    return is_text(vt_result_at(host, "timing.smt"), "on");
}

static bool tsc(const json_t *host, const json_t *settings)
{
    (void)settings;
    return json_is_false(vt_result_at(host, "timing.invariant_tsc"));
}

static bool contradicted(const json_t *host, const json_t *settings)
{
    double told = json_number_value(vt_result_at(host, "timing.tsc_khz"));
    double measured = json_number_value(json_object_get(settings, "tsc_khz"));
    return told > 0 && measured > 0 && fabs(measured - told) > TSC_ERROR * told;
}

static bool guest(const json_t *host, const json_t *settings)
{
    (void)settings;
    return json_is_true(vt_result_at(host, "hypervisor.present"));
}

static bool unpinned(const json_t *host, const json_t *settings)
{
    (void)host;
    return json_is_null(json_object_get(settings, "cpu"));
}

static bool crowded(const json_t *host, const json_t *settings)
{
    (void)host;
    double cpus = json_number_value(json_object_get(settings, "cpus_allowed"));
    return cpus > 0 && json_number_value(json_object_get(settings, "vcpus")) > cpus;
}

static bool steal(const json_t *host, const json_t *settings)
{
    (void)host;
    return rate(settings, "steal_s") > STEAL_SHARE;
}

static bool moved(const json_t *host, const json_t *settings)
{
    (void)host;
    return json_number_value(json_object_get(settings, "moved")) > 0;
}

static bool throttled(const json_t *host, const json_t *settings)
{
    (void)host;
    return rate(settings, "throttled") > THROTTLE_RATE;
}

/* What a quota does looks like other work to every counter but its own. */
static bool preempted(const json_t *host, const json_t *settings)
{
    return !throttled(host, settings) && rate(settings, "preemptions") > PREEMPTION_RATE;
}

static bool shared(const json_t *host, const json_t *settings)
{
    return !throttled(host, settings) &&
           json_number_value(json_object_get(settings, "shared")) > SHARED_SHARE;
}

static bool inferred(const json_t *host, const json_t *settings)
{
    (void)host;
    return is_text(json_object_get(settings, "crossings"), "inferred");
}

static const struct {
    bool (*holds)(const json_t *host, const json_t *settings);
    const char *text;
} rows[] = {
    {moved, "The run was moved off the CPU it was pinned to, or was no longer pinned: something rewrote its "
            "affinity or cpuset. The pairs are marked; measure again."},
    {throttled, "The CPU quota of this control group (cpu.max) stopped the run again and again: expect wide "
                "tails; lift it, or run outside the container."},
    {unpinned, "The run could not be pinned to one CPU: migrations are in the figures."},
    {crowded,
     "More vCPUs ran at once than this process may use CPUs: they took turns, and the figures hold what it "
     "costs to wait for one."},
    {steal, "The hypervisor below took the CPU away during the run (steal time): expect wide tails."},
    {preempted, "Other work on this CPU preempted the run often: stop it, or pin to a quiet CPU with --cpu."},
    {shared,
     "Something else used the core during more than a fifth of the batches, seen by no counter but the bare "
     "loop beside them: some medians hold it. Measure again when it is quieter, or give it more --budget."},
    {governor,
     "The CPU's frequency governor is not \"performance\": the first batches may run slower (cpupower "
     "frequency-set -g performance)."},
    {turbo, "Turbo is on: the core's clock, and with it every toll, follows load and temperature."},
    {smt, "SMT is on: what the sibling thread does is in the figures."},
    {tsc, "The time-stamp counter is not invariant: cycles and times are not comparable across frequencies."},
    {contradicted,
     "The time-stamp counter was measured to run at another frequency than the machine tells (tsc_khz of the "
     "settings against timing.tsc_khz of the host): one of the clocks is wrong, and times with it."},
    {inferred,
     "Crossings of engine bare are inferred from lengths beside the controls of the same boot, not counted: "
     "nothing counts exits from within a machine."},
    {guest, "This machine is itself a guest: native figures hold the exits of the hypervisor below it."},
};

void vt_hygiene_warn_of_build(json_t *warnings)
{
    char burden[96], text[256];
    if (!vt_provenance_burden(vt_provenance().flags, burden, sizeof burden))
        return;
    snprintf(text, sizeof text,
             "This vmtoll was built %s: what its own code costs, as in call-outs of the translator, is "
             "several times too high.",
             burden);
    json_array_append_new(warnings, json_string(text));
}

json_t *vt_hygiene_warnings(const json_t *host, const json_t *settings)
{
    json_t *warnings = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].holds(host, settings))
            json_array_append_new(warnings, json_string(rows[i].text));
    return warnings;
}
