#include "fleet/state.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct vt_fleet *fleet;
    const struct vt_fleet_cell **at; /* all cells, those of a case together */
    unsigned int *members;           /* indices of hosts, a group's behind one another */
    bool *has;                       /* per host, the case at hand; all false in between */
};

static struct vt_fleet_gap *new_gap(struct search *search, const struct vt_fleet_cell *cell, size_t hosts)
{
    struct vt_fleet *fleet = search->fleet;
    struct vt_fleet_gap *gap = vt_memory_append(fleet->gaps, fleet->gap_count);
    if (!gap)
        return NULL;
    *gap = (struct vt_fleet_gap){.cases = vt_memory_grow(NULL, 0, 1, sizeof *gap->cases),
                                 .case_count = 1,
                                 .hosts = calloc(hosts, sizeof *gap->hosts)};
    if (!gap->cases || !gap->hosts)
        return NULL;
    gap->cases[0] = cell;
    return gap;
}

static void mark(struct search *search, const struct vt_fleet_cell *const *ways, size_t count, bool value)
{
    for (size_t w = 0; w < count; w++)
        for (size_t i = 0; i < ways[w]->count; i++)
            search->has[ways[w]->values[i].host] = value;
}

/* The hosts of a group that are in none of a case's cells. More than a third have another range of cases. */
static int judge_case(struct search *search, const struct vt_fleet_cell *const *ways, size_t count,
                      const unsigned int *members, size_t member_count)
{
    size_t missing = 0;
    int status = 0;
    mark(search, ways, count, true);
    for (size_t i = 0; i < member_count; i++)
        missing += !search->has[members[i]];
    if (missing > 0 && missing <= member_count / 3) {
        struct vt_fleet_gap *gap = new_gap(search, ways[0], missing);
        for (size_t i = 0; gap && i < member_count; i++)
            if (!search->has[members[i]])
                gap->hosts[gap->host_count++] = members[i];
        if (gap)
            gap->members = member_count;
        status = gap ? 0 : -ENOMEM;
    }
    mark(search, ways, count, false);
    return status;
}

static size_t group_length(const struct search *search, size_t from)
{
    const struct vt_fleet *fleet = search->fleet;
    const char *group = fleet->hosts[search->members[from]].group;
    size_t length = 1;
    while (from + length < fleet->host_count && fleet->hosts[search->members[from + length]].group == group)
        length++;
    return length;
}

/* Cells and hosts are both in the order of groups. */
static int judge_cases(struct search *search)
{
    struct vt_fleet *fleet = search->fleet;
    size_t first = 0, members = fleet->host_count ? group_length(search, 0) : 0;
    int status = 0;
    for (size_t i = 0, length; status == 0 && i < fleet->cell_count; i += length) {
        for (length = 1;
             i + length < fleet->cell_count && vt_fleet_shares_case(search->at[i], search->at[i + length]);)
            length++;
        while (fleet->hosts[search->members[first]].group != search->at[i]->group) {
            first += members;
            members = group_length(search, first);
        }
        status = judge_case(search, search->at + i, length, search->members + first, members);
    }
    return status;
}

static int by_hosts(const void *a, const void *b)
{
    const struct vt_fleet_gap *x = a, *y = b;
    if (x->host_count != y->host_count)
        return x->host_count < y->host_count ? -1 : 1;
    int order = memcmp(x->hosts, y->hosts, x->host_count * sizeof *x->hosts);
    return order ? order : (x->cases[0] > y->cases[0]) - (x->cases[0] < y->cases[0]);
}

static int by_cases(const void *a, const void *b)
{
    const struct vt_fleet_gap *x = a, *y = b;
    int order = (x->case_count < y->case_count) - (x->case_count > y->case_count);
    order = order ? order : (x->host_count < y->host_count) - (x->host_count > y->host_count);
    return order ? order : (x->cases[0] > y->cases[0]) - (x->cases[0] < y->cases[0]);
}

static bool has_same_hosts(const struct vt_fleet_gap *x, const struct vt_fleet_gap *y)
{
    return x->host_count == y->host_count &&
           memcmp(x->hosts, y->hosts, x->host_count * sizeof *x->hosts) == 0;
}

static int take(struct vt_fleet_gap *to, struct vt_fleet_gap *from)
{
    const struct vt_fleet_cell **next = vt_memory_append(to->cases, to->case_count);
    if (!next)
        return -ENOMEM;
    *next = from->cases[0];
    free(from->cases);
    free(from->hosts);
    *from = (struct vt_fleet_gap){0};
    return 0;
}

/* A host without an engine lacks dozens of cases: that is one finding. */
static int bring_together(struct vt_fleet *fleet)
{
    size_t kept = 0;
    int status = 0;
    if (fleet->gap_count == 0)
        return 0;
    qsort(fleet->gaps, fleet->gap_count, sizeof *fleet->gaps, by_hosts);
    for (size_t i = 1; status == 0 && i < fleet->gap_count; i++) {
        if (has_same_hosts(&fleet->gaps[kept], &fleet->gaps[i])) {
            status = take(&fleet->gaps[kept], &fleet->gaps[i]);
        } else if (++kept != i) {
            fleet->gaps[kept] = fleet->gaps[i];
            fleet->gaps[i] = (struct vt_fleet_gap){0};
        }
    }
    if (status)
        return status;
    fleet->gap_count = kept + 1;
    qsort(fleet->gaps, fleet->gap_count, sizeof *fleet->gaps, by_cases);
    return 0;
}

int vt_fleet_find_gaps(struct vt_fleet *fleet)
{
    struct search search = {.fleet = fleet,
                            .at = vt_fleet_cells_by_case(fleet),
                            .members = calloc(fleet->host_count + 1, sizeof *search.members),
                            .has = calloc(fleet->host_count + 1, sizeof *search.has)};
    int status = search.at && search.members && search.has ? 0 : -ENOMEM;
    for (size_t i = 0; status == 0 && i < fleet->host_count; i++)
        search.members[i] = (unsigned int)i;
    if (status == 0 && fleet->cell_count) {
        qsort_r(search.members, fleet->host_count, sizeof *search.members, vt_fleet_by_group, fleet);
        status = judge_cases(&search);
    }
    status = status ? status : bring_together(fleet);
    free(search.has);
    free(search.members);
    free(search.at);
    return status;
}
