#include "base/statistics.h"
#include "guest/catalogue.h"
#include "fleet/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_host(const void *a, const void *b)
{
    const struct vt_fleet_value *x = a, *y = b;
    int order = (x->host > y->host) - (x->host < y->host);
    return order ? order : (x->median > y->median) - (x->median < y->median);
}

/* Several results of a host become one value: the median of their medians. */
static void bring_together(struct vt_fleet *fleet, struct vt_fleet_cell *cell)
{
    size_t kept = 0;
    for (size_t i = 0; i < cell->count; i++)
        cell->values[i].host = fleet->private->results[cell->values[i].host].host;
    qsort(cell->values, cell->count, sizeof *cell->values, by_host);
    for (size_t i = 0, length; i < cell->count; i += length) {
        const struct vt_fleet_value *from = &cell->values[i];
        for (length = 1; i + length < cell->count && from[length].host == from->host;)
            length++;
        struct vt_fleet_value value = from[length / 2];
        if (length % 2 == 0)
            value.median = (from[length / 2 - 1].median + value.median) / 2;
        fleet->hosts[value.host].measured += cell->status == VT_STATUS_OK;
        cell->values[kept++] = value;
    }
    cell->count = kept;
}

static void summarize(struct vt_fleet_cell *cell, double *work)
{
    for (size_t i = 0; i < cell->count; i++)
        work[i] = (double)cell->values[i].median;
    cell->median = vt_statistics_median(work, cell->count);
    cell->low = work[0];
    cell->high = work[cell->count - 1];
    cell->p25 = vt_statistics_quantile(work, cell->count, 0.25);
    cell->p75 = vt_statistics_quantile(work, cell->count, 0.75);
}

/* What is proved first, then what most hosts do. */
static int compare_ways(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    int order = (int)x->status - (int)y->status;
    order = order ? order : (x->count < y->count) - (x->count > y->count);
    return order ? order : strcmp(x->crossing ? x->crossing : "", y->crossing ? y->crossing : "");
}

static int compare_cells(const void *a, const void *b)
{
    const struct vt_fleet_cell *x = a, *y = b;
    int order = vt_fleet_compare_roads(x, y);
    size_t p = vt_guest_case_position(x->name), q = vt_guest_case_position(y->name);
    if (order == 0 && p != q)
        order = p < q ? -1 : 1;
    order = order ? order : strcmp(x->name, y->name);
    order = order ? order : strcmp(x->group, y->group);
    return order ? order : compare_ways(x, y);
}

struct group {
    const char *name;
    size_t members;
};

static int by_group_name(const void *a, const void *b)
{
    return strcmp(((const struct group *)a)->name, ((const struct group *)b)->name);
}

static int by_members(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    int order = (x->members < y->members) - (x->members > y->members);
    return order ? order : by_group_name(a, b);
}

static int collect_groups(struct vt_fleet *fleet)
{
    struct group *groups = calloc(fleet->host_count + 1, sizeof *groups);
    fleet->groups = calloc(fleet->host_count + 1, sizeof *fleet->groups);
    if (!groups || !fleet->groups) {
        free(groups);
        return -ENOMEM;
    }
    for (size_t i = 0; i < fleet->host_count; i++)
        groups[i].name = fleet->hosts[i].group;
    qsort(groups, fleet->host_count, sizeof *groups, by_group_name);
    size_t count = 0;
    for (size_t i = 0; i < fleet->host_count; i++) {
        if (count == 0 || groups[count - 1].name != groups[i].name)
            groups[count++] = (struct group){.name = groups[i].name};
        groups[count - 1].members++;
    }
    qsort(groups, count, sizeof *groups, by_members);
    for (size_t i = 0; i < count; i++)
        fleet->groups[i] = groups[i].name;
    fleet->group_count = count;
    free(groups);
    return 0;
}

int vt_fleet_finish(struct vt_fleet *fleet, struct vt_error *error)
{
    double *work = calloc(fleet->result_count + 1, sizeof *work);
    int status = work ? vt_fleet_make_hosts(fleet) : -ENOMEM;
    for (size_t i = 0; status == 0 && i < fleet->cell_count; i++) {
        bring_together(fleet, &fleet->cells[i]);
        summarize(&fleet->cells[i], work);
    }
    free(work);
    if (status == 0 && fleet->cell_count)
        qsort(fleet->cells, fleet->cell_count, sizeof *fleet->cells, compare_cells);
    status = status ? status : collect_groups(fleet);
    status = status ? status : vt_fleet_judge(fleet);
    status = status ? status : vt_fleet_find_mixes(fleet);
    status = status ? status : vt_fleet_find_splits(fleet);
    status = status ? status : vt_fleet_find_minorities(fleet);
    status = status ? status : vt_fleet_find_gaps(fleet);
    return status ? vt_error_memory(error, "the report") : 0;
}
