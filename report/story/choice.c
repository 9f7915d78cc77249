#include "report/story/choice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the crossing itself can take at the most. */
static const struct {
    const char *name;
    enum vt_road road;
    unsigned crossings; /* a bit each */
} shortest[] = {
    {"least_callout", VT_ROAD_TRANSLATED, 1U << VT_CROSSING_CALLOUT},
    {"least_exit", VT_ROAD_HARDWARE, 1U << VT_CROSSING_EXIT_KERNEL | 1U << VT_CROSSING_HYPERCALL},
    {"least_exit_lab", VT_ROAD_HARDWARE_LAB, 1U << VT_CROSSING_EXIT_KERNEL | 1U << VT_CROSSING_HYPERCALL},
    {"least_xen_trap", VT_ROAD_XEN_TRAP, 1U << VT_CROSSING_EXIT_KERNEL},
    {"least_interpreted", VT_ROAD_INTERPRETED, 1U << VT_CROSSING_INTERPRETED},
};

static const struct {
    const char *name, *of;
    enum vt_unit unit;
} cheapest[] = {
    {"best_cli", "cli", VT_UNIT_NS},
    {"best_cr3", "mov-to-cr3", VT_UNIT_NS},
    {"best_rdmsr", "rdmsr-kernel", VT_UNIT_NS},
    {"best_out", "out-kernel", VT_UNIT_NS},
    {"best_cli_lab", "cli", VT_UNIT_INSTRUCTIONS},
    {"best_cr3_lab", "mov-to-cr3", VT_UNIT_INSTRUCTIONS},
    {"best_rdmsr_lab", "rdmsr-kernel", VT_UNIT_INSTRUCTIONS},
    {"best_out_lab", "out-kernel", VT_UNIT_INSTRUCTIONS},
};

enum { SHORTEST = sizeof shortest / sizeof shortest[0], CHEAPEST = sizeof cheapest / sizeof cheapest[0] };

/* Is it `base`, or `base` with what asks for the name of what was chosen? */
static bool is_called(const char *name, const char *base, const char *suffix)
{
    size_t length = strlen(base);
    return strncmp(name, base, length) == 0 && (!name[length] || strcmp(name + length, suffix) == 0);
}

static size_t shortest_by(const char *name)
{
    size_t i = 0;
    while (i < SHORTEST && !is_called(name, shortest[i].name, "_of"))
        i++;
    return i;
}

static size_t cheapest_by(const char *name)
{
    size_t i = 0;
    while (i < CHEAPEST && !is_called(name, cheapest[i].name, "_road"))
        i++;
    return i;
}

bool vt_choice_exists(const char *name)
{
    return shortest_by(name) < SHORTEST || cheapest_by(name) < CHEAPEST;
}

bool vt_choice_find(const struct vt_table *table, const char *name, struct vt_figure *figure)
{
    size_t i = shortest_by(name), k = cheapest_by(name);
    const struct vt_result_row *row = NULL;
    unsigned roads = 0;
    if (i < SHORTEST)
        row = vt_road_shortest(table, shortest[i].road, shortest[i].crossings);
    else if (k < CHEAPEST)
        row = vt_road_cheapest(table, vt_table_find_line(table, cheapest[k].of), cheapest[k].unit, &roads);
    if (!row)
        return false;
    *figure = (struct vt_figure){.value = row->toll.median, .unit = row->unit};
    if (i < SHORTEST && strcmp(name, shortest[i].name) != 0)
        snprintf(figure->names, sizeof figure->names, "%s", row->name);
    if (k < CHEAPEST && strcmp(name, cheapest[k].name) != 0)
        figure->roads = roads;
    return isfinite(figure->value);
}
