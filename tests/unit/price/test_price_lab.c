/*
 * The price of a machine whose exits and whose cost are known exactly. This program boots itself in lab svm,
 * where an instruction takes a nanosecond: inside, a child runs a mix of exits in a virtual machine while the
 * parent prices it, then again without tracepoints, which tells what the mix really costs.
 */
#include "bench/runner.h"
#include "bench/select.h"
#include "lab/inside.h"
#include "lab/labs.h"
#include "price/format/format.h"
#include "price/price.h"
#include "price/reasons/cost.h"
#include "probes/probe.h"
#include "result/document.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const struct {
    const char *name, *reason;
    double count;
} mix[] = {
    {"cpuid", "cpuid", 1000},      {"rdmsr-kernel", "msr-read", 500},
    {"out-user", "io-user", 300},  {"mmio-read-user", "mmio-user", 100},
    {"vmmcall", "hypercall", 201},
};
enum { MIX = sizeof mix / sizeof mix[0] };

static const char cases[] =
    "nop,cpuid,rdmsr-kernel,wrmsr-kernel,in-kernel,out-kernel,in-user,out-user,out-eventfd,"
    "mmio-read-user,mmio-write-user,vmmcall,x2apic-eoi";

/* ---- The machine that is priced. ---- */

/* Ticks of one twin of the whole mix, as the guest's own time stamps have them; 0: it failed. */
static double run_mix(const struct vt_engine *engine, void *state, enum vt_twin twin)
{
    struct vt_error error;
    double ticks = 0;
    for (size_t i = 0; i < MIX; i++) {
        struct vt_batch batch;
        if (engine->prepare(state, vt_guest_find_case(mix[i].name), 0, &error) != 0 ||
            engine->batch(state, twin, (uint64_t)mix[i].count, &batch, &error) != VT_BATCH_DONE)
            return 0;
        ticks += (double)batch.cycles;
    }
    return ticks;
}

/* Each byte that comes asks for a mix; its ticks go back. The first mix only warms up what the later ones
 * find. */
static void serve(int in, int out)
{
    static const volatile int never;
    const struct vt_engine *engine = vt_bench_find_engine("kvm");
    const struct vt_engine_settings settings = {
        .limit_ns = 60000000000, .stop = &never, .vcpus = 1, .simulated = true};
    struct vt_error error;
    void *state;
    char twin;
    if (engine->open(&state, &settings, &error) != 0)
        _exit(1);
    while (read(in, &twin, 1) == 1) {
        double ticks = run_mix(engine, state, twin == 'b' ? VT_BASELINE : VT_BODY);
        if (write(out, &ticks, sizeof ticks) != (ssize_t)sizeof ticks)
            break;
    }
    engine->close(state);
    _exit(0);
}

struct machine {
    pid_t process;
    int in, out;
};

static bool start(struct machine *m)
{
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0)
        return false;
    m->process = fork();
    if (m->process == 0) {
        close(in[1]);
        serve(in[0], out[1]);
    }
    m->in = in[1];
    m->out = out[0];
    return m->process > 0;
}

static double ask(const struct machine *m, char twin)
{
    double ticks;
    return write(m->in, &twin, 1) == 1 && read(m->out, &ticks, sizeof ticks) == (ssize_t)sizeof ticks ? ticks
                                                                                                      : 0;
}

/* ---- Inside. ---- */

/* Instructions are nanoseconds here, and the rows say so. */
static void make_nanoseconds(struct vt_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        result->rows[i].unit = VT_UNIT_NS;
        result->rows[i].simulated = false;
    }
}

static struct vt_result *measure_tolls(double ticks, json_t *host, struct vt_error *error)
{
    static const volatile int never;
    const struct vt_selection selection = {.engines = "kvm", .cases = cases, .levels = "0"};
    const struct vt_simulation simulation = {
        .engine = "kvm", .iterations = 100, .pairs = 7, .ticks_per_instruction = ticks};
    struct vt_plan plan = {0};
    struct vt_run run;
    struct vt_result *result = NULL;
    if (vt_select(&selection, &plan, error) != 0)
        return NULL;
    plan.simulation = &simulation;
    plan.budget = 60;
    plan.cpu = -1;
    plan.stop = &never;
    if (vt_bench_run(&run, &plan, error) == 0) {
        struct vt_document document = {
            .host = host, .settings = json_object(), .measurements = run.measurements, .count = run.count};
        result = vt_result_make(&document, error);
        json_decref(document.settings);
        vt_run_release(&run);
    }
    if (result)
        make_nanoseconds(result);
    vt_select_release(&plan);
    return result;
}

/* As text of JSON, with the ticks the machine itself took. */
enum how { CLASSES, REASONS, TRIMMED };

static json_t *price_mix(const struct machine *m, char twin, enum how how, const struct vt_result *tolls,
                         const json_t *host, struct vt_error *error)
{
    const struct vt_price_target target = {.process = m->process, .reasons = how != CLASSES};
    struct vt_price_watcher watcher;
    struct vt_price_watch watch;
    struct vt_price price;
    static struct vt_price_reading before, after;
    if (vt_price_watcher_open(&watcher, &target, error) != 0)
        return NULL;
    int status = 0;
    if (how == TRIMMED)
        status = ask(m, twin) > 0 ? vt_price_watcher_trim(&watcher, error) : -1;
    if (status == 0)
        status = vt_price_watcher_read(&watcher, &before, error);
    double ticks = ask(m, twin);
    if (status == 0)
        status = vt_price_watcher_read(&watcher, &after, error);
    if (status == 0)
        status = vt_price_watcher_compare(&watcher, &before, &after, &watch, error);
    vt_price_watcher_close(&watcher);
    if (status != 0 || vt_price_make(&price, &watch, tolls, host, false, error) != 0)
        return NULL;
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    vt_price_print_json(&price, stream);
    fclose(stream);
    json_t *document = json_loadb(text, size, 0, NULL);
    free(text);
    return json_pack("{s:o, s:f}", "price", document, "ticks", ticks);
}

static int run_inside(struct vt_error *error)
{
    struct vt_lab_plan plan = {0};
    struct machine m;
    double ticks = 0;
    int status = vt_lab_inside_prepare(&plan, error);
    if (status != 0 || vt_lab_inside_calibrate(&ticks, error) != 0)
        return -1;
    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
    vt_lab_inside_say("@stage measuring");
    json_t *host = vt_probes_machine(error);
    struct vt_result *tolls = host ? measure_tolls(ticks, host, error) : NULL;
    if (!tolls || !start(&m))
        return -1;
    ask(&m, 'x');
    /* The baselines come with the doorbells of their batches, and nothing else: what is told of the mix is
     * more than that. */
    json_t *told = json_pack("{s:f, s:o, s:o, s:o}", "ticks", ticks, "nothing",
                             price_mix(&m, 'b', REASONS, tolls, host, error), "reasons",
                             price_mix(&m, 'x', REASONS, tolls, host, error), "classes",
                             price_mix(&m, 'x', CLASSES, tolls, host, error));
    json_object_set_new(told, "trimmed", price_mix(&m, 'x', TRIMMED, tolls, host, error));
    double cost = NAN;
    char why[256] = "";
    if (!told || !vt_price_reasons_cost(UINT32_MAX, &cost, why, sizeof why))
        return vt_error_set(error, VT_EXIT_INTERNAL, 0, "no cost: %s", why);
    json_object_set_new(told, "cost", json_real(cost));
    char *text = json_dumps(told, JSON_REAL_PRECISION(15));
    vt_lab_inside_send(text, strlen(text));
    return 0;
}

/* ---- Outside. ---- */

static int number, failed;

static __attribute__((format(printf, 2, 3))) void test(bool holds, const char *format, ...)
{
    va_list arguments;
    failed += !holds;
    printf("%s %d - ", holds ? "ok" : "not ok", ++number);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static double of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double of_reason(const json_t *price, const char *reason, const char *key)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(price, "crossings"), i, line)
    {
        const char *name = json_string_value(json_object_get(line, "reason"));
        if (name && strcmp(name, reason) == 0)
            return of(line, key);
    }
    return NAN;
}

static bool is_within(double value, double truth, double share)
{
    return fabs(value - truth) <= share * truth;
}

static double more(const json_t *price, const json_t *nothing, const char *reason)
{
    return of_reason(price, reason, "count") - of_reason(nothing, reason, "count");
}

static void test_counts(const json_t *price, const json_t *nothing)
{
    static const char *const others[] = {"msr-write",        "hlt",         "io-kernel", "page-fault",
                                         "interrupt-window", "other-kernel"};
    for (size_t i = 0; i < MIX; i++)
        test(more(price, nothing, mix[i].reason) == mix[i].count, "%s: %.0f of %.0f", mix[i].reason,
             more(price, nothing, mix[i].reason), mix[i].count);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        test(more(price, nothing, others[i]) == 0, "%s: none", others[i]);
}

static void test_sums(const json_t *by_reason, const json_t *by_class, double doorbells, double truth)
{
    double reasons = of(by_reason, "at_least_ns") - doorbells,
           classes = of(by_class, "estimate_ns") - doorbells, least = of(by_class, "at_least_ns") - doorbells;
    printf("# truth %.0f, by reason %.0f (%+.2f %%), by class %.0f (%+.2f %%), at least %.0f\n", truth,
           reasons, 100 * (reasons / truth - 1), classes, 100 * (classes / truth - 1), least);
    test(is_within(reasons, truth, 0.02), "the sum by reason is within 2 %% of the truth");
    test(is_within(of(by_reason, "estimate_ns") - doorbells, truth, 0.05),
         "and what it is about within 5 %%");
    test(is_within(classes, truth, 0.10), "the sum by class is within 10 %% of the truth");
    test(least <= truth, "the least is no more than the truth");
    test(of(by_class, "at_least_share") <= of(by_class, "at_most_share"), "the bounds are in order");
}

static void test_document(const json_t *told)
{
    const json_t *nothing = json_object_get(told, "nothing"), *reasons = json_object_get(told, "reasons"),
                 *classes = json_object_get(told, "classes"), *empty = json_object_get(nothing, "price"),
                 *by_reason = json_object_get(reasons, "price"),
                 *by_class = json_object_get(classes, "price");
    double tick = of(told, "ticks"), baseline = of(nothing, "ticks") / tick, exits = 0;
    /* Tracepoints make exits dearer: the same mix without them has the true cost. */
    double truth = of(classes, "ticks") / tick - baseline, watched = of(reasons, "ticks") / tick - baseline;
    for (size_t i = 0; i < MIX; i++)
        exits += mix[i].count;
    test_counts(by_reason, empty);
    test_sums(by_reason, by_class, of(empty, "at_least_ns"), truth);
    printf("# each exit costs %.0f, and %.0f more with %.0f events\n", truth / exits,
           (watched - truth) / exits, of(json_object_get(by_reason, "reasons"), "events"));
    const json_t *trimmed = json_object_get(told, "trimmed"), *of_less = json_object_get(trimmed, "price");
    double less = of(trimmed, "ticks") / tick - baseline;
    for (size_t i = 0; i < MIX; i++)
        test(more(of_less, empty, mix[i].reason) == mix[i].count, "%s with the events that count: %.0f",
             mix[i].reason, more(of_less, empty, mix[i].reason));
    printf("# %.0f more with the %.0f events that count\n", (less - truth) / exits,
           of(json_object_get(of_less, "reasons"), "events"));
    test(less - truth < 0.75 * (watched - truth), "what did not occur costs nothing once it is left out");
    /* A CPUID passes the events of exits alone, returns to user space others as well. */
    printf("# measured beforehand: %.0f\n", of(told, "cost"));
    test(is_within(of(told, "cost"), (watched - truth) / exits, 0.2),
         "what counting costs is known beforehand within 20 %%");
}

static int run_outside(void)
{
    static const volatile int never;
    const struct vt_lab_request request = {
        .cases = "nop", .levels = "0", .stop = vt_lab_stop_after(&never, 170)};
    struct vt_lab_outcome outcome = {0};
    struct vt_error error = {0};
    const char *labs = getenv("LAB");
    if (labs && strcmp(labs, "0") == 0) {
        puts("1..0 # SKIP labs are left out: LAB=0");
        return 0;
    }
    if (vt_lab_run_svm(&request, &outcome, &error) != 0) {
        if (error.exit == VT_EXIT_ENVIRONMENT)
            printf("1..0 # SKIP %s\n", error.text);
        else
            printf("1..1\nnot ok 1 - lab svm\n# %s\n", error.text);
        return error.exit != VT_EXIT_ENVIRONMENT;
    }
    json_t *told = json_loadb(outcome.document, outcome.size, 0, NULL);
    test_document(told);
    printf("1..%d\n", number);
    json_decref(told);
    vt_lab_release(&outcome);
    return failed != 0;
}

int main(void)
{
    struct vt_error error = {.exit = VT_EXIT_INTERNAL, .text = "the machine did not answer"};
    if (!vt_lab_inside())
        return run_outside();
    vt_lab_inside_end(run_inside(&error) == 0 ? NULL : &error);
}
