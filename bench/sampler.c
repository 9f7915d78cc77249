#include "bench/sampler.h"
#include "base/process/affinity.h"
#include "base/process/interrupts.h"
#include "base/statistics.h"
#include "base/process/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A batch at most this long: enough to drown the clock's own cost, little enough to dodge most timer ticks.
 */
#define BATCH_NS     200000.0
#define BATCH_MIN_NS 20000.0

#define MAX_ITERATIONS (UINT64_C(1) << 24)

/* Where instructions are counted: a first batch, and how long the others may be. */
#define FIXED_FIRST 10
#define FIXED_TICKS UINT64_C(500000)

/* A toll near nothing cannot be known to 1 % of itself; a twentieth of a cycle is as good. */
#define FLOOR_CYCLES 0.05

/* What the first pair is taken to last: both its batches, and as much for what is around them. */
#define FIRST_PAIR_NS (4 * FIXED_TICKS)

/* What a share of time must leave room for, or the batches are made shorter. */
#define WANTED_PAIRS 20

/* Calibration: batches of one length, and how much longer the next may be. */
#define ATTEMPTS 2
#define LEAP     16

/* Batches below this share of what they may last show that something slowed the calibration. */
#define TOO_SHORT 0.4

static void record_end(struct vt_measurement *m, enum vt_batch_end end, const struct vt_error *error)
{
    static const enum vt_status statuses[] = {
        [VT_BATCH_DONE] = VT_STATUS_OK,
        [VT_BATCH_FAULT] = VT_STATUS_FAILED,
        [VT_BATCH_ABSENT] = VT_STATUS_UNSUPPORTED,
        [VT_BATCH_TIMEOUT] = VT_STATUS_TIMEOUT,
        [VT_BATCH_INTERRUPTED] = VT_STATUS_TIMEOUT,
        [VT_BATCH_BROKEN] = VT_STATUS_FAILED,
    };
    m->status = statuses[end];
    m->stop = end == VT_BATCH_INTERRUPTED ? VT_STOP_INTERRUPTED : VT_STOP_NOT_RUN;
    snprintf(m->reason, sizeof m->reason, "%s", end == VT_BATCH_INTERRUPTED ? "interrupted" : error->text);
}

/* What a batch may last. */
static uint64_t target_cycles(const struct vt_sampling *sampling)
{
    double share = (double)sampling->share_ns / (2 * WANTED_PAIRS);
    return (uint64_t)(fmax(BATCH_MIN_NS, fmin(BATCH_NS, share)) * sampling->tsc_khz * 1e-6);
}

static uint64_t longest(const struct vt_measurement *m)
{
    return m->c->max_iterations ? m->c->max_iterations : MAX_ITERATIONS;
}

/* Only halves of what is asked for: what a batch costs once is spread over as many operations in every run.
 */
static uint64_t halve_to_fit(uint64_t iterations, double cycles_each)
{
    while (iterations > 1 && (double)iterations * cycles_each > (double)FIXED_TICKS)
        iterations /= 2;
    return iterations;
}

/*
 * As many operations as asked for, fewer where they are long: the count is exact
 * either way. The first batches of each twin are thrown away: they find cold caches and
 * translations, and memory that was never used. An interrupt may fall into one of those that tell the length,
 * not into both.
 */
static enum vt_batch_end warm_up(struct vt_measurement *m, const struct vt_sampling *sampling,
                                 struct vt_error *error)
{
    static const enum vt_twin twins[] = {VT_BODY, VT_BASELINE, VT_BODY, VT_BODY};
    enum { TWINS = sizeof twins / sizeof twins[0] };
    uint64_t limit = m->c->max_iterations ? m->c->max_iterations : sampling->iterations;
    struct vt_batch batches[TWINS] = {0};

    limit = limit < sampling->iterations ? limit : sampling->iterations;
    m->iterations = limit < FIXED_FIRST ? limit : FIXED_FIRST;
    for (size_t i = 0; i < TWINS; i++) {
        enum vt_batch_end end =
            sampling->engine->batch(sampling->state, twins[i], m->iterations, &batches[i], error);
        if (end != VT_BATCH_DONE)
            return end;
    }
    double cycles = fmin((double)batches[TWINS - 2].cycles, (double)batches[TWINS - 1].cycles);
    m->iterations = halve_to_fit(limit, cycles / (double)m->iterations);
    return sampling->engine->batch(sampling->state, VT_BODY, m->iterations, &batches[0], error);
}

/* Is it quiet? Where nobody asks it counts as quiet. */
static bool wait_for_quiet(const struct vt_sampling *sampling)
{
    return !sampling->quiet || vt_quiet_wait(sampling->quiet, sampling->patience_ns, sampling->stop);
}

static bool is_quiet(const struct vt_sampling *sampling)
{
    return !sampling->quiet || vt_quiet_now(sampling->quiet);
}

/* The shortest of a few batches of the body: what is cold, or interrupted, must not pass for long. */
static enum vt_batch_end time_body(const struct vt_measurement *m, const struct vt_sampling *sampling,
                                   uint64_t *cycles, struct vt_error *error)
{
    *cycles = UINT64_MAX;
    for (int i = 0; i < ATTEMPTS; i++) {
        struct vt_batch batch = {0};
        wait_for_quiet(sampling);
        enum vt_batch_end end =
            sampling->engine->batch(sampling->state, VT_BODY, m->iterations, &batch, error);
        if (end != VT_BATCH_DONE)
            return end;
        *cycles = batch.cycles < *cycles ? batch.cycles : *cycles;
    }
    return VT_BATCH_DONE;
}

/*
 * Double the body's batch while twice as much still fits; slow operations may end at one per batch. Only
 * powers of two, or the case's own limit: what a batch costs once is spread over as many operations in
 * another run.
 */
static enum vt_batch_end calibrate(struct vt_measurement *m, const struct vt_sampling *sampling,
                                   struct vt_error *error)
{
    uint64_t target = target_cycles(sampling), limit = longest(m);

    for (m->iterations = 1;;) {
        uint64_t cycles, next = m->iterations;
        enum vt_batch_end end = time_body(m, sampling, &cycles, error);
        if (end != VT_BATCH_DONE || m->iterations == limit)
            return end;
        while (next < limit && 2 * (cycles + 1) * (next / m->iterations) <= target &&
               next < LEAP * m->iterations)
            next *= 2;
        if (next == m->iterations)
            return end;
        m->iterations = next < limit ? next : limit;
    }
}

static bool precise(const struct vt_measurement *m)
{
    double toll[VT_SAMPLER_MOST], work[VT_SAMPLER_MOST];
    for (size_t i = 0; i < m->batches; i++)
        toll[i] = m->body[i] - m->baseline[i];
    struct vt_summary summary = vt_statistics_summarize(toll, m->batches, work);
    double half = (summary.ci_high - summary.ci_low) / 2;
    return half <= fmax(VT_SAMPLER_PRECISION * fabs(summary.median), FLOOR_CYCLES);
}

/* An orchestrator may rewrite the cpuset or the mask at any time; the kernel then moves the thread. */
static bool is_in_place(const struct vt_sampling *sampling)
{
    return !sampling->cpu || vt_affinity_is_pinned(*sampling->cpu);
}

static uint64_t interrupts(const struct vt_sampling *sampling)
{
    return sampling->interrupts ? vt_interrupts_served(sampling->interrupts, sampling->interrupted_cpu) : 0;
}

static uint32_t outer_interrupts(const struct vt_sampling *sampling)
{
    return sampling->outer ? sampling->outer->interrupts() : 0;
}

static uint32_t outer_exits(const struct vt_sampling *sampling)
{
    return sampling->outer ? sampling->outer->exits() : 0;
}

/* One pair; which twin goes first alternates, so that what drifts favours neither. */
static enum vt_batch_end take_pair(struct vt_measurement *m, const struct vt_sampling *sampling,
                                   struct vt_error *error)
{
    struct vt_batch batch[2] = {0};
    size_t index = m->batches;
    bool moved = !is_in_place(sampling);
    bool quiet = wait_for_quiet(sampling);
    uint64_t served = interrupts(sampling);
    uint32_t outer = outer_interrupts(sampling), outer_count[2];

    for (int i = 0; i < 2; i++) {
        enum vt_twin twin = (enum vt_twin)((size_t)i ^ (index & 1));
        uint32_t exits = outer_exits(sampling);
        enum vt_batch_end end =
            sampling->engine->batch(sampling->state, twin, m->iterations, &batch[twin], error);
        if (end != VT_BATCH_DONE)
            return end;
        outer_count[twin] = outer_exits(sampling) - exits;
        moved = moved || !is_in_place(sampling);
    }
    m->body[index] = (double)batch[VT_BODY].cycles / (double)m->iterations;
    if (m->outer)
        m->outer[index] = (double)outer_count[VT_BODY] - (double)outer_count[VT_BASELINE];
    m->baseline[index] = (double)batch[VT_BASELINE].cycles / (double)m->iterations;
    if (m->bare && sampling->engine->bare)
        m->bare[index] = sampling->engine->bare(sampling->state);
    served = interrupts(sampling) - served;
    if (m->served)
        m->served[index] = served;
    bool hit = moved || batch[VT_BODY].marked || batch[VT_BASELINE].marked || (served && !m->served) ||
               outer_interrupts(sampling) != outer;
    m->marks[index] = (hit ? VT_MARK_HIT : 0) | (moved ? VT_MARK_MOVED : 0) |
                      (quiet && is_quiet(sampling) ? 0 : VT_MARK_SHARED);
    m->marked += hit;
    if (batch[VT_BODY].note)
        snprintf(m->reason, sizeof m->reason, "%s", batch[VT_BODY].note);
    vt_counters_add(&m->body_counters, &batch[VT_BODY].counters);
    vt_counters_add(&m->baseline_counters, &batch[VT_BASELINE].counters);
    m->batches++;
    return VT_BATCH_DONE;
}

/* The first pairs of a row tell how long the others will take. */
static enum vt_batch_end take_pair_between_ticks(struct vt_measurement *m, const struct vt_sampling *sampling,
                                                 uint64_t *longest_ns, struct vt_error *error)
{
    if (!sampling->let_tick_pass)
        return take_pair(m, sampling, error);
    sampling->let_tick_pass(sampling->tick, *longest_ns ? *longest_ns + *longest_ns / 4 : FIRST_PAIR_NS);
    uint64_t begun = vt_clock_now();
    enum vt_batch_end end = take_pair(m, sampling, error);
    uint64_t lasted = vt_clock_now() - begun;
    *longest_ns = lasted > *longest_ns ? lasted : *longest_ns;
    return end;
}

static enum vt_stop why_stop(const struct vt_measurement *m, const struct vt_sampling *sampling)
{
    if (*sampling->stop)
        return VT_STOP_INTERRUPTED;
    if (m->batches == VT_SAMPLER_MOST || m->batches == sampling->pairs)
        return VT_STOP_SAMPLES;
    if (sampling->pairs)
        return VT_STOP_NOT_RUN;
    return m->batches >= VT_STATISTICS_MIN && vt_clock_now() >= sampling->deadline_ns ? VT_STOP_BUDGET
                                                                                      : VT_STOP_NOT_RUN;
}

static void forget_samples(struct vt_measurement *m)
{
    m->batches = m->marked = m->round_count = 0;
    m->body_counters = m->baseline_counters = (struct vt_counters){0};
}

/* Start again with longer batches, if they can be longer. */
static enum vt_batch_end calibrate_again(struct vt_measurement *m, const struct vt_sampling *sampling,
                                         struct vt_error *error)
{
    uint64_t before = m->iterations;
    enum vt_batch_end end = calibrate(m, sampling, error);
    if (m->iterations > before)
        forget_samples(m);
    else
        m->iterations = before;
    return end;
}

/*
 * What ran in between took caches and predictors; the first batch of a later turn would pay for it. The
 * second turn also sees whether the first one's calibration met a neighbour, and starts again if it did.
 */
static enum vt_batch_end refresh(struct vt_measurement *m, const struct vt_sampling *sampling,
                                 struct vt_error *error)
{
    struct vt_batch body = {0}, baseline = {0};
    enum vt_batch_end end = sampling->engine->batch(sampling->state, VT_BODY, m->iterations, &body, error);
    if (end == VT_BATCH_DONE)
        end = sampling->engine->batch(sampling->state, VT_BASELINE, m->iterations, &baseline, error);
    bool too_short = (double)body.cycles < TOO_SHORT * (double)target_cycles(sampling);
    if (end != VT_BATCH_DONE || !too_short || m->round_count > 1 || m->iterations == longest(m))
        return end;
    return calibrate_again(m, sampling, error);
}

static enum vt_batch_end sample(struct vt_measurement *m, const struct vt_sampling *sampling,
                                struct vt_error *error)
{
    size_t last = m->batches + sampling->turn;
    uint64_t longest_ns = 0;

    do {
        enum vt_batch_end end = take_pair_between_ticks(m, sampling, &longest_ns, error);
        /* What an interrupt of the user's cut short keeps the pairs it has. */
        if (end == VT_BATCH_INTERRUPTED && m->batches >= VT_STATISTICS_MIN)
            m->stop = VT_STOP_INTERRUPTED;
        else if (end != VT_BATCH_DONE)
            return end;
        else
            m->stop = why_stop(m, sampling);
    } while (m->stop == VT_STOP_NOT_RUN && m->batches != last);
    if (m->stop == VT_STOP_NOT_RUN && m->batches >= VT_SAMPLER_PRECISE_FROM && precise(m))
        m->stop = VT_STOP_PRECISION;
    return m->batches < VT_STATISTICS_MIN ? VT_BATCH_INTERRUPTED : VT_BATCH_DONE;
}

static void note_round(struct vt_measurement *m)
{
    if (m->batches > (m->round_count ? m->rounds[m->round_count - 1] : 0))
        m->rounds[m->round_count++] = (uint16_t)m->batches;
}

void vt_sampler_fail(struct vt_measurement *m, enum vt_batch_end end, const struct vt_error *error)
{
    record_end(m, end, error);
    forget_samples(m);
}

int vt_sampler_make_room(struct vt_measurement *m, bool bare, struct vt_error *error)
{
    if (m->body)
        return 0;
    bool own = m->simulated && m->c->needs & VT_NEED_DEADLINE;
    m->outer = m->depth > 1 ? calloc(VT_SAMPLER_MOST, sizeof *m->outer) : NULL;
    m->served = own ? calloc(VT_SAMPLER_MOST, sizeof *m->served) : NULL;
    m->bare = bare ? calloc(VT_SAMPLER_MOST, sizeof *m->bare) : NULL;
    m->body = calloc(VT_SAMPLER_MOST, sizeof *m->body);
    m->baseline = calloc(VT_SAMPLER_MOST, sizeof *m->baseline);
    m->marks = calloc(VT_SAMPLER_MOST, sizeof *m->marks);
    m->rounds = calloc(VT_SAMPLER_MOST, sizeof *m->rounds);
    if (m->body && m->baseline && m->marks && m->rounds && (m->bare || !bare) && (m->outer || m->depth < 2) &&
        (m->served || !own))
        return 0;
    return vt_error_memory(error, "the samples");
}

int vt_sampler_take(struct vt_measurement *m, const struct vt_sampling *sampling, struct vt_error *error)
{
    const struct vt_engine *engine = sampling->engine;
    enum vt_batch_end end = VT_BATCH_DONE;
    int status = vt_sampler_make_room(m, engine->bare != NULL, error);

    if (status == 0)
        status = engine->prepare(sampling->state, m->c, m->cpl, error);
    if (status != 0)
        return status;
    if (m->iterations == 0)
        end = sampling->pairs ? warm_up(m, sampling, error) : calibrate(m, sampling, error);
    else
        end = refresh(m, sampling, error);
    if (end == VT_BATCH_DONE)
        end = sample(m, sampling, error);
    note_round(m);
    if (end != VT_BATCH_DONE)
        vt_sampler_fail(m, end, error);
    return 0;
}

static double toll_of(const struct vt_measurement *m, size_t index)
{
    return m->body[index] - m->baseline[index];
}

static bool is_hit(const struct vt_measurement *m, size_t index)
{
    return m->marks[index] & VT_MARK_HIT;
}

/* A timer that the case sets is one of the kernel's too: those interrupts are its own, and as many in each
 * pair. */
static void tell_own_interrupts(struct vt_measurement *m)
{
    uint64_t own = UINT64_MAX;

    for (size_t i = 0; i < m->batches; i++)
        own = m->served[i] < own ? m->served[i] : own;
    for (size_t i = 0; i < m->batches; i++)
        if (m->served[i] > own && !is_hit(m, i)) {
            m->marks[i] |= VT_MARK_HIT;
            m->marked++;
        }
}

/* An interrupt between the batches of a pair, or beside them, has not changed its count. */
static void acquit(struct vt_measurement *m)
{
    double low = INFINITY, high = -INFINITY;

    for (size_t i = 0; i < m->batches; i++)
        if (!is_hit(m, i)) {
            low = fmin(low, toll_of(m, i));
            high = fmax(high, toll_of(m, i));
        }
    for (size_t i = 0; i < m->batches; i++)
        if (is_hit(m, i) && toll_of(m, i) >= low && toll_of(m, i) <= high) {
            m->marks[i] &= (uint8_t)~VT_MARK_HIT;
            m->marked--;
        }
}

static double median_outer(const struct vt_measurement *m, bool all)
{
    double exits[VT_SAMPLER_MOST];
    size_t count = 0;

    for (size_t i = 0; i < m->batches; i++)
        if (all || !is_hit(m, i))
            exits[count++] = m->outer[i];
    return vt_statistics_median(exits, count) / (double)m->iterations;
}

void vt_sampler_summarize(struct vt_measurement *m)
{
    double toll[VT_SAMPLER_MOST], work[VT_SAMPLER_MOST];
    size_t count = 0;

    if (m->served)
        tell_own_interrupts(m);
    if (m->simulated)
        acquit(m);
    bool all = !m->simulated || m->marked == m->batches;
    for (size_t i = 0; i < m->batches; i++)
        if (all || !is_hit(m, i))
            toll[count++] = toll_of(m, i);
    m->toll_cycles = vt_statistics_summarize(toll, count, work);
    m->outer_exits = m->outer ? median_outer(m, all) : NAN;
}
