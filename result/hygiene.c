#include "result/hygiene.h"
#include "result/path.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Shares of the run's time, and preemptions per second, from which on a run is called disturbed. */
#define STEAL_SHARE     0.005
#define PREEMPTION_RATE 20.0

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

static bool steal(const json_t *host, const json_t *settings)
{
    (void)host;
    return rate(settings, "steal_s") > STEAL_SHARE;
}

static bool preempted(const json_t *host, const json_t *settings)
{
    (void)host;
    return rate(settings, "preemptions") > PREEMPTION_RATE;
}

static bool shared(const json_t *host, const json_t *settings)
{
    (void)host;
    return json_number_value(json_object_get(settings, "shared")) > SHARED_SHARE;
}

static const struct {
    bool (*holds)(const json_t *host, const json_t *settings);
    const char *text;
} rows[] = {
    {unpinned, "The run could not be pinned to one CPU: migrations are in the figures."},
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
    {guest, "This machine is itself a guest: native figures hold the exits of the hypervisor below it."},
};

json_t *vt_hygiene_warnings(const json_t *host, const json_t *settings)
{
    json_t *warnings = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].holds(host, settings))
            json_array_append_new(warnings, json_string(rows[i].text));
    return warnings;
}
