#include "bench/sampler.h"
#include "bench/runner.h"
#include "bench/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A batch long enough to drown the clock's own cost, short enough to dodge most timer ticks. */
#define BATCH_NS     150000.0
#define BATCH_MIN_NS 20000.0

#define MAX_ITERATIONS (UINT64_C(1) << 24)

/* A toll near nothing cannot be known to 1 % of itself; a twentieth of a cycle is as good. */
#define FLOOR_CYCLES 0.05

/* Tails are reported too: not fewer pairs than a 99th percentile needs, if the time allows. */
#define PRECISE_FROM 101

/* What a share of time must leave room for, or the batches are made shorter. */
#define WANTED_PAIRS 20

uint64_t vt_sampler_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

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

static double batch_target_ns(const struct vt_sampling *sampling)
{
    double share = ((double)sampling->deadline_ns - (double)vt_sampler_clock()) / (2 * WANTED_PAIRS);
    return fmax(BATCH_MIN_NS, fmin(BATCH_NS, share));
}

/* The first of each twin finds cold caches and translations: its count is another one. */
static enum vt_batch_end warm_up(struct vt_measurement *m, const struct vt_sampling *sampling,
                                 struct vt_error *error)
{
    uint64_t limit = m->c->max_iterations ? m->c->max_iterations : sampling->iterations;
    struct vt_batch batch;

    m->iterations = sampling->iterations < limit ? sampling->iterations : limit;
    enum vt_batch_end end = sampling->engine->batch(sampling->state, VT_BODY, m->iterations, &batch, error);
    if (end != VT_BATCH_DONE)
        return end;
    return sampling->engine->batch(sampling->state, VT_BASELINE, m->iterations, &batch, error);
}

/* Grow the body's batch until it lasts long enough; slow operations may end at one per batch. */
static enum vt_batch_end calibrate(struct vt_measurement *m, const struct vt_sampling *sampling,
                                   struct vt_error *error)
{
    double target = batch_target_ns(sampling) * sampling->tsc_khz * 1e-6;
    uint64_t limit = m->c->max_iterations ? m->c->max_iterations : MAX_ITERATIONS;
    struct vt_batch batch;

    m->iterations = 1;
    for (;;) {
        enum vt_batch_end end =
            sampling->engine->batch(sampling->state, VT_BODY, m->iterations, &batch, error);
        if (end != VT_BATCH_DONE)
            return end;
        double factor = target / fmax(1, (double)batch.cycles);
        if (factor < 1.25 || m->iterations == limit)
            return VT_BATCH_DONE;
        uint64_t next = (uint64_t)((double)m->iterations * fmin(factor, 16) + 1);
        m->iterations = next > limit ? limit : next;
    }
}

static bool precise(const struct vt_measurement *m, double *work)
{
    for (size_t i = 0; i < m->batches; i++)
        work[VT_SAMPLER_MOST + i] = m->body[i] - m->baseline[i];
    struct vt_summary toll = vt_statistics_summarize(work + VT_SAMPLER_MOST, m->batches, work);
    double half = (toll.ci_high - toll.ci_low) / 2;
    return half <= fmax(VT_RUNNER_PRECISION * fabs(toll.median), FLOOR_CYCLES);
}

/* One pair; which twin goes first alternates, so that what drifts favours neither. */
static enum vt_batch_end take_pair(struct vt_measurement *m, const struct vt_sampling *sampling,
                                   struct vt_error *error)
{
    struct vt_batch batch[2];
    size_t index = m->batches;

    for (int i = 0; i < 2; i++) {
        enum vt_twin twin = (enum vt_twin)((size_t)i ^ (index & 1));
        enum vt_batch_end end =
            sampling->engine->batch(sampling->state, twin, m->iterations, &batch[twin], error);
        if (end != VT_BATCH_DONE)
            return end;
    }
    m->body[index] = (double)batch[VT_BODY].cycles / (double)m->iterations;
    m->baseline[index] = (double)batch[VT_BASELINE].cycles / (double)m->iterations;
    m->marks[index] = batch[VT_BODY].marked || batch[VT_BASELINE].marked;
    m->marked += m->marks[index];
    vt_counters_add(&m->body_counters, &batch[VT_BODY].counters);
    vt_counters_add(&m->baseline_counters, &batch[VT_BASELINE].counters);
    m->batches++;
    return VT_BATCH_DONE;
}

static enum vt_stop why_stop(const struct vt_measurement *m, const struct vt_sampling *sampling,
                             size_t *next_check, double *work)
{
    if (*sampling->stop)
        return VT_STOP_INTERRUPTED;
    if (m->batches == VT_SAMPLER_MOST || m->batches == sampling->pairs)
        return VT_STOP_SAMPLES;
    if (sampling->pairs)
        return VT_STOP_NOT_RUN;
    if (m->batches >= *next_check) {
        *next_check = m->batches + m->batches / 3;
        if (precise(m, work))
            return VT_STOP_PRECISION;
    }
    return m->batches >= VT_STATISTICS_MIN && vt_sampler_clock() >= sampling->deadline_ns ? VT_STOP_BUDGET
                                                                                          : VT_STOP_NOT_RUN;
}

static enum vt_batch_end sample(struct vt_measurement *m, const struct vt_sampling *sampling, double *work,
                                struct vt_error *error)
{
    size_t next_check = PRECISE_FROM;

    do {
        enum vt_batch_end end = take_pair(m, sampling, error);
        /* What an interrupt of the user's cut short keeps the pairs it has. */
        if (end == VT_BATCH_INTERRUPTED && m->batches >= VT_STATISTICS_MIN)
            m->stop = VT_STOP_INTERRUPTED;
        else if (end != VT_BATCH_DONE)
            return end;
        else
            m->stop = why_stop(m, sampling, &next_check, work);
    } while (m->stop == VT_STOP_NOT_RUN);
    return m->batches < VT_STATISTICS_MIN ? VT_BATCH_INTERRUPTED : VT_BATCH_DONE;
}

static int allocate(struct vt_measurement *m, double **work)
{
    m->body = calloc(VT_SAMPLER_MOST, sizeof *m->body);
    m->baseline = calloc(VT_SAMPLER_MOST, sizeof *m->baseline);
    m->marks = calloc(VT_SAMPLER_MOST, sizeof *m->marks);
    *work = calloc(2 * VT_SAMPLER_MOST, sizeof **work);
    return m->body && m->baseline && m->marks && *work ? 0 : -ENOMEM;
}

static void summarize(struct vt_measurement *m, double *work)
{
    for (size_t i = 0; i < m->batches; i++)
        work[VT_SAMPLER_MOST + i] = m->body[i] - m->baseline[i];
    m->toll_cycles = vt_statistics_summarize(work + VT_SAMPLER_MOST, m->batches, work);
}

int vt_sampler_measure(struct vt_measurement *m, const struct vt_sampling *sampling, struct vt_error *error)
{
    const struct vt_engine *engine = sampling->engine;
    double *work = NULL;

    if (allocate(m, &work) != 0) {
        free(work);
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "out of memory for the samples of %s",
                            m->c->name);
    }
    int status = engine->prepare(sampling->state, m->c, m->cpl, error);
    if (status != 0) {
        free(work);
        return status;
    }
    enum vt_batch_end end = sampling->pairs ? warm_up(m, sampling, error) : calibrate(m, sampling, error);
    if (end == VT_BATCH_DONE)
        end = sample(m, sampling, work, error);
    if (end == VT_BATCH_DONE)
        summarize(m, work);
    else
        record_end(m, end, error);
    if (end != VT_BATCH_DONE)
        m->batches = 0;
    free(work);
    return 0;
}
