#include "fleet/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By name and group, then by time; those without a name by their place. */
static int by_identity(const void *a, const void *b)
{
    const struct vt_fleet_result *x = *(struct vt_fleet_result *const *)a,
                                 *y = *(struct vt_fleet_result *const *)b;
    int order = strcmp(x->hostname ? x->hostname : x->place, y->hostname ? y->hostname : y->place);
    order = order ? order : strcmp(x->group, y->group);
    if (order == 0)
        order = (x->started > y->started) - (x->started < y->started);
    return order ? order : strcmp(x->place, y->place);
}

/*
 * Machines copied from one image often share a name. One machine does not measure
 * itself twice at the same time: where results of a name overlap, or do not tell
 * when they were made, they are of several machines.
 */
static bool are_one_host(struct vt_fleet_result *const *results, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        double length = isnan(results[i]->elapsed) ? 0 : floor(results[i]->elapsed);
        double gap = results[i + 1]->started - results[i]->started;
        if (!(gap >= length && gap > 0))
            return false;
    }
    return true;
}

static void add_host(struct vt_fleet *fleet, struct vt_fleet_result *const *results, size_t count,
                     const char *name)
{
    const struct vt_fleet_result *latest = results[count - 1];
    struct vt_fleet_host *host = &fleet->hosts[fleet->host_count];
    *host = (struct vt_fleet_host){.name = name, .group = latest->group, .results = count};
    memcpy(host->facts, latest->facts, sizeof host->facts);
    for (size_t i = 0; i < count; i++)
        results[i]->host = (unsigned int)fleet->host_count;
    fleet->host_count++;
}

static size_t run_length(struct vt_fleet_result *const *results, size_t count)
{
    size_t length = 1;
    while (length < count && results[0]->hostname && results[length]->hostname == results[0]->hostname &&
           results[length]->group == results[0]->group)
        length++;
    return length;
}

int vt_fleet_make_hosts(struct vt_fleet *fleet)
{
    size_t count = fleet->result_count;
    struct vt_fleet_result **order = calloc(count + 1, sizeof *order);
    fleet->hosts = calloc(count + 1, sizeof *fleet->hosts);
    if (!order || !fleet->hosts) {
        free(order);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        order[i] = &fleet->private->results[i];
    qsort(order, count, sizeof *order, by_identity);
    for (size_t i = 0, length; i < count; i += length) {
        length = run_length(order + i, count - i);
        if (are_one_host(order + i, length)) {
            add_host(fleet, order + i, length, order[i]->hostname ? order[i]->hostname : order[i]->place);
            continue;
        }
        fleet->shared_name = order[i]->hostname;
        for (size_t k = 0; k < length; k++)
            add_host(fleet, order + i + k, 1, order[i + k]->place);
    }
    free(order);
    return 0;
}
