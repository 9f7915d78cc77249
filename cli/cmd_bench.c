#include "audit/audit.h"
#include "base/affinity.h"
#include "base/file.h"
#include "bench/available.h"
#include "bench/runner.h"
#include "bench/sampler.h"
#include "bench/select.h"
#include "base/layout.h"
#include "cli/command.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "cli/stop.h"
#include "probes/probe.h"
#include "result/document.h"
#include "result/hygiene.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_BUDGET 20

struct arguments {
    struct vt_selection selection;
    struct vt_words engines, paths, cases, levels;
    const char *output, *format;
    double budget;
    long cpu;
    bool quiet, anonymous;
};

static void show_progress(void *context, const struct vt_progress *p)
{
    (void)context;
    fprintf(stderr, "\r%3zu/%zu  %-9s CPL %d  %-22s %5.1f s left\033[K", p->done, p->total, p->engine, p->cpl,
            p->name, p->left);
    fflush(stderr);
}

static int check_cpu(long cpu)
{
    struct vt_affinity allowed;

    if (cpu < 0)
        return VT_OPTIONS_PROCEED;
    if (vt_affinity_get(&allowed) != 0 || !vt_affinity_has(&allowed, cpu))
        return vt_cli_misuse("bench: CPU %ld is not one this process may run on (see taskset -p $$)", cpu);
    return VT_OPTIONS_PROCEED;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    const struct vt_option options[] = {
        {
            .name = "engine",
            .argument = "E,...",
            .text = &a->selection.engines,
            .list = &a->engines,
            .help = "engines to use; see vmtoll list engines [all]",
        },
        {
            .name = "path",
            .argument = "P,...",
            .text = &a->selection.paths,
            .list = &a->paths,
            .help = "only engines that take these paths; see vmtoll list paths [all]",
        },
        {
            .name = "case",
            .argument = "GLOB,...",
            .text = &a->selection.cases,
            .list = &a->cases,
            .help = "cases by name or pattern; see vmtoll list cases [all]",
        },
        {
            .name = "cpl",
            .argument = "0,3",
            .text = &a->selection.levels,
            .list = &a->levels,
            .help = "privilege levels [both]",
        },
        {
            .name = "budget",
            .argument = "SECONDS",
            .number = &a->budget,
            .low = 0.05,
            .high = 86400,
            .help = "time for all measurements together [20]",
        },
        {
            .name = "cpu",
            .argument = "N",
            .integer = &a->cpu,
            .low = 0,
            .high = VT_AFFINITY_CPUS - 1,
            .help = "pin to this CPU [the last one allowed]",
        },
        {
            .name = "output",
            .letter = 'o',
            .argument = "FILE",
            .text = &a->output,
            .help = "write the result document to FILE; - is standard output",
        },
        {
            .name = "anonymous",
            .flag = &a->anonymous,
            .help = "leave the machine's name out of the result",
        },
        {
            .name = "quiet",
            .letter = 'q',
            .flag = &a->quiet,
            .help = "no summary on standard output",
        },
        vt_options_format(&a->format),
        vt_options_json(&a->format),
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "bench",
        .operands = "",
        .summary = "Measure what each instruction costs on every road this machine has, and prove by\n"
                   "counters which road it took.",
        .options = options,
        .notes = "Exit status: 1 when a measurement failed or did not return, or the run was interrupted;\n"
                 "3 when an engine asked for by name cannot work here, or nothing could be measured.",
    };
    return vt_options_parse(&synopsis, &argc, &argv);
}

/* What was asked for by name must be there; what was not may be missing. */
static int check_named_engines(const struct arguments *a, const struct vt_plan *plan)
{
    int status = VT_EXIT_DONE;
    for (size_t i = 0; a->selection.engines && i < plan->engine_count; i++) {
        char reason[512];
        if (vt_bench_available(plan->engines[i], reason, sizeof reason))
            continue;
        vt_cli_warn("bench: engine %s cannot work here: %s", plan->engines[i]->name, reason);
        status = VT_EXIT_ENVIRONMENT;
    }
    return status;
}

static json_t *words(const char *list)
{
    return list ? json_string(list) : json_null();
}

static json_t *describe_settings(const struct arguments *a, const struct vt_run *run)
{
    return json_pack(
        "{s:f, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:I, s:s, s:f, s:f, s:o, s:b}", "budget_s", a->budget,
        "engines", words(a->selection.engines), "paths", words(a->selection.paths), "cases",
        words(a->selection.cases), "levels", words(a->selection.levels), "cpu",
        run->cpu >= 0 ? json_integer(run->cpu) : json_null(), "elapsed_s", run->elapsed, "tsc_khz",
        run->tsc_khz, "steal_s", isnan(run->steal) ? json_null() : json_real(run->steal), "preemptions",
        (json_int_t)run->preemptions, "clock", "tsc", "precision", VT_SAMPLER_PRECISION, "waited_s",
        run->waited, "shared", isnan(run->shared) ? json_null() : json_real(run->shared), "fixed_layout",
        vt_layout_is_fixed());
}

/* NULL where it could not run: the result then says that nothing is known. */
static json_t *audit_machine(void)
{
    struct vt_audit audit;
    struct vt_error error;
    if (vt_audit_run(&audit, &error) < 0)
        return NULL;
    json_t *document = vt_audit_json(&audit);
    vt_audit_free(&audit);
    return document;
}

static int deliver(const struct arguments *a, const struct vt_run *run, const char *started)
{
    struct vt_error error;
    struct vt_document document = {
        .started = started,
        .host = vt_probes_machine(&error),
        .settings = describe_settings(a, run),
        .audit = audit_machine(),
        .measurements = run->measurements,
        .count = run->count,
        .interrupted = run->interrupted,
    };
    json_object_set_new(document.settings, "moved", json_integer((json_int_t)run->moved));
    json_object_set_new(document.settings, "throttled",
                        isnan(run->throttled) ? json_null() : json_integer((json_int_t)run->throttled));
    if (a->anonymous)
        vt_probes_forget_name(document.host);
    json_t *warnings = vt_hygiene_warnings(document.host, document.settings);
    vt_hygiene_warn_of_build(warnings);
    json_object_set_new(document.settings, "warnings", warnings);
    struct vt_result *result = vt_result_make(&document, &error);
    int status = result ? vt_cli_deliver(result, a->output, a->format, a->quiet) : vt_cli_fail(&error);

    json_decref(document.host);
    json_decref(document.settings);
    json_decref(document.audit);
    vt_result_free(result);
    return status;
}

static bool is_measured(const struct vt_measurement *m)
{
    return m->status == VT_STATUS_OK || m->status == VT_STATUS_UNVERIFIED;
}

/* The first row that is not measured: one stands for all in a line. */
static const struct vt_measurement *first_missing(const struct vt_run *run, bool unsupported)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct vt_measurement *m = &run->measurements[i];
        if (!is_measured(m) && (m->status == VT_STATUS_UNSUPPORTED) == unsupported)
            return m;
    }
    return NULL;
}

static size_t count_status(const struct vt_run *run, enum vt_status status)
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++)
        count += run->measurements[i].status == status;
    return count;
}

/* What a script that reads nothing else must hear. `shown`: a summary said so already. */
static int say_what_is_missing(const struct vt_run *run, bool shown, int status)
{
    size_t unsupported = count_status(run, VT_STATUS_UNSUPPORTED);
    size_t bad = count_status(run, VT_STATUS_FAILED) + count_status(run, VT_STATUS_TIMEOUT);
    const struct vt_measurement *m = first_missing(run, unsupported == run->count);

    if (unsupported == run->count) {
        vt_cli_warn("bench: nothing was measured: no case asked for can run here (%s CPL %d %s: %s)",
                    m->engine, m->cpl, m->c->name, m->reason);
        return status == VT_EXIT_DONE ? VT_EXIT_ENVIRONMENT : status;
    }
    if (run->interrupted && !shown)
        vt_cli_warn("bench: interrupted: %zu of %zu measurements were not made", bad,
                    run->count - unsupported);
    else if (bad && !shown)
        vt_cli_warn("bench: %zu of %zu measurements failed or did not return (%s CPL %d %s: %s)", bad,
                    run->count - unsupported, m->engine, m->cpl, m->c->name, m->reason);
    return status == VT_EXIT_DONE && run->interrupted ? VT_EXIT_NO : status;
}

static bool shows_summary(const struct arguments *a)
{
    return !a->quiet && !vt_options_want_json(a->format) && !(a->output && strcmp(a->output, "-") == 0);
}

static int measure(const struct arguments *a, struct vt_plan *plan)
{
    struct vt_error error;
    struct vt_run run;
    struct vt_cli_moment started = vt_cli_now();

    plan->budget = a->budget;
    plan->cpu = (int)a->cpu;
    plan->stop = vt_cli_stop(true);
    plan->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    int status = vt_bench_run(&run, plan, &error);
    if (plan->progress)
        fputs("\r\033[K", stderr);
    if (status != 0)
        return vt_cli_fail(&error);
    if (run.count == 0) {
        vt_cli_warn("bench: no engine here takes path %s at the levels asked for (see vmtoll list engines)",
                    a->selection.paths ? a->selection.paths : "any");
        status = VT_EXIT_ENVIRONMENT;
    } else {
        status = say_what_is_missing(&run, shows_summary(a), deliver(a, &run, started.text));
    }
    vt_run_release(&run);
    return status;
}

int vt_cmd_bench(int argc, char **argv)
{
    struct arguments a = {.budget = DEFAULT_BUDGET, .cpu = -1};
    struct vt_plan plan = {0};
    struct vt_error error;

    int status = parse(argc, argv, &a);
    if (status == VT_OPTIONS_PROCEED)
        status = check_cpu(a.cpu);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (vt_select(&a.selection, &plan, &error) != 0 || (a.output && vt_file_check(a.output, &error) != 0))
        status = vt_cli_fail(&error);
    else
        status = check_named_engines(&a, &plan);
    if (status == VT_EXIT_DONE)
        status = measure(&a, &plan);
    vt_select_release(&plan);
    return status;
}
