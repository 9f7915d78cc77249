#include "price/reasons/cost.h"
#include "base/statistics.h"
#include "bench/engine.h"
#include "price/reasons/reasons.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* CPUID always exits under VMX and SVM, whatever KVM thinks of it. */
#define CASE "cpuid"

enum { FIRST = 500, MOST = 100000, PAIRS = 31 };

#define BATCH_NS 4e6

struct measuring {
    const struct vt_engine *engine;
    void *state;
    uint64_t iterations;
    uint32_t set; /* of events */
    struct vt_error error;
};

/* Of this thread, which runs the guest: others that want its CPU cost nothing then. */
static double spent_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static bool batch(struct measuring *m, double *ns)
{
    struct vt_batch done;
    double begun = spent_ns();
    if (m->engine->batch(m->state, VT_BODY, m->iterations, &done, &m->error) != VT_BATCH_DONE)
        return false;
    *ns = (spent_ns() - begun) / (double)m->iterations;
    return true;
}

static bool counted_batch(struct measuring *m, double *ns)
{
    struct vt_price_reasons *reasons;
    pid_t self = gettid();
    if (vt_price_reasons_open(&reasons, NULL, &self, 1, &m->error) != 0)
        return false;
    vt_price_reasons_keep(reasons, m->set);
    bool done = batch(m, ns);
    vt_price_reasons_close(reasons);
    return done;
}

/* Batches long enough that a tick of the host in one of them counts little. */
static bool calibrate(struct measuring *m)
{
    double first, bare;
    m->iterations = FIRST;
    if (!batch(m, &first) || !batch(m, &bare)) /* the first finds everything cold */
        return false;
    m->iterations = bare > BATCH_NS / MOST ? (uint64_t)(BATCH_NS / bare) + 1 : MOST;
    return true;
}

static bool pairs(struct measuring *m, double *each_ns)
{
    double differences[PAIRS];
    if (!calibrate(m))
        return false;
    for (size_t i = 0; i < PAIRS; i++) {
        double bare, counted;
        if (!batch(m, &bare) || !counted_batch(m, &counted))
            return false;
        differences[i] = counted - bare;
    }
    vt_statistics_sort(differences, PAIRS);
    *each_ns = differences[PAIRS / 2] > 0 ? differences[PAIRS / 2] : 0;
    return true;
}

bool vt_price_reasons_cost(uint32_t set, double *each_ns, char *why, size_t size)
{
    static const volatile int never;
    const struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &never, .vcpus = 1};
    struct measuring m = {.engine = vt_bench_find_engine("kvm"), .set = set};
    const struct vt_case *c = vt_guest_find_case(CASE);
    if (!m.engine->available(why, size))
        return false;
    if (m.engine->open(&m.state, &settings, &m.error) != 0) {
        snprintf(why, size, "%s", m.error.text);
        return false;
    }
    bool measured = m.engine->prepare(m.state, c, 0, &m.error) == 0 && pairs(&m, each_ns);
    if (!measured)
        snprintf(why, size, "%s", m.error.text);
    m.engine->close(m.state);
    return measured;
}
