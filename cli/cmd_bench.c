#include "audit/audit.h"
#include "bench/runner.h"
#include "bench/select.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "probes/probe.h"
#include "report/document.h"
#include "report/hygiene.h"
#include "report/save.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_BUDGET 20

struct arguments {
    const char *engines, *paths, *cases, *levels, *output;
    double budget;
    long cpu;
    bool quiet;
};

static volatile int stop;

static void on_interrupt(int number)
{
    (void)number;
    stop = 1;
}

/* A second interrupt ends the process at once. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void show_progress(void *context, const struct vt_progress *p)
{
    (void)context;
    fprintf(stderr, "\r%3zu/%zu  %-9s CPL %d  %-22s %5.1f s left\033[K", p->done, p->total, p->engine, p->cpl,
            p->name, p->left);
    fflush(stderr);
}

static int check_cpu(long cpu)
{
    cpu_set_t allowed;

    if (cpu < 0)
        return VT_OPTIONS_PROCEED;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || cpu >= CPU_SETSIZE ||
        !CPU_ISSET((size_t)cpu, &allowed))
        return vt_cli_misuse("bench: CPU %ld is not one this process may run on (see taskset -p $$)", cpu);
    return VT_OPTIONS_PROCEED;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    const struct vt_option options[] = {
        {.name = "engine",
         .argument = "E,...",
         .text = &a->engines,
         .help = "engines to use; see vmtoll list engines [all]"},
        {.name = "path",
         .argument = "P,...",
         .text = &a->paths,
         .help = "only engines that take these paths; see vmtoll list paths [all]"},
        {.name = "case",
         .argument = "GLOB,...",
         .text = &a->cases,
         .help = "cases by name or pattern; see vmtoll list cases [all]"},
        {.name = "cpl",                                                       .argument = "0,3", .text = &a->levels, .help = "privilege levels [both]"},
        {.name = "budget",
         .argument = "SECONDS",
         .number = &a->budget,
         .low = 0.05,
         .high = 86400,
         .help = "time for all measurements together [20]"},
        {.name = "cpu",
         .argument = "N",
         .integer = &a->cpu,
         .low = 0,
         .high = CPU_SETSIZE - 1,
         .help = "pin to this CPU [the last one allowed]"},
        {.name = "output",
         .argument = "FILE",
         .text = &a->output,
         .help = "write the result document to FILE; - is standard output"},
        {.name = "quiet",                                                                         .flag = &a->quiet, .help = "no summary on standard output"},
        {0 },
    };
    const struct vt_synopsis synopsis = {
        .command = "bench",
        .operands = "",
        .summary = "Measure what each instruction costs on every road this machine has, and prove by\n"
                   "counters which road it took.",
        .options = options,
        .notes = "Exit status: 1 when a measurement failed or did not return, 3 when an engine asked\n"
                 "for by name cannot work here.",
    };
    return vt_options_parse(&synopsis, &argc, &argv);
}

static int make_plan(const struct arguments *a, struct vt_plan *plan, struct vt_error *error)
{
    int status = vt_select_cases(a->cases, (const struct vt_case ***)&plan->cases, &plan->case_count, error);
    if (status == 0)
        status = vt_select_engines(a->engines, (const struct vt_engine ***)&plan->engines,
                                   &plan->engine_count, error);
    if (status == 0)
        status = vt_select_paths(a->paths, &plan->paths, error);
    if (status == 0)
        status = vt_select_levels(a->levels, &plan->levels, error);
    if (status == 0 && a->output)
        status = vt_file_check(a->output, error);
    return status;
}

/* What was asked for by name must be there; what was not may be missing. */
static int check_named_engines(const struct arguments *a, const struct vt_plan *plan)
{
    int status = VT_EXIT_DONE;
    for (size_t i = 0; a->engines && i < plan->engine_count; i++) {
        char reason[512];
        if (plan->engines[i]->available(reason, sizeof reason))
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
        "{s:f, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:I, s:s, s:f, s:f}", "budget_s", a->budget, "engines",
        words(a->engines), "paths", words(a->paths), "cases", words(a->cases), "levels", words(a->levels),
        "cpu", run->cpu >= 0 ? json_integer(run->cpu) : json_null(), "elapsed_s", run->elapsed, "tsc_khz",
        run->tsc_khz, "steal_s", isnan(run->steal) ? json_null() : json_real(run->steal), "preemptions",
        (json_int_t)run->preemptions, "clock", "tsc", "precision", VT_RUNNER_PRECISION, "waited_s",
        run->waited);
}

static int worst_status(const struct vt_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->measurements[i].status == VT_STATUS_FAILED ||
            run->measurements[i].status == VT_STATUS_TIMEOUT)
            return VT_EXIT_NO;
    return VT_EXIT_DONE;
}

static int print_summary(struct vt_result *result)
{
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen("-");
    if (vt_report_print(vt_report_find_format("text"), &result, 1, &screen, stdout, &error) != 0)
        return vt_cli_fail(&error);
    return VT_EXIT_DONE;
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
    json_object_set_new(document.settings, "warnings", vt_hygiene_warnings(document.host, document.settings));
    struct vt_result *result = vt_report_result(&document, &error);
    bool document_on_stdout = a->output && strcmp(a->output, "-") == 0;
    int status = VT_EXIT_DONE;

    if (!result || (a->output && vt_report_save(result, a->output, &error) != 0))
        status = vt_cli_fail(&error);
    else if (!a->quiet && !document_on_stdout)
        status = print_summary(result);
    json_decref(document.host);
    json_decref(document.settings);
    json_decref(document.audit);
    vt_result_free(result);
    return status;
}

static int measure(const struct arguments *a, struct vt_plan *plan)
{
    struct vt_error error;
    struct vt_run run;
    char started[32];
    time_t now = time(NULL);
    struct tm utc;

    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    plan->budget = a->budget;
    plan->cpu = (int)a->cpu;
    plan->stop = &stop;
    plan->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    catch_interrupts();
    int status = vt_bench_run(&run, plan, &error);
    if (plan->progress)
        fputs("\r\033[K", stderr);
    if (status != 0)
        return vt_cli_fail(&error);
    if (run.count == 0) {
        vt_cli_warn("bench: no engine here takes path %s at the levels asked for (see vmtoll list engines)",
                    a->paths ? a->paths : "any");
        status = VT_EXIT_ENVIRONMENT;
    } else {
        status = deliver(a, &run, started);
    }
    if (status == VT_EXIT_DONE)
        status = run.interrupted ? VT_EXIT_NO : worst_status(&run);
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
    if (make_plan(&a, &plan, &error) != 0)
        status = vt_cli_fail(&error);
    else
        status = check_named_engines(&a, &plan);
    if (status == VT_EXIT_DONE)
        status = measure(&a, &plan);
    free((void *)plan.cases);
    free((void *)plan.engines);
    return status;
}
