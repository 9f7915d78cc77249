/*
 * Two settings of one machine, measured in turns: A B, B A, ..., each turn a process of its own. Of every two
 * pairs one, chosen at random, begins with A and the other with B, so that what drifts favours neither.
 *
 * Owns: the order, switching between the settings, and that A holds at the end. Does not own: measuring
 * (another vmtoll does, by its command line) and what the runs say (compare/paired.h).
 */
#ifndef VT_AB_AB_H
#define VT_AB_AB_H

#include "ab/setting.h"
#include "base/error.h"
#include "bench/select.h"
#include "result/result.h"

#include <stddef.h>

struct vt_ab_runs;

struct vt_ab_plan {
    struct vt_ab_setting settings[2];
    struct vt_selection selection;
    size_t pairs;
    double turn;              /* seconds of measuring in each */
    double settle;            /* seconds between a command and the measurement */
    const volatile int *stop; /* set asynchronously: end now, keep the pairs there are */
    void (*progress)(void *context, size_t pair, size_t pairs); /* or NULL */
    /* Asked of an even number of pairs now and then: is no more needed? NULL: take them all. */
    bool (*enough)(void *context, const struct vt_ab_runs *runs);
    void *context;
};

/* Results of whole pairs: run i of either setting followed on the other's. */
struct vt_ab_runs {
    struct vt_result **runs[2]; /* owned */
    size_t count;
    bool interrupted;
};

/*
 * 0 with at least one pair, or a negative errno with `error`. In either case setting A holds afterwards, or
 * `restored` says why not (its text is empty otherwise), and release must follow.
 */
int vt_ab_run(struct vt_ab_runs *runs, const struct vt_ab_plan *plan, struct vt_error *restored,
              struct vt_error *error);
void vt_ab_release(struct vt_ab_runs *runs);

#endif
