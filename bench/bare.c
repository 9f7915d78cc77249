#include "bench/bare.h"
#include "bench/sampler.h"
#include "base/statistics.h"

/* Crossings per operation: the host's kernel may answer a fault by itself, and then none is the engine's. */
#define LEAST 0.9

/* Crossings whose cost an engine can measure bare: the counter that says how many an operation took. */
static enum vt_counter counter_of(const struct vt_measurement *m)
{
    if (m->crossing == VT_CROSSING_CALLOUT)
        return VT_CALLOUTS;
    if (m->crossing == VT_CROSSING_HYPERCALL)
        return VT_HYPERCALLS;
    if (m->crossing == VT_CROSSING_EXIT_KERNEL)
        return VT_EXITS;
    return vt_counters_has(&m->body_counters, VT_TRAPS) ? VT_TRAPS : VT_SIGNALS;
}

void vt_bare_split(struct vt_measurement *m)
{
    bool crossed = m->crossing == VT_CROSSING_CALLOUT || m->crossing == VT_CROSSING_TRAP ||
                   m->crossing == VT_CROSSING_HYPERCALL || m->crossing == VT_CROSSING_EXIT_KERNEL;
    double bare[VT_SAMPLER_MOST], rest[VT_SAMPLER_MOST], work[VT_SAMPLER_MOST];

    if (!m->bare || !crossed || m->status != VT_STATUS_OK)
        return;
    double crossings = vt_measurement_per_operation(m, counter_of(m));
    if (!(crossings >= LEAST))
        return;
    for (size_t i = 0; i < m->batches; i++) {
        bare[i] = m->bare[i] * crossings;
        rest[i] = m->body[i] - m->baseline[i] - bare[i];
    }
    m->parts[VT_PART_BARE] = vt_statistics_summarize(bare, m->batches, work);
    m->parts[VT_PART_EMULATION] = vt_statistics_summarize(rest, m->batches, work);
    m->parts_known = 1u << VT_PART_BARE | 1u << VT_PART_EMULATION;
}
