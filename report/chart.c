#include "report/chart.h"
#include "report/chart_script.h"
#include "report/plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int vt_chart_point(size_t column, bool hollow)
{
    static const int full[VT_CHART_COLUMNS] = {7, 5, 9, 13, 11, 15, 7, 5};
    return full[column % VT_CHART_COLUMNS] - hollow;
}

/* The controls are zero by construction, and a log axis has no zero. */
bool vt_chart_shows(const struct vt_line *line, const struct vt_result_row *cell, const char *unit)
{
    return cell && vt_result_has_toll(cell) && strcmp(cell->unit, unit) == 0 && cell->toll.median > 0 &&
           strcmp(line->class, "control") != 0;
}

static bool any_shown(const struct vt_table *table, const char *unit)
{
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count && k < VT_CHART_COLUMNS; k++)
            if (vt_chart_shows(&table->lines[i], table->lines[i].cells[k], unit))
                return true;
    return false;
}

static int add(struct vt_charts *charts, struct vt_chart chart)
{
    struct vt_chart *list = realloc(charts->list, (charts->count + 1) * sizeof *list);
    if (!list)
        return -ENOMEM;
    charts->list = list;
    list[charts->count++] = chart;
    return 0;
}

/* Ratios to the median say something only where the median stands clear of the noise. */
static enum vt_chart_axis axis_of(const struct vt_line *line, size_t columns)
{
    for (size_t k = 0; k < columns; k++) {
        const struct vt_result_row *cell = line->cells[k];
        if (cell && cell->samples.count && !(cell->toll.median > 4 * (cell->toll.p75 - cell->toll.p25)))
            return VT_AXIS_ABSOLUTE;
    }
    return VT_AXIS_RELATIVE;
}

static bool has_samples(const struct vt_line *line, size_t columns)
{
    for (size_t k = 0; k < columns; k++)
        if (line->cells[k] && line->cells[k]->samples.count >= 5)
            return true;
    return false;
}

static int plan(struct vt_charts *charts, const struct vt_table *table)
{
    static const char *const units[] = {"ns", "instructions"};
    size_t columns = table->column_count < VT_CHART_COLUMNS ? table->column_count : VT_CHART_COLUMNS;
    int status = 0;
    for (size_t u = 0; u < 2 && status == 0; u++)
        if (any_shown(table, units[u])) {
            status = add(charts, (struct vt_chart){.kind = VT_CHART_ROADS, .unit = units[u]});
            if (status == 0)
                status = add(charts, (struct vt_chart){.kind = VT_CHART_ROADS_NARROW, .unit = units[u]});
        }
    for (size_t i = 0; i < table->line_count && status == 0; i++)
        if (has_samples(&table->lines[i], columns))
            status = add(charts, (struct vt_chart){.kind = VT_CHART_DISTRIBUTION,
                                                   .line = i,
                                                   .unit = "ns",
                                                   .axis = axis_of(&table->lines[i], columns)});
    return status;
}

static char *write_script(const struct vt_charts *charts, const struct vt_table *table)
{
    char *script = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&script, &size);
    if (!stream)
        return NULL;
    for (size_t i = 0; i < charts->count; i++)
        vt_chart_script(&charts->list[i], i, table, stream);
    if (fclose(stream) != 0) {
        free(script);
        return NULL;
    }
    return script;
}

static int draw(struct vt_charts *charts, const char *script, struct vt_error *error)
{
    char **pictures = calloc(charts->count + 1, sizeof *pictures);
    if (!pictures)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the charts");
    int status = vt_plot_run(script, pictures, charts->count, error);
    for (size_t i = 0; i < charts->count; i++)
        charts->list[i].picture = pictures[i];
    free(pictures);
    return status;
}

int vt_chart_draw(struct vt_charts *charts, const struct vt_table *table, struct vt_error *error)
{
    *charts = (struct vt_charts){0};
    int status = plan(charts, table);
    if (status)
        return vt_error_set(error, VT_EXIT_INTERNAL, -status, "not enough memory for the charts");
    if (charts->count == 0)
        return 0;
    char *script = write_script(charts, table);
    if (!script)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the charts");
    status = draw(charts, script, error);
    free(script);
    return status;
}

void vt_chart_release(struct vt_charts *charts)
{
    for (size_t i = 0; i < charts->count; i++)
        free(charts->list[i].picture);
    free(charts->list);
    *charts = (struct vt_charts){0};
}
