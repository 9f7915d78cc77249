#include "report/chart/axis.h"
#include "base/statistics.h"
#include "show/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUANTILES = 40 };

#define STEP 0.13 /* from one box to the next */

struct series {
    double points[QUANTILES + 1]; /* quantiles 0, 1/QUANTILES, ..., 1 */
    bool drawn;
};

static void thin_out(struct series *series, const struct vt_table *table, size_t k,
                     const struct vt_chart *chart)
{
    const struct vt_result_row *cell = table->lines[chart->line].cells[k];
    series->drawn = false;
    if (!vt_chart_has_spread(table, chart->line, k, chart->unit))
        return;
    double *sorted = malloc(cell->samples.count * sizeof *sorted);
    if (!sorted)
        return;
    memcpy(sorted, cell->samples.values, cell->samples.count * sizeof *sorted);
    double median = vt_statistics_median(sorted, cell->samples.count);
    for (int i = 0; i <= QUANTILES; i++) {
        double value = vt_statistics_quantile(sorted, cell->samples.count, (double)i / QUANTILES);
        series->points[i] = chart->axis == VT_AXIS_RELATIVE ? (value / median - 1) * 100 : value;
    }
    series->drawn = isfinite(series->points[0]) && isfinite(series->points[QUANTILES]);
    free(sorted);
}

static double at(const struct series *series, double p)
{
    return vt_statistics_quantile(series->points, QUANTILES + 1, p);
}

/* The axis follows the bulk; a lone far sample must not squeeze everything else into a line. */
static void bound(const struct series *series, size_t count, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t k = 0; k < count; k++) {
        if (!series[k].drawn)
            continue;
        double spread = at(&series[k], 0.9) - at(&series[k], 0.1);
        *low = fmin(*low, fmax(series[k].points[0], at(&series[k], 0.1) - spread));
        *high = fmax(*high, fmin(series[k].points[QUANTILES], at(&series[k], 0.9) + spread));
    }
    double margin = fmax((*high - *low) * 0.04, 1e-3);
    *low -= margin;
    *high += margin;
}

/* The unit the axis reads best in; per cent and instructions stay what they are. */
static struct vt_scale axis_scale(const struct vt_chart *chart, double low, double high)
{
    if (chart->axis == VT_AXIS_RELATIVE)
        return (struct vt_scale){"%%", 1};
    if (chart->unit != VT_UNIT_NS)
        return (struct vt_scale){"", 1};
    struct vt_scale scale = vt_quantity_scale(fmax(fabs(low), fabs(high)));
    return strcmp(scale.name, "us") == 0 ? (struct vt_scale){"µs", scale.size} : scale;
}

static void put_ticks(const struct vt_chart *chart, double low, double high, FILE *stream)
{
    double step = vt_chart_step(high - low);
    struct vt_scale scale = axis_scale(chart, low, high);
    const char *separator = "set xtics scale 0 (";
    for (double i = ceil(low / step); i * step <= high; i++) {
        fprintf(stream, "%s\"", separator);
        if (i == 0)
            fputs("0", stream);
        else
            fprintf(stream, chart->axis == VT_AXIS_RELATIVE ? "%+g %s" : "%g %s", i * step / scale.size,
                    scale.name);
        fprintf(stream, "\" %g", i * step);
        separator = ", ";
    }
    fputs(")\n", stream);
}

static void put_curve(const struct series *series, size_t k, FILE *stream)
{
    fprintf(stream, "$e%zu << EOD\n", k);
    for (int i = 0; i <= QUANTILES; i++)
        fprintf(stream, "%.6g %.4f\n", series->points[i], (double)i / QUANTILES);
    fputs("EOD\n", stream);
}

/* Columns: p05 p25 median p75 p95, height, hover number. */
static void put_box(const struct series *series, size_t k, double height, size_t hover, FILE *stream)
{
    fprintf(stream, "$b%zu << EOD\n%.6g %.6g %.6g %.6g %.6g %.3f %zu\nEOD\n", k, at(series, 0.05),
            at(series, 0.25), at(series, 0.5), at(series, 0.75), at(series, 0.95), height, hover);
}

static void plot_series(const struct vt_canvas *canvas, size_t k, const struct vt_column *column,
                        const char **separator)
{
    size_t colour = vt_chart_colour(column);
    FILE *stream = canvas->stream;
    fprintf(
        stream,
        "%s $e%zu using 1:2 with lines lw 1.8 lc %zu, $b%zu using 1:6:($5-$1):(0) with vectors nohead lw 1.5 "
        "lc %zu, $b%zu using 2:6:($4-$2):(0) with vectors nohead lw 7 lc %zu",
        *separator, k, colour, k, colour, k, colour);
    if (canvas->medium == VT_MEDIUM_PAGE)
        fprintf(stream, ", $b%zu using 3:6:(sprintf('%%d',$7)) with labels hypertext point", k);
    else
        fprintf(stream, ", $b%zu using 3:6 with points", k);
    fprintf(stream, " pt %d ps 0.8 lc %zu", vt_chart_point(column, false), colour);
    *separator = ",";
}

static void plot(const struct vt_canvas *canvas, const struct vt_table *table, const struct series *series)
{
    bool drawn[VT_CHART_COLUMNS];
    const char *separator = "plot";
    for (size_t k = 0; k < vt_chart_columns(table); k++) {
        drawn[k] = series[k].drawn;
        if (drawn[k])
            plot_series(canvas, k, &table->columns[k], &separator);
    }
    vt_chart_key(canvas, table, drawn);
    vt_canvas_close(canvas);
}

/* Boxes stand above the curves, one line each. */
static void put_data(const struct vt_chart *chart, const struct vt_table *table, const struct series *series,
                     double height, FILE *stream)
{
    for (size_t k = 0; k < vt_chart_columns(table); k++)
        if (series[k].drawn) {
            put_curve(&series[k], k, stream);
            put_box(&series[k], k, height, chart->line * vt_table_shown(table) + table->columns[k].shown,
                    stream);
            height -= STEP;
        }
}

/* Names with files in them leave no room for two entries of the key on a line. */
static int head_of(const struct vt_canvas *canvas, const struct vt_table *table, size_t drawn)
{
    int head = vt_canvas_head(canvas);
    for (size_t k = 0; k < vt_chart_columns(table); k++)
        if (head && table->columns[k].shared_name)
            return 36 + 16 * (int)drawn;
    return head;
}

void vt_chart_spread(const struct vt_canvas *canvas, const struct vt_chart *chart,
                     const struct vt_table *table)
{
    const struct vt_line *line = &table->lines[chart->line];
    struct series series[VT_CHART_COLUMNS];
    size_t columns = vt_chart_columns(table), drawn = 0;
    double low, high;
    for (size_t k = 0; k < columns; k++) {
        thin_out(&series[k], table, k, chart);
        drawn += series[k].drawn;
    }
    if (drawn == 0)
        return;
    bound(series, columns, &low, &high);
    int head = head_of(canvas, table, drawn), height = 170 + 16 * (int)drawn + head;
    vt_canvas_open(canvas, 420, height, 12);
    fprintf(canvas->stream,
            "set lmargin at screen %s\nset rmargin at screen 0.97\nset tmargin 0.5\nset bmargin 2\n"
            "set xrange [%.6g:%.6g]\nset yrange [-0.03:%.3f]\nset ytics scale 0 (\"0\" 0, \"50 %%%%\" 0.5, "
            "\"100 %%%%\" 1)\nset grid xtics ytics lt 1 lw 1 lc %d\n",
            canvas->medium == VT_MEDIUM_PAGE ? "0.11" : "0.15", low, high, 1.1 + STEP * (double)drawn,
            VT_CANVAS_GRID);
    put_ticks(chart, low, high, canvas->stream);
    vt_chart_caption(canvas, head, height, line->name,
                     chart->axis == VT_AXIS_RELATIVE ? "distance from the median"
                     : chart->unit == VT_UNIT_NS     ? "time per operation"
                                                     : "instructions per operation");
    put_data(chart, table, series, 1.02 + STEP * (double)drawn, canvas->stream);
    plot(canvas, table, series);
}
