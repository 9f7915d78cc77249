#include "lab/road.h"

#include "bench/bare.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct vt_lab_road all[] = {
    {"monitor-trap", VT_PATH_EMULATED, 0, VT_ROWS_ALL, VT_CROSSING_TRAP, {{VT_TRAPS, VT_CROSSING_TRAP}}},
    {"monitor-trap-assist",
     VT_PATH_EMULATED,
     0,
     VT_ROWS_ASSISTED,
     VT_CROSSING_TRAP,
     {{VT_TRAPS, VT_CROSSING_TRAP}}},
    {"monitor-translate",
     VT_PATH_TRANSLATED,
     0,
     VT_ROWS_ALL,
     VT_CROSSING_CALLOUT,
     {{VT_TRAPS, VT_CROSSING_TRAP},
      {VT_CALLOUTS, VT_CROSSING_CALLOUT},
      {VT_INLINE_HITS, VT_CROSSING_INLINE}}},
    {"monitor-call",
     VT_PATH_PARAVIRTUAL,
     0,
     VT_ROWS_FORMS,
     VT_CROSSING_HYPERCALL,
     {{VT_HYPERCALLS, VT_CROSSING_HYPERCALL}}},
    {"monitor-svm",
     VT_PATH_HARDWARE,
     0,
     VT_ROWS_ALL,
     VT_CROSSING_EXIT_KERNEL,
     {{VT_EXITS, VT_CROSSING_EXIT_KERNEL}}},
    {"monitor-svm-kvm",
     VT_PATH_HARDWARE,
     0,
     VT_ROWS_ALL,
     VT_CROSSING_EXIT_KERNEL,
     {{VT_EXITS, VT_CROSSING_EXIT_KERNEL}}},
    {"monitor-vmx",
     VT_PATH_HARDWARE,
     0,
     VT_ROWS_ALL,
     VT_CROSSING_EXIT_KERNEL,
     {{VT_EXITS, VT_CROSSING_EXIT_KERNEL}}},
    {"monitor-vmx-kvm",
     VT_PATH_HARDWARE,
     0,
     VT_ROWS_ALL,
     VT_CROSSING_EXIT_KERNEL,
     {{VT_EXITS, VT_CROSSING_EXIT_KERNEL}}},
};

const struct vt_lab_road *vt_lab_roads(size_t *count)
{
    *count = sizeof all / sizeof all[0];
    return all;
}

const struct vt_lab_road *vt_lab_road_find(const char *word)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].engine, word) == 0)
            return &all[i];
    return NULL;
}

static const struct vt_lab_road_end ends[] = {
    {"timeout", VT_STATUS_TIMEOUT, "did not return: the monitor's timer ended it"},
    {"halted", VT_STATUS_FAILED, "halted with no interrupt to wake it"},
    {"broken", VT_STATUS_FAILED, "the monitor itself raised "},
};

const struct vt_lab_road_end *vt_lab_road_find_end(const char *word)
{
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(ends[i].word, word) == 0)
            return &ends[i];
    return NULL;
}

void vt_lab_road_fail(struct vt_measurement *m, const struct vt_lab_road_end *end, uint64_t vector)
{
    bool raised = end->reason[strlen(end->reason) - 1] == ' ';

    m->status = end->status;
    snprintf(m->reason, sizeof m->reason, "%s%s", end->reason, raised ? vt_guest_vector_name(vector) : "");
}

void vt_lab_road_note_vector(struct vt_measurement *m, unsigned vector, double body, double baseline)
{
    double each = (body - baseline) / ((double)m->iterations * (double)m->batches);
    size_t used = strlen(m->reason);

    if (fabs(each) < 0.005)
        return;
    snprintf(m->reason + used, sizeof m->reason - used, "%s%.2f %s", used ? ", " : "", each,
             vt_guest_vector_name(vector));
}

int vt_lab_road_take_bare(struct vt_measurement *m, double ticks, double crossings)
{
    m->bare = calloc(m->batches, sizeof *m->bare);
    if (!m->bare)
        return -ENOMEM;
    for (size_t i = 0; i < m->batches; i++)
        m->bare[i] = ticks / crossings;
    return 0;
}

static void finish_reason(const struct vt_lab_road *road, struct vt_measurement *m)
{
    size_t used = strlen(m->reason);

    snprintf(m->reason + used, sizeof m->reason - used, " per operation%s%s",
             road->rows == VT_ROWS_ASSISTED ? ", by " : "",
             road->rows == VT_ROWS_ASSISTED ? vt_guest_trapped_by_name(m->c->trapped_by) : "");
}

static void doubt(struct vt_measurement *m, enum vt_counter counter, double each)
{
    m->status = VT_STATUS_UNVERIFIED;
    snprintf(m->reason, sizeof m->reason, "%.2f %s per operation: neither one nor none", each,
             vt_counter_name(counter));
}

/* As evidence.c says it of engine `translate`. */
static void doubt_baseline(struct vt_measurement *m)
{
    m->status = VT_STATUS_UNVERIFIED;
    snprintf(m->reason, sizeof m->reason,
             "%.2f blocks per operation run by the baseline alone: it is not the same work",
             -vt_measurement_per_operation(m, VT_BLOCKS));
}

static bool is_one(double each)
{
    return each >= 0.9;
}

static bool is_none(double each)
{
    return fabs(each) <= 0.1;
}

/* The first counter that is one per operation decides; failing that, the first that is not none is doubted.
 */
static void judge(const struct vt_lab_road *road, struct vt_measurement *m)
{
    size_t doubtful = VT_LAB_ROAD_PROOFS;

    for (size_t i = 0; i < VT_LAB_ROAD_PROOFS && road->proof[i].crossing != VT_CROSSING_UNKNOWN; i++) {
        double each = vt_measurement_per_operation(m, road->proof[i].count);

        if (is_one(each)) {
            m->crossing = road->proof[i].crossing;
            m->exits_per_op = m->crossing == VT_CROSSING_INLINE ? 0 : each;
            return;
        }
        if (!is_none(each) && doubtful == VT_LAB_ROAD_PROOFS)
            doubtful = i;
    }
    bool none = doubtful == VT_LAB_ROAD_PROOFS;
    enum vt_counter count = road->proof[none ? 0 : doubtful].count;

    m->exits_per_op = vt_measurement_per_operation(m, count);
    m->crossing = none ? VT_CROSSING_NONE : VT_CROSSING_UNKNOWN;
    if (!none)
        doubt(m, count, m->exits_per_op);
}

void vt_lab_road_judge(const struct vt_lab_road *road, struct vt_measurement *m)
{
    m->status = VT_STATUS_OK;
    judge(road, m);
    if (m->crossing == VT_CROSSING_NONE && road->path == VT_PATH_EMULATED &&
        m->c->sensitivity == VT_SENSITIVE)
        snprintf(m->reason, sizeof m->reason,
                 "does not fault at ring 3: the guest sees the monitor's state, not its own");
    else if (m->crossing != VT_CROSSING_NONE && m->crossing != VT_CROSSING_UNKNOWN && m->reason[0])
        finish_reason(road, m);
    if (is_one(-vt_measurement_per_operation(m, VT_BLOCKS)))
        doubt_baseline(m);
    if (m->crossing == road->bare)
        vt_bare_split(m);
}
