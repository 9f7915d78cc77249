#include "fleet/state.h"

#include <errno.h>
#include <stdlib.h>

/* A deviation on its way to the minority it is of. */
struct entry {
    struct vt_fleet_deviation deviation;
    size_t place;  /* in the order of splits */
    size_t leader; /* place of the first one by the same hosts */
};

static const struct vt_fleet_cell *cell_of(const struct entry *entry)
{
    return entry->deviation.split->ways[entry->deviation.way];
}

static int compare_hosts(const struct vt_fleet_cell *x, const struct vt_fleet_cell *y)
{
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    for (size_t i = 0; i < x->count; i++)
        if (x->values[i].host != y->values[i].host)
            return x->values[i].host < y->values[i].host ? -1 : 1;
    return 0;
}

static int by_hosts(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = compare_hosts(cell_of(x), cell_of(y));
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_leader(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = (x->leader > y->leader) - (x->leader < y->leader);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static size_t collect(const struct vt_fleet *fleet, struct entry *entries)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->split_count; i++)
        for (size_t way = 1; way < fleet->splits[i].way_count; way++, count++)
            entries[count] = (struct entry){{&fleet->splits[i], way}, count, 0};
    return count;
}

static size_t count_ways(const struct vt_fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->split_count; i++)
        count += fleet->splits[i].way_count - 1;
    return count;
}

/* Those by the same hosts together, in the place of the first of them. */
static void arrange(struct entry *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, by_hosts);
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && compare_hosts(cell_of(&entries[i - 1]), cell_of(&entries[i])) == 0;
        entries[i].leader = same ? entries[i - 1].leader : entries[i].place;
    }
    qsort(entries, count, sizeof *entries, by_leader);
}

static int add(struct vt_fleet *fleet, const struct entry *entries, size_t count)
{
    struct vt_fleet_minority *minority = &fleet->minorities[fleet->minority_count++];
    *minority = (struct vt_fleet_minority){calloc(count, sizeof *minority->deviations), count};
    for (size_t i = 0; minority->deviations && i < count; i++)
        minority->deviations[i] = entries[i].deviation;
    return minority->deviations ? 0 : -ENOMEM;
}

int vt_fleet_find_minorities(struct vt_fleet *fleet)
{
    size_t count = count_ways(fleet);
    if (count == 0)
        return 0;
    struct entry *entries = calloc(count, sizeof *entries);
    fleet->minorities = calloc(count, sizeof *fleet->minorities);
    int status = entries && fleet->minorities ? 0 : -ENOMEM;
    if (status == 0)
        arrange(entries, collect(fleet, entries));
    for (size_t i = 0, length; status == 0 && i < count; i += length) {
        for (length = 1; i + length < count && entries[i + length].leader == entries[i].leader;)
            length++;
        status = add(fleet, entries + i, length);
    }
    free(entries);
    return status;
}
