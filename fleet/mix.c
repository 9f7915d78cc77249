#include "fleet/state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of how hosts differ, a fact that makes kinds of them explains at least this share; and they differ by so
 * much. */
static const double least_share = 0.8, least_spread = 0.02;
/* A fact must be better than one named before it by so much. */
static const double better = 0.02;

/* Hosts of one group. */
struct kin {
    struct vt_fleet *fleet;
    unsigned int *hosts;
    size_t count, fact;
};

int vt_fleet_by_group(const void *a, const void *b, void *context)
{
    const struct vt_fleet *fleet = context;
    const struct vt_fleet_host *x = &fleet->hosts[*(const unsigned int *)a],
                               *y = &fleet->hosts[*(const unsigned int *)b];
    int order = strcmp(x->group, y->group);
    return order ? order : (x > y) - (x < y);
}

/* Texts are interned. */
static int by_fact(const void *a, const void *b, void *context)
{
    const struct kin *kin = context;
    uintptr_t x = (uintptr_t)kin->fleet->hosts[*(const unsigned int *)a].facts[kin->fact],
              y = (uintptr_t)kin->fleet->hosts[*(const unsigned int *)b].facts[kin->fact];
    return (x > y) - (x < y);
}

static double deviation(const struct kin *kin, size_t i)
{
    return kin->fleet->hosts[kin->hosts[i]].deviation;
}

/* Sum of the squared distances from the mean. */
static double scatter(const struct kin *kin, size_t from, size_t count)
{
    double sum = 0, squares = 0;
    for (size_t i = from; i < from + count; i++)
        sum += deviation(kin, i);
    for (size_t i = from; i < from + count; i++)
        squares += pow(deviation(kin, i) - sum / (double)count, 2);
    return squares;
}

/* Share of how these hosts differ that the fact explains; 0 where it makes no kinds of enough hosts each. */
static double explained(struct kin *kin, size_t fact, double all)
{
    double within = 0;
    size_t kinds = 0;
    kin->fact = fact;
    qsort_r(kin->hosts, kin->count, sizeof *kin->hosts, by_fact, kin);
    for (size_t i = 0, length; i < kin->count; i += length) {
        for (length = 1;
             i + length < kin->count && by_fact(&kin->hosts[i], &kin->hosts[i + length], kin) == 0;)
            length++;
        kinds += length >= VT_FLEET_LEAST;
        within += scatter(kin, i, length >= VT_FLEET_LEAST ? length : 1);
    }
    return kinds > 1 && all > 0 ? 1 - within / all : 0;
}

/* Outliers of a group, which are too many to be exceptions: no longer outliers. */
static size_t pardon(const struct kin *kin)
{
    size_t outliers = 0;
    for (size_t i = 0; i < kin->count; i++)
        outliers += kin->fleet->hosts[kin->hosts[i]].outlier;
    if (outliers <= kin->count / 3)
        return 0;
    for (size_t i = 0; i < kin->count; i++)
        kin->fleet->hosts[kin->hosts[i]].outlier = false;
    return outliers;
}

static void judge(struct kin *kin)
{
    struct vt_fleet *fleet = kin->fleet;
    size_t pardoned = pardon(kin);
    double all = scatter(kin, 0, kin->count);
    struct vt_fleet_mix mix = {
        .group = fleet->hosts[kin->hosts[0]].group, .odd = pardoned, .members = kin->count};
    if (kin->count < 2 * VT_FLEET_LEAST || (!pardoned && sqrt(all / (double)kin->count) < least_spread))
        return;
    for (size_t i = 0; i < VT_FLEET_FACTS; i++) {
        double share = explained(kin, i, all);
        if (share >= least_share && share > mix.share + better) {
            mix.fact = vt_fleet_fact_names[i];
            mix.share = share;
        }
    }
    if (mix.fact || pardoned)
        fleet->mixes[fleet->mix_count++] = mix;
}

int vt_fleet_find_mixes(struct vt_fleet *fleet)
{
    unsigned int *hosts = calloc(fleet->host_count + 1, sizeof *hosts);
    fleet->mixes = calloc(fleet->group_count + 1, sizeof *fleet->mixes);
    if (!hosts || !fleet->mixes) {
        free(hosts);
        return -ENOMEM;
    }
    for (size_t i = 0; i < fleet->host_count; i++)
        hosts[i] = (unsigned int)i;
    qsort_r(hosts, fleet->host_count, sizeof *hosts, vt_fleet_by_group, fleet);
    for (size_t i = 0, length; i < fleet->host_count; i += length) {
        for (length = 1; i + length < fleet->host_count &&
                         fleet->hosts[hosts[i]].group == fleet->hosts[hosts[i + length]].group;)
            length++;
        judge(&(struct kin){fleet, hosts + i, length, 0});
    }
    free(hosts);
    return 0;
}
