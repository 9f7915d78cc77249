#include "audit/audit.h"
#include "bench/engines/translate/account.h"
#include "base/process/affinity.h"
#include "bench/available.h"
#include "bench/runner.h"
#include "cli/command.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "probes/probe.h"
#include "result/document.h"
#include "result/hygiene.h"
#include "vmm/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_BUDGET 20

struct arguments {
    struct vt_cli_asked asked;
    double budget;
    long cpu, vcpus;
    bool anonymous;
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
            .text = &a->asked.selection.engines,
            .list = &a->asked.engines,
            .help = "engines to use; see vmtoll list engines [all]",
        },
        {
            .name = "path",
            .argument = "P,...",
            .text = &a->asked.selection.paths,
            .list = &a->asked.paths,
            .help = "only engines that take these paths; see vmtoll list paths [all]",
        },
        vt_cli_option_cases(&a->asked),
        vt_cli_option_levels(&a->asked, "privilege levels [both]"),
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
            .name = "vcpus",
            .argument = "N",
            .integer = &a->vcpus,
            .low = 1,
            .high = VT_VMM_VCPUS,
            .help = "run each case on N vCPUs at once, and measure one; engine kvm [1]",
        },
        vt_cli_option_output(&a->asked),
        {
            .name = "anonymous",
            .flag = &a->anonymous,
            .help = "leave the machine's name out of the result",
        },
        vt_cli_option_quiet(&a->asked),
        vt_options_format(&a->asked.format),
        vt_options_json(&a->asked.format),
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
    for (size_t i = 0; a->asked.selection.engines && i < plan->engine_count; i++) {
        char reason[512];
        if (vt_bench_available(plan->engines[i], reason, sizeof reason))
            continue;
        vt_cli_warn("bench: engine %s cannot work here: %s", plan->engines[i]->name, reason);
        status = VT_EXIT_ENVIRONMENT;
    }
    return status;
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
        .settings = vt_result_settings(&a->asked.selection, a->budget, run),
        .audit = audit_machine(),
        .translation = vt_translate_account(),
        .measurements = run->measurements,
        .count = run->count,
        .interrupted = run->interrupted,
    };
    if (a->anonymous)
        vt_probes_forget_name(document.host);
    json_t *warnings = vt_hygiene_warnings(document.host, document.settings);
    vt_hygiene_warn_of_build(warnings);
    json_object_set_new(document.settings, "warnings", warnings);
    struct vt_result *result = vt_result_make(&document, &error);
    int status = result ? vt_cli_deliver(result, &a->asked) : vt_cli_fail(&error);

    json_decref(document.host);
    json_decref(document.settings);
    json_decref(document.audit);
    json_decref(document.translation);
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
    return !a->asked.quiet && !vt_options_want_json(a->asked.format) &&
           !(a->asked.output && strcmp(a->asked.output, "-") == 0);
}

static int measure(const struct arguments *a, struct vt_plan *plan)
{
    struct vt_error error;
    struct vt_run run;
    struct vt_cli_moment started = vt_cli_now();

    plan->budget = a->budget;
    plan->cpu = (int)a->cpu;
    plan->vcpus = (unsigned)a->vcpus;
    plan->stop = vt_cli_stop(true);
    plan->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    int status = vt_bench_run(&run, plan, &error);
    if (plan->progress)
        fputs("\r\033[K", stderr);
    if (status != 0)
        return vt_cli_fail(&error);
    if (run.count == 0) {
        vt_cli_warn("bench: no engine here takes path %s at the levels asked for (see vmtoll list engines)",
                    a->asked.selection.paths ? a->asked.selection.paths : "any");
        status = VT_EXIT_ENVIRONMENT;
    } else {
        status = say_what_is_missing(&run, shows_summary(a), deliver(a, &run, started.text));
    }
    vt_run_release(&run);
    return status;
}

int vt_cmd_bench(int argc, char **argv)
{
    struct arguments a = {.budget = DEFAULT_BUDGET, .cpu = -1, .vcpus = 1};
    struct vt_plan plan = {0};

    int status = parse(argc, argv, &a);
    if (status == VT_OPTIONS_PROCEED)
        status = check_cpu(a.cpu);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (a.vcpus > 1 && !a.asked.selection.engines)
        a.asked.selection.engines = "kvm";
    status = vt_cli_select(&a.asked, &plan);
    if (status == VT_OPTIONS_PROCEED)
        status = check_named_engines(&a, &plan);
    if (status == VT_EXIT_DONE)
        status = measure(&a, &plan);
    vt_select_release(&plan);
    return status;
}
