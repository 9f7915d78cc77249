#include "report/story/depth.h"

#include <math.h>
#include <string.h>

/* What the upper hypervisor does to enter its guest, as a case of depth 1. */
#define SEQUENCE "vmrun-as-kvm"
#define EXIT     "cpuid"

/* Of the lab that knows the sequence, so that the two are of one processor; else of the first. */
bool vt_depth_told(const struct vt_table *table, const char *name, struct vt_depths *depths)
{
    struct vt_depths around;
    bool known = vt_depth_find(table, vt_table_find_line(table, SEQUENCE), NULL, &around) ||
                 vt_depth_find(table, vt_table_find_line(table, EXIT), NULL, &around);
    return known && vt_depth_find(table, vt_table_find_line(table, name), around.shallow->engine, depths);
}

static double deep_exit(const struct vt_table *table)
{
    struct vt_depths depths;
    return vt_depth_told(table, EXIT, &depths) ? depths.deep->toll.median : NAN;
}

static double shallow_exit(const struct vt_table *table)
{
    struct vt_depths depths;
    return vt_depth_told(table, EXIT, &depths) ? depths.shallow->toll.median : NAN;
}

static double exits(const struct vt_table *table)
{
    struct vt_depths depths;
    return vt_depth_told(table, EXIT, &depths) ? depths.deep->outer_exits : NAN;
}

static double ratio(const struct vt_table *table)
{
    return deep_exit(table) / shallow_exit(table);
}

/* On the processor that the exit is of. */
static double sequence(const struct vt_table *table)
{
    struct vt_depths depths, around;
    return vt_depth_told(table, EXIT, &depths) && vt_depth_told(table, SEQUENCE, &around)
               ? around.shallow->toll.median
               : NAN;
}

static double share(const struct vt_table *table)
{
    return 100 * sequence(table) / deep_exit(table);
}

static const struct {
    const char *name;
    double (*value)(const struct vt_table *table);
    enum vt_unit unit; /* VT_UNITS: a number */
} figures[] = {
    {"deep_exit", deep_exit, VT_UNIT_INSTRUCTIONS},
    {"shallow_exit", shallow_exit, VT_UNIT_INSTRUCTIONS},
    {"deep_exits", exits, VT_UNITS},
    {"deep_ratio", ratio, VT_UNITS},
    {"deep_sequence", sequence, VT_UNIT_INSTRUCTIONS},
    {"deep_share", share, VT_UNITS},
};
enum { FIGURES = sizeof figures / sizeof figures[0] };

static size_t figure_by(const char *name)
{
    size_t i = 0;
    while (i < FIGURES && strcmp(figures[i].name, name) != 0)
        i++;
    return i;
}

bool vt_depth_figure_exists(const char *name)
{
    return figure_by(name) < FIGURES;
}

bool vt_depth_figure_find(const struct vt_table *table, const char *name, struct vt_figure *figure)
{
    size_t i = figure_by(name);
    if (i < FIGURES)
        *figure = (struct vt_figure){.value = figures[i].value(table), .unit = figures[i].unit};
    return i < FIGURES && isfinite(figure->value);
}
