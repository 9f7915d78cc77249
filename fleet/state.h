/*
 * A fleet while it is gathered. Private to this room: take.c takes results,
 * hosts.c tells whose they are, summary.c summarizes, judge.c finds
 * what stands out, mix.c where that is a kind of its own, split.c what hosts cross in different
 * ways, minority.c which hosts these are, gap.c what some have no figures of, explain.c
 * says by which facts.
 */
#ifndef VT_FLEET_STATE_H
#define VT_FLEET_STATE_H

#include "base/arena.h"
#include "fleet/fleet.h"

#include <pthread.h>

struct vt_fleet_result {
    const char *hostname; /* NULL: unknown */
    const char *place;    /* its file, and line unless it is the first */
    const char *group;
    const char *facts[VT_FLEET_FACTS];
    double started, elapsed; /* seconds; NaN: unknown */
    unsigned int host;       /* index of the host it turned out to be of */
};

struct vt_fleet_private {
    pthread_mutex_t lock;
    struct vt_arena arena; /* of every text */
    json_t *texts;         /* every text once: its object's keys */
    json_t *index;         /* key of a cell -> its number */
    const char *by;
    const char *facts[VT_FLEET_FACTS + 3]; /* wanted of a host: those to tell by, its name, and `by` */
    struct vt_fleet_result *results;
    size_t last_cell;
};

/* Make the hosts of the results. 0, or -ENOMEM. */
int vt_fleet_make_hosts(struct vt_fleet *fleet);

/* Find outliers and oddities among summarized cells. 0, or -ENOMEM. */
int vt_fleet_judge(struct vt_fleet *fleet);

/* Find cases that are crossed in different ways, among cells in the order of reports. 0, or -ENOMEM. */
int vt_fleet_find_splits(struct vt_fleet *fleet);

/* Bring the ways of all splits together by their hosts. 0, or -ENOMEM. */
int vt_fleet_find_minorities(struct vt_fleet *fleet);

/* Find cases that some hosts of a group have no figures of. 0, or -ENOMEM. */
int vt_fleet_find_gaps(struct vt_fleet *fleet);

/* Find groups of several kinds; their outliers are none if they are many. After vt_fleet_judge. 0, or
 * -ENOMEM. */
int vt_fleet_find_mixes(struct vt_fleet *fleet);

/*
 * All cells, those of one case on one engine, level and group together, that of most hosts first; before that
 * by road. The caller's; NULL: no memory.
 */
const struct vt_fleet_cell **vt_fleet_cells_by_case(const struct vt_fleet *fleet);

/* Are these cells of one case on one engine, level and group? Paths and crossings may differ. */
bool vt_fleet_shares_case(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y);

/* Of indices of hosts, `context` being the fleet: a group's behind one another, for qsort_r. */
int vt_fleet_by_group(const void *a, const void *b, void *context);

#endif
