/* A hypervisor in a hypervisor: the table of both depths, and the figures of the text around it. */
#include "report/depth.h"
#include "report/story/depth.h"
#include "report/story/tell.h"
#include "show/pen/markup.h"

#include <math.h>
#include <string.h>

/* What the upper hypervisor does to enter its guest, as a case of depth 1. */
#define SEQUENCE "vmrun-as-kvm"
#define EXIT     "cpuid"

static bool find(const struct vt_table *table, const char *name, struct vt_depths *depths)
{
    return vt_depth_find(table, vt_table_find_line(table, name), depths);
}

static double deep_exit(const struct vt_table *table)
{
    struct vt_depths depths;
    return find(table, EXIT, &depths) ? depths.deep->toll.median : NAN;
}

static double shallow_exit(const struct vt_table *table)
{
    struct vt_depths depths;
    return find(table, EXIT, &depths) ? depths.shallow->toll.median : NAN;
}

static double exits(const struct vt_table *table)
{
    struct vt_depths depths;
    return find(table, EXIT, &depths) ? depths.deep->outer_exits : NAN;
}

static double ratio(const struct vt_table *table)
{
    return deep_exit(table) / shallow_exit(table);
}

/* On the processor that the exit is of. */
static double sequence(const struct vt_table *table)
{
    struct vt_depths depths, around;
    return find(table, EXIT, &depths) && find(table, SEQUENCE, &around) ? around.shallow->toll.median : NAN;
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

/* One of each kind of exit. */
static const char *const operations[] = {EXIT,       "vmmcall",        "rdmsr-kernel", "out-kernel",
                                         "out-user", "mmio-read-user", "first-touch",  "mov-to-cr3"};

static void put_number(const struct vt_teller *teller, double value, int decimals)
{
    if (isfinite(value))
        vt_markup(teller->stream, "<td class=\"number\">%.*f</td>", decimals, value);
    else
        fputs("<td class=\"number\">–</td>", teller->stream);
}

static void put_head(const struct vt_teller *teller)
{
    static const char *const labels[] = {"depth_one", "depth_two", "depth_ratio", "depth_exits"};

    vt_tell_open_table(teller, "depths", "told");
    vt_tell_head(teller, "operation", false);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        vt_tell_head(teller, labels[i], true);
    fputs("</tr></thead>\n<tbody>\n", teller->stream);
}

void vt_tell_depths(const struct vt_teller *teller, const struct vt_directive *directive)
{
    struct vt_depths depths;

    if (!find(teller->table, EXIT, &depths))
        return;
    vt_tell_paragraph(teller, directive);
    put_head(teller);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (!find(teller->table, operations[i], &depths))
            continue;
        vt_markup(teller->stream, "<tr><th scope=\"row\">%s</th>", operations[i]);
        put_number(teller, depths.shallow->toll.median, 0);
        put_number(teller, depths.deep->toll.median, 0);
        put_number(teller, depths.deep->toll.median / depths.shallow->toll.median, 1);
        put_number(teller, depths.deep->outer_exits, 0);
        fputs("</tr>\n", teller->stream);
    }
    vt_tell_close_table(teller);
}
