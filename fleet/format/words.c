#include "show/crossing.h"
#include "fleet/format/words.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 6 }; /* cases of a split */

bool vt_fleet_starts_road(const struct vt_fleet *fleet, size_t i)
{
    return i == 0 || vt_fleet_compare_roads(&fleet->cells[i - 1], &fleet->cells[i]) != 0;
}

size_t vt_fleet_outliers(const struct vt_fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->host_count; i++)
        count += fleet->hosts[i].outlier;
    return count;
}

/* " CPL 0, 2 vCPUs", as far as it need be said; appended. */
static void say_level(const struct vt_fleet_cell *cell, char *text, size_t size)
{
    if (cell->cpl >= 0)
        vt_text_append(text, size, " CPL %d", cell->cpl);
    if (cell->vcpus > 1)
        vt_text_append(text, size, ", %d vCPUs", cell->vcpus);
    if (cell->depth > 1)
        vt_text_append(text, size, ", depth %d", cell->depth);
}

void vt_fleet_name_road(const struct vt_fleet_cell *cell, char *text, size_t size)
{
    char level[48] = "";
    say_level(cell, level, sizeof level);
    snprintf(text, size, "%.60s%s, %.60s%s", cell->engine, level, cell->path ? cell->path : "unknown path",
             cell->simulated ? ", simulated" : "");
}

void vt_fleet_name_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, char *text,
                          size_t size)
{
    const struct vt_fleet_cell *first = oddity->cells[0];
    char road[160];
    vt_fleet_name_road(first, road, sizeof road);
    snprintf(text, size, "%s%.60s on %s%s%.60s%s", oddity->whole_class ? "all of " : "",
             oddity->whole_class && first->class ? first->class : first->name, road,
             fleet->group_count > 1 ? " (" : "", fleet->group_count > 1 ? first->group : "",
             fleet->group_count > 1 ? ")" : "");
}

void vt_fleet_name_split(const struct vt_fleet_split *split, char *text, size_t size)
{
    const struct vt_fleet_cell *first = split->cases[0];
    size_t shown = split->case_count > NAMED + 1 ? NAMED : split->case_count;
    text[0] = '\0';
    for (size_t i = 0; i < shown; i++)
        vt_text_append(text, size, "%s%.60s", i ? ", " : "", split->cases[i]->name);
    if (shown < split->case_count)
        vt_text_append(text, size, " and %zu more", split->case_count - shown);
    vt_text_append(text, size, " on %.60s", first->engine);
    say_level(first, text, size);
    if (first->simulated)
        vt_text_append(text, size, ", simulated");
}

void vt_fleet_name_crossing(const struct vt_fleet_cell *cell, char *text, size_t size)
{
    const struct vt_crossing_style *style = vt_crossing_style(cell->crossing);
    bool known = !style->name || *style->name;
    snprintf(text, size, "%.60s%s", known ? style->title : cell->crossing,
             cell->status == VT_STATUS_OK ? "" : ", unverified");
}

void vt_fleet_name_way(const struct vt_fleet_deviation *deviation, bool usual, char *text, size_t size)
{
    const struct vt_fleet_cell *most = deviation->split->ways[0],
                               *some = deviation->split->ways[deviation->way], *cell = usual ? most : some;
    char crossing[96];
    vt_fleet_name_crossing(cell, crossing, sizeof crossing);
    if (most->path != some->path)
        snprintf(text, size, "%s (%.60s)", crossing, cell->path ? cell->path : "unknown path");
    else
        snprintf(text, size, "%s", crossing);
}

/* Cases of one road, at most three by name. */
static void name_cases(const struct vt_fleet_cell *const *cases, size_t count, char *text, size_t size)
{
    char road[160];
    vt_fleet_name_road(cases[0], road, sizeof road);
    if (count > 3)
        vt_text_append(text, size, "%zu cases", count);
    for (size_t i = 0; count <= 3 && i < count; i++)
        vt_text_append(text, size, "%s%.60s", i ? ", " : "", cases[i]->name);
    vt_text_append(text, size, " on %s", road);
}

void vt_fleet_name_gap(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0, length; i < gap->case_count; i += length) {
        for (length = 1; i + length < gap->case_count &&
                         vt_fleet_compare_roads(gap->cases[i], gap->cases[i + length]) == 0;)
            length++;
        vt_text_append(text, size, "%s", i ? "; " : "");
        name_cases(gap->cases + i, length, text, size);
    }
    if (fleet->group_count > 1)
        vt_text_append(text, size, " (%.60s)", gap->cases[0]->group);
}

void vt_fleet_name_mix(const struct vt_fleet *fleet, const struct vt_fleet_mix *mix, char *text, size_t size)
{
    const char *of = fleet->group_count > 1 ? " of " : "", *group = fleet->group_count > 1 ? mix->group : "";
    text[0] = '\0';
    if (mix->odd)
        vt_text_append(text, size,
                       "%zu of %zu hosts%s%.60s cost otherwise than the rest, too many to be exceptions. ",
                       mix->odd, mix->members, of, group);
    if (mix->fact)
        vt_text_append(text, size,
                       "Hosts%s%.60s differ by %s, which explains %.0f %% of how they differ: --by %s judges "
                       "each kind by itself.",
                       of, group, mix->fact, mix->share * 100, mix->fact);
    else
        vt_text_append(text, size, "Nothing known tells them from the rest.");
}

/* Texts are interned: one name, one address. */
static int by_name(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const char *const *)a, y = (uintptr_t) * (const char *const *)b;
    return (x > y) - (x < y);
}

size_t vt_fleet_split_cases(const struct vt_fleet *fleet)
{
    size_t count = 0, names = 0;
    for (size_t i = 0; i < fleet->split_count; i++)
        count += fleet->splits[i].case_count;
    const char **all = calloc(count + 1, sizeof *all);
    if (!all)
        return count;
    for (size_t i = count = 0; i < fleet->split_count; i++)
        for (size_t k = 0; k < fleet->splits[i].case_count; k++)
            all[count++] = fleet->splits[i].cases[k]->name;
    if (count)
        qsort(all, count, sizeof *all, by_name);
    for (size_t i = 0; i < count; i++)
        names += i == 0 || all[i] != all[i - 1];
    free(all);
    return names;
}

const char *vt_fleet_plural(size_t count)
{
    return count == 1 ? "" : "s";
}

void vt_fleet_headline(const struct vt_fleet *fleet, char *text, size_t size)
{
    size_t outliers = vt_fleet_outliers(fleet), split = vt_fleet_split_cases(fleet);
    char hosts[64] = "", groups[64] = "", answer[128], ways[96] = "";
    if (fleet->host_count != fleet->result_count)
        snprintf(hosts, sizeof hosts, " of %zu host%s", fleet->host_count,
                 vt_fleet_plural(fleet->host_count));
    if (fleet->group_count > 1)
        snprintf(groups, sizeof groups, " in %zu groups", fleet->group_count);
    if (fleet->host_count < VT_FLEET_LEAST)
        snprintf(answer, sizeof answer, "; fewer than %d hosts do not tell which one stands out",
                 VT_FLEET_LEAST);
    else if (outliers == 0 && fleet->mix_count)
        snprintf(answer, sizeof answer, "; hosts differ by %s",
                 fleet->mixes[0].fact ? fleet->mixes[0].fact : "something unknown");
    else if (outliers == 0)
        snprintf(answer, sizeof answer, ", and no host stands out");
    else
        snprintf(answer, sizeof answer, "; %zu host%s out", outliers, outliers == 1 ? " stands" : "s stand");
    if (split)
        snprintf(ways, sizeof ways, "; %zu case%s in different ways", split,
                 split == 1 ? " crosses" : "s cross");
    snprintf(text, size, "%zu result%s%s%s%s%s", fleet->result_count, vt_fleet_plural(fleet->result_count),
             hosts, groups, answer, ways);
}
