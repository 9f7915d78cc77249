#include "report/chart/plan.h"
#include "base/memory.h"
#include "report/breakdown.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHEET = 32 }; /* lines of a roads chart, of which two fit a sheet of paper */

size_t vt_chart_colour(const struct vt_column *column)
{
    return column->shown % VT_CHART_COLOURS + 1;
}

int vt_chart_point(const struct vt_column *column, bool hollow)
{
    static const int full[] = {7, 5, 9, 13, 11, 15};
    size_t turn = column->shown / VT_CHART_COLOURS;
    return full[(column->shown + turn) % (sizeof full / sizeof full[0])] - hollow;
}

size_t vt_chart_columns(const struct vt_table *table)
{
    return table->column_count < VT_CHART_COLUMNS ? table->column_count : VT_CHART_COLUMNS;
}

size_t vt_chart_lines(const struct vt_table *table)
{
    return table->line_count < VT_CHART_LINES ? table->line_count : VT_CHART_LINES;
}

static const struct vt_result_row *drawn_cell(const struct vt_table *table, size_t i, size_t k,
                                              enum vt_unit unit)
{
    const struct vt_result_row *cell = table->lines[i].cells[k];
    return cell && table->columns[k].rank < VT_CHART_SERIES && vt_result_has_toll(cell) && cell->unit == unit
               ? cell
               : NULL;
}

/* The controls are zero by construction, and a log axis has no zero. */
bool vt_chart_shows(const struct vt_table *table, size_t i, size_t k, enum vt_unit unit)
{
    const struct vt_result_row *cell = drawn_cell(table, i, k, unit);
    return cell && isfinite(cell->toll.median) && table->lines[i].known != VT_CLASS_CONTROL;
}

bool vt_chart_shows_class(const struct vt_table *table, const char *class, enum vt_unit unit)
{
    for (size_t i = 0; i < vt_chart_lines(table); i++)
        for (size_t k = 0; k < vt_chart_columns(table); k++)
            if ((!class || strcmp(table->lines[i].class, class) == 0) && vt_chart_shows(table, i, k, unit))
                return true;
    return false;
}

int vt_chart_add(struct vt_charts *charts, struct vt_chart chart)
{
    struct vt_chart *next = vt_memory_append(charts->list, charts->count);
    if (next)
        *next = chart;
    return next ? 0 : -ENOMEM;
}

bool vt_chart_has_spread(const struct vt_table *table, size_t i, size_t k, enum vt_unit unit)
{
    const struct vt_result_row *cell = drawn_cell(table, i, k, unit);
    return cell && cell->samples.count >= 5;
}

/* Ratios to the median say something only where the median stands clear of the noise. */
static enum vt_chart_axis axis_of(const struct vt_table *table, size_t i, enum vt_unit unit)
{
    for (size_t k = 0; k < vt_chart_columns(table); k++) {
        const struct vt_result_row *cell = table->lines[i].cells[k];
        if (vt_chart_has_spread(table, i, k, unit) &&
            !(cell->toll.median > 0 && cell->toll.median >= 4 * (cell->toll.p75 - cell->toll.p25)))
            return VT_AXIS_ABSOLUTE;
    }
    return VT_AXIS_RELATIVE;
}

/* Every batch of an emulated machine counts alike, but for one that its timer hit: then there is nothing to
 * draw. */
static bool varies(const struct vt_result_row *cell)
{
    if (cell->unit == VT_UNIT_INSTRUCTIONS)
        return cell->toll.p25 != cell->toll.p75;
    for (size_t i = 1; i < cell->samples.count; i++)
        if (cell->samples.values[i] != cell->samples.values[0])
            return true;
    return false;
}

static bool has_distribution(const struct vt_table *table, size_t i, enum vt_unit unit)
{
    for (size_t k = 0; k < vt_chart_columns(table); k++)
        if (vt_chart_has_spread(table, i, k, unit) && varies(table->lines[i].cells[k]))
            return true;
    return false;
}

static bool is_drawn(const struct vt_table *table, size_t i, enum vt_unit unit)
{
    for (size_t k = 0; k < vt_chart_columns(table); k++)
        if (vt_chart_shows(table, i, k, unit))
            return true;
    return false;
}

static size_t count_drawn(const struct vt_table *table, enum vt_unit unit)
{
    size_t count = 0;
    for (size_t i = 0; i < vt_chart_lines(table); i++)
        count += is_drawn(table, i, unit);
    return count;
}

static int add_roads(struct vt_charts *charts, size_t from, size_t to, enum vt_unit unit)
{
    struct vt_chart wide = {.kind = VT_CHART_ROADS, .unit = unit, .from = from, .to = to}, narrow = wide;
    narrow.kind = VT_CHART_ROADS_NARROW;
    int status = vt_chart_add(charts, wide);
    return status ? status : vt_chart_add(charts, narrow);
}

/* In parts that fit a sheet of paper with letters that can be read, cut between classes. */
static int plan_roads(struct vt_charts *charts, const struct vt_table *table, enum vt_unit unit)
{
    size_t drawn = count_drawn(table, unit), parts = (drawn + SHEET - 1) / SHEET, from = 0, filled = 0;
    int status = 0;
    for (size_t i = 0; i < vt_chart_lines(table) && status == 0; i++) {
        if (vt_table_starts_class(table, i) && filled > 0 && filled * parts >= drawn) {
            status = add_roads(charts, from, i, unit);
            from = i;
            filled = 0;
        }
        filled += is_drawn(table, i, unit);
    }
    return status || filled == 0 ? status : add_roads(charts, from, vt_chart_lines(table), unit);
}

static int plan_parts(struct vt_charts *charts, const struct vt_table *table, enum vt_unit unit)
{
    struct vt_breakdown breakdown;
    vt_breakdown_collect(&breakdown, table);
    for (size_t i = 0; i < breakdown.count; i++)
        if (table->columns[breakdown.list[i].column].rank < VT_CHART_SERIES &&
            table->columns[breakdown.list[i].column].unit == unit) {
            int status = vt_chart_add(charts, (struct vt_chart){.kind = VT_CHART_PARTS, .unit = unit});
            return status
                       ? status
                       : vt_chart_add(charts, (struct vt_chart){.kind = VT_CHART_PARTS_NARROW, .unit = unit});
        }
    return 0;
}

int vt_chart_plan(struct vt_charts *charts, const struct vt_table *table)
{
    int status = 0;
    for (enum vt_unit unit = 0; unit < VT_UNITS && status == 0; unit++)
        status = plan_roads(charts, table, unit);
    for (enum vt_unit unit = 0; unit < VT_UNITS && status == 0; unit++)
        status = plan_parts(charts, table, unit);
    for (size_t i = 0; i < vt_chart_lines(table); i++)
        for (enum vt_unit unit = 0; unit < VT_UNITS && status == 0; unit++)
            if (has_distribution(table, i, unit))
                status = vt_chart_add(charts, (struct vt_chart){.kind = VT_CHART_DISTRIBUTION,
                                                                .line = i,
                                                                .unit = unit,
                                                                .axis = axis_of(table, i, unit)});
    return status;
}
