/*
 * Many results: medians of medians per group of hosts, and the hosts that stand out.
 *
 * Results pass through one at a time and only their medians are kept, so memory
 * follows the number of measurements, not their samples. Adding is safe from
 * several threads.
 */
#ifndef VT_REPORT_FLEET_H
#define VT_REPORT_FLEET_H

#include "base/error.h"
#include "report/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { VT_FLEET_FACTS = 10 };

/* Facts by which hosts are told apart, as keys of the probe document. */
extern const char *const vt_fleet_fact_names[VT_FLEET_FACTS];

struct vt_fleet_host {
    const char *name; /* host name, or the file it came from */
    const char *group;
    const char *facts[VT_FLEET_FACTS]; /* NULL: unknown */
    size_t measured;
    double deviation; /* median over its cases of log(its median / its group's) */
    size_t far;       /* cases far off its group's */
    bool outlier;
};

/* One case on one road within one group. */
struct vt_fleet_cell {
    const char *name, *class, *engine, *path, *unit, *group;
    int cpl;
    bool simulated;
    size_t count;
    float *values;       /* medians of hosts, ascending after vt_fleet_finish */
    unsigned int *hosts; /* index of the host of each value before that */
    size_t room;
    double median, low, high, p25, p75; /* of the medians; low and high: least and most */
};

struct vt_fleet {
    struct vt_fleet_host *hosts;
    size_t host_count;
    struct vt_fleet_cell *cells; /* after vt_fleet_finish in the catalogue's order */
    size_t cell_count;
    const char **groups; /* in order of size */
    size_t group_count;
    struct vt_fleet_private *private;
};

/* `by`: key of the host document ("cpu.brand"; "kernel" and "host" are understood), or NULL: one group. */
int vt_fleet_start(struct vt_fleet *fleet, const char *by, struct vt_error *error);

/* What a host document must hold for this fleet, ended by NULL. The fleet's. */
const char *const *vt_fleet_facts(const struct vt_fleet *fleet);

/* Takes what it needs of the result and frees it. 0, or -ENOMEM. */
int vt_fleet_add(struct vt_fleet *fleet, struct vt_result *result);

/* Sort, summarize, find outliers. Once, after the last result. */
int vt_fleet_finish(struct vt_fleet *fleet, struct vt_error *error);

void vt_fleet_release(struct vt_fleet *fleet);

/* "kernel 5.10 (others: 6.1)": what tells an outlier from most of its group; "" when nothing does. */
void vt_fleet_explain(const struct vt_fleet *fleet, const struct vt_fleet_host *host, char *text,
                      size_t size);

/* The report in a format of report/format.h: text, csv, json; -ENOTSUP for others. */
int vt_fleet_print(const struct vt_fleet *fleet, const char *format, FILE *stream, struct vt_error *error);

#endif
