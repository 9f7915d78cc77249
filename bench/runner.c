#include "bench/runner.h"
#include "base/process/affinity.h"
#include "base/process/interrupts.h"
#include "base/usage.h"
#include "base/vendor.h"
#include "bench/apart.h"
#include "bench/available.h"
#include "bench/bare.h"
#include "bench/evidence.h"
#include "bench/quota.h"
#include "bench/sampler.h"
#include "bench/tick.h"
#include "base/statistics.h"
#include "vmm/backend.h"
#include "base/process/clock.h"

#include <cpuid.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A batch that takes longer than this share of the budget is ended; bounds in nanoseconds. */
#define LIMIT_SHARE  (1.0 / 20)
#define LIMIT_MIN_NS 20000000.0
#define LIMIT_MAX_NS 1000000000.0

/* The status a row has until it is measured. */
#define PENDING VT_STATUSES

/*
 * Every case is sampled a few pairs at a time, in rounds over the whole run: on a
 * shared machine a neighbour's burst then spoils a small part of many cases instead
 * of most of one. Rounds go on until all medians are precise or the time is up.
 */
#define PAIRS_PER_ROUND 7
_Static_assert(PAIRS_PER_ROUND >= VT_STATISTICS_MIN, "a turn is long enough for a summary");
#define ROUNDS_AT_LEAST ((VT_SAMPLER_PRECISE_FROM + PAIRS_PER_ROUND - 1) / PAIRS_PER_ROUND)

struct clocks {
    uint64_t tsc;
    double seconds;
};

struct schedule {
    const struct vt_plan *plan;
    struct vt_run *run;
    struct vt_evidence_context context;
    uint64_t deadline_ns;
    double rough_khz;
    size_t pending; /* rows still to be visited in this round */
    size_t due;     /* rows of this round */
    size_t visited; /* rows of all rounds before */
    size_t round;
    struct vt_quiet quiet;
    struct vt_tick tick;
    const struct vt_affinity *allowed; /* of the process, before it was pinned; NULL: not known */
    int watched_cpu;                   /* pinned to; -1: not, or the kernel does not tell */
};

static struct clocks read_clocks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (struct clocks){__builtin_ia32_rdtsc(), (double)now.tv_sec + (double)now.tv_nsec * 1e-9};
}

static double khz_between(const struct clocks *from, const struct clocks *to)
{
    return (double)(to->tsc - from->tsc) / (to->seconds - from->seconds) / 1e3;
}

/* Precise enough to size batches; the figure that turns cycles into time is taken over the whole run. */
static double rough_khz(void)
{
    struct clocks from = read_clocks(), to;
    do
        to = read_clocks();
    while (to.seconds - from.seconds < 0.002);
    return khz_between(&from, &to);
}

static bool inside_a_hypervisor(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c >> 31 & 1);
}

/* Returns the CPU now pinned to, or -1. The first CPU serves most of the machine's interrupts: take the last.
 */
static int pin(int cpu, const struct vt_affinity *allowed)
{
    if (cpu < 0)
        cpu = vt_affinity_last(allowed);
    return vt_affinity_pin(cpu) == 0 ? cpu : -1;
}

/* proc(5), /proc/stat: the eighth figure of a cpu line is steal, in clock ticks. */
static double steal_seconds(int cpu)
{
    char line[512], name[32];
    double steal = NAN;
    FILE *file = fopen("/proc/stat", "re");

    if (!file)
        return NAN;
    snprintf(name, sizeof name, "cpu%d ", cpu);
    while (fgets(line, sizeof line, file)) {
        unsigned long long ticks;
        if (strncmp(line, name, strlen(name)) == 0 &&
            sscanf(line, "%*s %*u %*u %*u %*u %*u %*u %*u %llu", &ticks) == 1)
            steal = (double)ticks / (double)sysconf(_SC_CLK_TCK);
    }
    fclose(file);
    return steal;
}

static void refuse(struct vt_measurement *m, enum vt_status status, const char *reason)
{
    m->status = status;
    snprintf(m->reason, sizeof m->reason, "%s", reason);
}

static size_t rows_at_most(const struct vt_plan *plan)
{
    size_t levels = 0;
    for (size_t e = 0; e < plan->engine_count; e++)
        for (const int *level = plan->engines[e]->levels; *level >= 0; level++)
            levels += plan->levels >> *level & 1;
    return levels * plan->case_count;
}

static unsigned vcpus_of(const struct vt_plan *plan)
{
    return plan->vcpus ? plan->vcpus : 1;
}

static struct vt_engine_settings settings_for(const struct schedule *s, double limit_ns)
{
    return (struct vt_engine_settings){
        .limit_ns = (uint64_t)limit_ns,
        .stop = s->plan->stop,
        .cpus = s->allowed,
        .vcpus = vcpus_of(s->plan),
        .simulated = s->plan->simulation != NULL,
    };
}

/* Rows of one engine: those it can run are left pending, the others get their reason. */
static void plan_engine(struct schedule *s, const struct vt_engine *engine)
{
    const struct vt_plan *plan = s->plan;
    struct vt_engine_settings settings = settings_for(s, LIMIT_MAX_NS);
    char reason[sizeof s->run->measurements->reason] = "";
    struct vt_error error = {0};
    void *state = NULL;
    /* A lab's kernel may be too small for what a process apart takes, and needs none. */
    bool open = plan->simulation ? engine->available(reason, sizeof reason)
                                 : vt_bench_available(engine, reason, sizeof reason);

    if (settings.vcpus > 1 && !engine->runs_many) {
        snprintf(reason, sizeof reason, "runs a case on one processor: not with --vcpus");
        open = false;
    }
    if (open && engine->open(&state, &settings, &error) != 0) {
        snprintf(reason, sizeof reason, "%s", error.text);
        open = false;
    }
    enum vt_path path = engine->path(state);
    for (const int *level = engine->levels; *level >= 0 && (plan->paths >> path & 1); level++)
        for (size_t i = 0; i < plan->case_count && (plan->levels >> *level & 1); i++) {
            struct vt_measurement *m = &s->run->measurements[s->run->count++];
            *m = (struct vt_measurement){.c = plan->cases[i],
                                         .engine = engine->name,
                                         .path = path,
                                         .vcpus = vcpus_of(plan),
                                         .cpl = *level,
                                         .status = PENDING,
                                         .exits_per_op = NAN,
                                         .outer_exits = NAN,
                                         .depth = plan->simulation ? plan->simulation->depth : 1,
                                         .simulated = plan->simulation != NULL};
            if (!open || !engine->supports(state, m->c, m->cpl, reason, sizeof reason))
                refuse(m, VT_STATUS_UNSUPPORTED, reason);
            else if (engine->form)
                m->form = engine->form(state, m->c, m->cpl);
        }
    if (open)
        engine->close(state);
}

/* The rounds still to come, this one included, as far as they can be foreseen. */
static size_t rounds_left(const struct schedule *s)
{
    return s->round < ROUNDS_AT_LEAST ? ROUNDS_AT_LEAST - s->round : 1;
}

/* Done counts visits: a row is visited once a round. */
static void report_progress(const struct schedule *s, const struct vt_measurement *m)
{
    if (!s->plan->progress)
        return;
    struct vt_progress progress = {
        .done = s->visited + (s->due - s->pending),
        .total = s->visited + (s->plan->simulation ? 1 : rounds_left(s)) * s->due,
        .left = fmax(0, ((double)s->deadline_ns - (double)vt_clock_now()) * 1e-9),
        .engine = m->engine,
        .name = m->c->name,
        .cpl = m->cpl,
    };
    s->plan->progress(s->plan->context, &progress);
}

/* They are kept and marked, and left out of the count where others are left. */
static void note_hits(struct vt_measurement *m)
{
    if (m->simulated && m->marked && !*m->reason)
        snprintf(m->reason, sizeof m->reason, "%zu of %zu hit by the timer%s", m->marked, m->batches,
                 m->marked < m->batches ? ", and not in the toll" : ", which is in the toll");
}

static void finish_row(const struct schedule *s, struct vt_measurement *m)
{
    vt_sampler_summarize(m);
    vt_evidence_judge(m, &s->context);
    note_hits(m);
    vt_bare_split(m);
}

/* Of the row to be visited. */
static size_t row_number(const struct schedule *s)
{
    return s->visited + (s->due - s->pending) + 1;
}

/* How the row to be visited was lost; NULL: it was not. */
static const struct vt_lost_row *find_lost(const struct schedule *s)
{
    const struct vt_simulation *simulation = s->plan->simulation;
    size_t number = row_number(s);
    for (size_t i = 0; simulation && i < simulation->lost_count; i++)
        if (simulation->lost[i].number == number)
            return &simulation->lost[i];
    return NULL;
}

static bool is_made(const struct schedule *s)
{
    return s->plan->simulation && row_number(s) <= s->plan->simulation->before;
}

static void convert_to_instructions(struct vt_measurement *m, const struct vt_simulation *simulation)
{
    m->engine = simulation->engine;
}

static void convert_to_time(struct vt_measurement *m, double tsc_khz)
{
    m->tsc_khz = tsc_khz;
    m->toll = vt_statistics_scale(&m->toll_cycles, 1e6 / tsc_khz);
    for (int part = 0; part < VT_PARTS; part++)
        m->parts[part] = vt_statistics_scale(&m->parts[part], 1e6 / tsc_khz);
}

static double instruction_khz(const struct vt_simulation *simulation)
{
    return 1e6 * simulation->ticks_per_instruction;
}

/* The machine may not live to see the end of the run. */
static void hand_out(const struct schedule *s, const struct vt_measurement *m)
{
    const struct vt_simulation *simulation = s->plan->simulation;
    struct vt_measurement row = *m;
    if (!simulation || !simulation->made || m->status == PENDING)
        return;
    convert_to_instructions(&row, simulation);
    convert_to_time(&row, instruction_khz(simulation));
    simulation->made(simulation->context, &row);
}

static bool is_complete(const struct vt_measurement *m)
{
    return m->stop == VT_STOP_PRECISION || m->stop == VT_STOP_SAMPLES;
}

/* An engine that is open: here, or in a process of its own. In a lab the machine itself is there for one run.
 */
struct opened {
    const struct vt_engine *engine;
    void *state;
    struct vt_apart *apart;
    bool is_open;
};

static int open_engine(struct opened *opened, const struct vt_plan *plan,
                       const struct vt_engine_settings *settings, struct vt_error *error)
{
    bool apart = opened->engine->own && !plan->simulation;
    int status = apart ? vt_apart_open(&opened->apart, opened->engine, settings, error)
                       : opened->engine->open(&opened->state, settings, error);
    opened->is_open = status == 0;
    return status;
}

static int take(const struct opened *opened, struct vt_measurement *m, const struct vt_sampling *sampling,
                struct vt_error *error)
{
    return opened->apart ? vt_apart_take(opened->apart, m, sampling, error)
                         : vt_sampler_take(m, sampling, error);
}

static void close_engine(struct opened *opened)
{
    if (opened->apart)
        vt_apart_close(opened->apart);
    else if (opened->is_open)
        opened->engine->close(opened->state);
}

static void visit_row(struct schedule *s, struct vt_measurement *m, const struct opened *opened)
{
    uint64_t now = vt_clock_now();
    uint64_t left = now < s->deadline_ns ? s->deadline_ns - now : 0;
    uint64_t share = left / s->pending;
    uint64_t turn_ns = share / rounds_left(s);
    const struct vt_simulation *simulation = s->plan->simulation;
    struct vt_error error = {0};
    struct vt_sampling sampling = {
        .engine = opened->engine,
        .state = opened->state,
        .deadline_ns = now + turn_ns,
        .share_ns = share,
        .tsc_khz = s->rough_khz,
        .turn = simulation ? 0 : PAIRS_PER_ROUND,
        .iterations = simulation ? simulation->iterations : 0,
        .pairs = simulation ? simulation->pairs : 0,
        .cpu = s->watched_cpu < 0 ? NULL : &s->watched_cpu,
        .interrupts = simulation ? VT_INTERRUPTS_FILE : NULL,
        .interrupted_cpu = s->run->cpu,
        .let_tick_pass = simulation ? vt_tick_let_pass : NULL,
        .tick = &s->tick,
        .outer = simulation ? simulation->outer : NULL,
        .quiet = simulation ? NULL : &s->quiet,
        .patience_ns = now + turn_ns / 2,
        .stop = s->plan->stop,
    };

    s->pending--;
    if (left == 0 && m->batches == 0)
        refuse(m, VT_STATUS_TIMEOUT, "the time budget was spent before its turn: raise --budget");
    else if (left == 0)
        m->stop = VT_STOP_BUDGET;
    else if (take(opened, m, &sampling, &error) != 0)
        refuse(m, VT_STATUS_FAILED, error.text);
    if (m->status == PENDING && (simulation || left == 0 || is_complete(m)))
        finish_row(s, m);
}

/* After an interrupt: what has pairs enough is a measurement, the rest was not reached. */
static void close_row(struct schedule *s, struct vt_measurement *m)
{
    m->stop = VT_STOP_INTERRUPTED;
    if (m->batches >= VT_STATISTICS_MIN)
        finish_row(s, m);
    else
        refuse(m, VT_STATUS_TIMEOUT, "interrupted before its turn");
}

static void visit_engine(struct schedule *s, const struct vt_engine *engine)
{
    double limit = fmax(LIMIT_MIN_NS, fmin(LIMIT_MAX_NS, s->plan->budget * 1e9 * LIMIT_SHARE));
    struct vt_engine_settings settings = settings_for(s, limit);
    struct vt_error error = {0};
    struct opened opened = {.engine = engine};

    for (size_t i = 0; i < s->run->count && !*s->plan->stop; i++) {
        struct vt_measurement *m = &s->run->measurements[i];
        if (m->engine != engine->name || m->status != PENDING)
            continue;
        report_progress(s, m);
        const struct vt_lost_row *lost = find_lost(s);
        if (lost || is_made(s)) {
            s->pending--;
            refuse(m, lost ? lost->status : VT_STATUS_FAILED, lost ? lost->reason : VT_MADE_BEFORE);
            continue;
        }
        if (!opened.is_open && open_engine(&opened, s->plan, &settings, &error) != 0) {
            s->pending--;
            refuse(m, VT_STATUS_FAILED, error.text);
            continue;
        }
        visit_row(s, m, &opened);
        hand_out(s, m);
    }
    close_engine(&opened);
}

static size_t count_pending(const struct vt_run *run)
{
    size_t pending = 0;
    for (size_t i = 0; i < run->count; i++)
        pending += run->measurements[i].status == PENDING;
    return pending;
}

static void measure(struct schedule *s)
{
    s->due = count_pending(s->run);
    for (s->round = 0; s->due > 0 && !*s->plan->stop; s->round++) {
        s->pending = s->due;
        for (size_t e = 0; e < s->plan->engine_count; e++)
            visit_engine(s, s->plan->engines[e]);
        s->visited += s->due;
        s->due = count_pending(s->run);
    }
    for (size_t i = 0; i < s->run->count; i++)
        if (s->run->measurements[i].status == PENDING)
            close_row(s, &s->run->measurements[i]);
}

static double share_of_shared(const struct vt_run *run)
{
    size_t pairs = 0, shared = 0;
    for (size_t i = 0; i < run->count; i++)
        for (size_t k = 0; k < run->measurements[i].batches; k++, pairs++)
            shared += (run->measurements[i].marks[k] & VT_MARK_SHARED) != 0;
    return pairs ? (double)shared / (double)pairs : NAN;
}

static size_t count_moved(const struct vt_measurement *m)
{
    size_t moved = 0;
    for (size_t k = 0; k < m->batches; k++)
        moved += (m->marks[k] & VT_MARK_MOVED) != 0;
    return moved;
}

/* Said of each row as well: it may be read alone. */
static size_t note_moves(struct vt_run *run)
{
    size_t all = 0;
    for (size_t i = 0; i < run->count; i++) {
        struct vt_measurement *m = &run->measurements[i];
        size_t moved = count_moved(m);
        all += moved;
        if (moved && !*m->reason)
            snprintf(m->reason, sizeof m->reason,
                     "%zu of %zu pairs did not run pinned to CPU %d: the affinity or cpuset was changed",
                     moved, m->batches, run->cpu);
    }
    return all;
}

static double throttled_periods(void)
{
    return vt_quota_throttled("/proc/self/cgroup", "/sys/fs/cgroup");
}

/* Here and in the processes that engines had. */
static uint64_t preemptions(void)
{
    return vt_usage_now().preemptions + vt_usage_of_children();
}

static void convert(struct vt_run *run, const struct vt_simulation *simulation)
{
    if (simulation)
        run->tsc_khz = instruction_khz(simulation);
    for (size_t i = 0; i < run->count; i++) {
        if (simulation)
            convert_to_instructions(&run->measurements[i], simulation);
        convert_to_time(&run->measurements[i], run->tsc_khz);
    }
}

int vt_bench_run(struct vt_run *run, const struct vt_plan *plan, struct vt_error *error)
{
    struct schedule s = {.plan = plan, .run = run};
    struct vt_affinity affinity;

    *run = (struct vt_run){.measurements = calloc(rows_at_most(plan) + 1, sizeof *run->measurements)};
    if (!run->measurements)
        return vt_error_memory(error, "the measurements");
    bool restorable = vt_affinity_get(&affinity) == 0;
    s.allowed = restorable ? &affinity : NULL;
    run->vcpus = vcpus_of(plan);
    run->cpus = restorable ? vt_affinity_count(&affinity) : 0;
    run->cpu = pin(plan->cpu, &affinity);
    /* An emulator that announces itself as a hypervisor has nothing to exit to. */
    s.context = (struct vt_evidence_context){vt_vmm_backend(), inside_a_hypervisor() && !plan->simulation,
                                             vt_vendor_has_svm()};
    s.rough_khz = rough_khz();
    s.watched_cpu = plan->simulation || !vt_affinity_is_pinned(run->cpu) ? -1 : run->cpu;

    double steal = steal_seconds(run->cpu), throttled = throttled_periods();
    uint64_t preempted = preemptions();
    struct clocks from = read_clocks();
    for (size_t e = 0; e < plan->engine_count; e++)
        plan_engine(&s, plan->engines[e]);
    /* Finding out what can run is no measuring, and costs processes. */
    s.deadline_ns = vt_clock_now() + (uint64_t)(plan->budget * 1e9);
    measure(&s);
    struct clocks to = read_clocks();

    run->elapsed = to.seconds - from.seconds;
    run->tsc_khz = khz_between(&from, &to);
    run->steal = steal_seconds(run->cpu) - steal;
    run->throttled = throttled_periods() - throttled;
    run->moved = note_moves(run);
    run->preemptions = preemptions() - preempted;
    run->waited = (double)s.quiet.waited_ns * 1e-9;
    run->shared = share_of_shared(run);
    run->interrupted = *plan->stop != 0;
    convert(run, plan->simulation);
    if (restorable)
        vt_affinity_set(&affinity);
    return 0;
}

void vt_run_release(struct vt_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        vt_measurement_release(&run->measurements[i]);
    free(run->measurements);
    *run = (struct vt_run){0};
}
