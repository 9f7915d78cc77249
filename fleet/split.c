#include "fleet/state.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Paths are ways themselves: what is hardware on most hosts may be emulated on some. Texts are interned. */
static bool shares_road(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    return x->engine == y->engine && x->cpl == y->cpl && x->vcpus == y->vcpus && x->depth == y->depth &&
           x->simulated == y->simulated && x->unit == y->unit && x->group == y->group;
}

int vt_fleet_compare_roads(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    int order = strcmp(x->engine, y->engine);
    order = order ? order : x->cpl - y->cpl;
    order = order ? order : x->vcpus - y->vcpus;
    order = order ? order : x->depth - y->depth;
    order = order ? order : (int)x->simulated - (int)y->simulated;
    order = order ? order : strcmp(x->path ? x->path : "", y->path ? y->path : "");
    return order ? order : (int)y->unit - (int)x->unit;
}

static int compare_roads(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    int order = strcmp(x->group, y->group);
    order = order ? order : strcmp(x->engine, y->engine);
    order = order ? order : x->cpl - y->cpl;
    order = order ? order : x->vcpus - y->vcpus;
    order = order ? order : x->depth - y->depth;
    order = order ? order : (int)x->simulated - (int)y->simulated;
    return order ? order : (int)y->unit - (int)x->unit;
}

static int by_case(const void *a, const void *b)
{
    const struct vt_fleet_cell *x = *(const struct vt_fleet_cell *const *)a,
                               *y = *(const struct vt_fleet_cell *const *)b;
    int order = compare_roads(x, y);
    order = order ? order : strcmp(x->name, y->name);
    order = order ? order : (x->count < y->count) - (x->count > y->count);
    return order ? order : (x > y) - (x < y);
}

bool vt_fleet_shares_case(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    return x->name == y->name && shares_road(x, y);
}

const struct vt_fleet_cell **vt_fleet_cells_by_case(const struct vt_fleet *fleet)
{
    const struct vt_fleet_cell **list = calloc(fleet->cell_count + 1, sizeof *list);
    for (size_t i = 0; list && i < fleet->cell_count; i++)
        list[i] = &fleet->cells[i];
    if (list && fleet->cell_count)
        qsort(list, fleet->cell_count, sizeof *list, by_case);
    return list;
}

static bool is_same_way(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    if (x->crossing != y->crossing || x->path != y->path || x->status != y->status || x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (x->values[i].host != y->values[i].host)
            return false;
    return true;
}

static bool has_ways(const struct vt_fleet_split *split, const struct vt_fleet_cell *const *ways,
                     size_t count)
{
    if (split->way_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_same_way(split->ways[i], ways[i]))
            return false;
    return true;
}

/* Hosts without VT-x, say, cross dozens of cases in another way: that is one finding, not dozens. */
static struct vt_fleet_split *find_like(const struct vt_fleet *fleet, const struct vt_fleet_cell *const *ways,
                                        size_t count)
{
    for (size_t i = fleet->split_count; i-- > 0 && shares_road(fleet->splits[i].ways[0], ways[0]);)
        if (has_ways(&fleet->splits[i], ways, count))
            return &fleet->splits[i];
    return NULL;
}

static struct vt_fleet_split *new_split(struct vt_fleet *fleet, const struct vt_fleet_cell *const *ways,
                                        size_t count)
{
    struct vt_fleet_split *split = vt_memory_append(fleet->splits, fleet->split_count);
    if (!split)
        return NULL;
    *split = (struct vt_fleet_split){.ways = calloc(count, sizeof *split->ways), .way_count = count};
    if (!split->ways)
        return NULL;
    memcpy(split->ways, ways, count * sizeof *ways);
    return split;
}

static int tell(struct vt_fleet *fleet, const struct vt_fleet_cell *const *ways, size_t count)
{
    struct vt_fleet_split *split = find_like(fleet, ways, count);
    split = split ? split : new_split(fleet, ways, count);
    if (!split)
        return -ENOMEM;
    const struct vt_fleet_cell **next = vt_memory_append(split->cases, split->case_count);
    if (!next)
        return -ENOMEM;
    *next = ways[0];
    return 0;
}

/* In the order of reports, what is proved first. */
static int by_weight(const void *a, const void *b)
{
    const struct vt_fleet_split *x = a, *y = b;
    size_t doubts[2] = {0};
    for (size_t i = 0; i < x->way_count; i++)
        doubts[0] += x->ways[i]->status != VT_STATUS_OK;
    for (size_t i = 0; i < y->way_count; i++)
        doubts[1] += y->ways[i]->status != VT_STATUS_OK;
    if (!doubts[0] != !doubts[1])
        return doubts[0] ? 1 : -1;
    return (x->cases[0] > y->cases[0]) - (x->cases[0] < y->cases[0]);
}

/* Cells are in the order of reports. */
static int by_cell(const void *a, const void *b)
{
    const struct vt_fleet_cell *x = *(const struct vt_fleet_cell *const *)a,
                               *y = *(const struct vt_fleet_cell *const *)b;
    return (x > y) - (x < y);
}

static void arrange(struct vt_fleet *fleet)
{
    for (size_t i = 0; i < fleet->split_count; i++)
        qsort(fleet->splits[i].cases, fleet->splits[i].case_count, sizeof *fleet->splits[i].cases, by_cell);
    if (fleet->split_count)
        qsort(fleet->splits, fleet->split_count, sizeof *fleet->splits, by_weight);
}

int vt_fleet_find_splits(struct vt_fleet *fleet)
{
    const struct vt_fleet_cell **at = vt_fleet_cells_by_case(fleet);
    int status = at ? 0 : -ENOMEM;
    for (size_t i = 0, length; status == 0 && i < fleet->cell_count; i += length) {
        for (length = 1; i + length < fleet->cell_count && vt_fleet_shares_case(at[i], at[i + length]);)
            length++;
        if (length > 1)
            status = tell(fleet, at + i, length);
    }
    free(at);
    if (status == 0)
        arrange(fleet);
    return status;
}
