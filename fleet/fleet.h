/*
 * Many results: medians of medians per group of hosts, and what stands out: hosts
 * as a whole, cases or classes that cost some hosts otherwise than the rest, and
 * cases that hosts cross in different ways.
 *
 * Results pass through one at a time and only their medians are kept, so memory
 * follows the number of measurements, not their samples. Adding is safe from
 * several threads.
 */
#ifndef VT_FLEET_FLEET_H
#define VT_FLEET_FLEET_H

#include "base/error.h"
#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    VT_FLEET_FACTS = 39,
    VT_FLEET_LEAST = 5 /* hosts: fewer cannot tell what is usual */
};

/* Facts by which hosts are told apart, as keys of the probe document, and which vmtoll measured. */
extern const char *const vt_fleet_fact_names[VT_FLEET_FACTS];

/* One machine; several results of it count once. */
struct vt_fleet_host {
    const char *name; /* host name, or the place its result was read from */
    const char *group;
    const char *facts[VT_FLEET_FACTS]; /* NULL: unknown */
    size_t results, measured;
    double deviation; /* median over its cases of log(its median / its group's) */
    size_t far;       /* cases that stand out on it */
    bool outlier;
};

/* One case on one road within one group, crossed in one way: figures of other ways, and unproved ones, are
 * apart. */
struct vt_fleet_cell {
    const char *name, *class, *engine, *path, *group;
    enum vt_unit unit;
    const char *crossing;  /* NULL: not observed */
    enum vt_status status; /* ok or unverified */
    int cpl, vcpus, depth;
    bool simulated;
    size_t count; /* hosts, after vt_fleet_finish */
    struct vt_fleet_value *values;
    double median, low, high, p25, p75; /* of the hosts' medians; low and high: least and most */
};

struct vt_fleet_value {
    unsigned int host; /* index; of the result before vt_fleet_finish */
    float median;
    float error; /* standard error of that median; 0: unknown */
};

/* Cases that cost the same few hosts otherwise than the rest of their group. */
struct vt_fleet_oddity {
    const struct vt_fleet_cell **cells;
    size_t cell_count;
    bool whole_class; /* no case by itself, but all of this class together; cells: its cases */
    struct vt_fleet_odd *hosts;
    size_t host_count, members; /* of the group */
};

struct vt_fleet_odd {
    unsigned int host; /* index */
    double ratio;      /* to the group's median; of several cases their median */
};

/* Cases of one road and group that the same hosts cross in the same different ways. */
struct vt_fleet_split {
    const struct vt_fleet_cell **cases; /* how most hosts cross each */
    size_t case_count;
    const struct vt_fleet_cell *
        *ways; /* of the first case: that of most hosts first; values are in order of hosts */
    size_t way_count;
};

/* One host or several, and all they cross otherwise than most of their group. */
struct vt_fleet_minority {
    struct vt_fleet_deviation {
        const struct vt_fleet_split *split;
        size_t way; /* > 0; its hosts are the same of all deviations */
    } * deviations;
    size_t count;
};

/* Hosts without figures of cases that most of their group have. */
struct vt_fleet_gap {
    const struct vt_fleet_cell **cases; /* of the others */
    size_t case_count;
    unsigned int *hosts;        /* indices, ascending */
    size_t host_count, members; /* of the group */
};

/* A group whose hosts are of several kinds, which figures and a fact tell apart. */
struct vt_fleet_mix {
    const char *group;
    const char *fact; /* its name; NULL: none is known */
    double share;     /* of how the hosts differ that it explains */
    size_t odd;       /* hosts that would stand out, were they not so many; 0: none would */
    size_t members;
};

struct vt_fleet {
    size_t result_count;
    struct vt_fleet_host *hosts; /* after vt_fleet_finish, by name */
    size_t host_count;
    struct vt_fleet_cell *cells; /* after vt_fleet_finish in the catalogue's order */
    size_t cell_count;
    const char **groups; /* in order of size */
    size_t group_count;
    struct vt_fleet_oddity *oddities;
    size_t oddity_count;
    struct vt_fleet_split *splits;
    size_t split_count;
    struct vt_fleet_minority *minorities; /* the same by hosts */
    size_t minority_count;
    struct vt_fleet_gap *gaps; /* those of most cases first */
    size_t gap_count;
    struct vt_fleet_mix *mixes;
    size_t mix_count;
    const char *page; /* name of what is written, among others about the same hosts; NULL: it needs none */
    const char *shared_name; /* a name that several machines have, which are then told apart by file */
    struct vt_fleet_private *private;
};

/* `by`: key of the host document ("cpu.brand"; "kernel" and "host" are understood), or NULL: one group. */
int vt_fleet_start(struct vt_fleet *fleet, const char *by, struct vt_error *error);

/* What a host document must hold for this fleet, ended by NULL. The fleet's. */
const char *const *vt_fleet_facts(const struct vt_fleet *fleet);

/* Takes what it needs of the result and frees it. 0, or -ENOMEM. */
int vt_fleet_add(struct vt_fleet *fleet, struct vt_result *result);

/* Bring results of one host together, sort, summarize, find what stands out. Once, after the last result. */
int vt_fleet_finish(struct vt_fleet *fleet, struct vt_error *error);

void vt_fleet_release(struct vt_fleet *fleet);

/* "system.kernel is 5.10 (90 % have 6.1)": what tells an outlier from most of its group; "" when nothing
 * does. */
void vt_fleet_explain(const struct vt_fleet *fleet, const struct vt_fleet_host *host, char *text,
                      size_t size);

/* The same of hosts that share an oddity: what all of them have and hardly any other of their group. */
void vt_fleet_explain_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, char *text,
                             size_t size);

/* The same of the hosts that cross in way `way` (> 0), against those that cross as most do. */
void vt_fleet_explain_way(const struct vt_fleet *fleet, const struct vt_fleet_split *split, size_t way,
                          char *text, size_t size);

/* The same of the hosts of a gap, against the others of their group. */
void vt_fleet_explain_gap(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap, char *text,
                          size_t size);

/* In the order of reports: engine, privilege level, path and unit; 0: of one road. */
int vt_fleet_compare_roads(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y);

#endif
