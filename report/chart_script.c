#include "report/chart_script.h"
#include "bench/statistics.h"
#include "report/plot.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUANTILES = 40, MAX_LABEL = 48 };

static size_t columns_of(const struct vt_table *table)
{
    return table->column_count < VT_CHART_COLUMNS ? table->column_count : VT_CHART_COLUMNS;
}

static void start_picture(size_t number, int width, int height, int font, FILE *stream)
{
    fprintf(stream,
            "reset\nset terminal svg size %d,%d dynamic noenhanced font 'sans-serif,%d'\n"
            "set encoding utf8\nset output '%zu.svg'\nunset key\nset border 0\n",
            width, height, font, number);
}

/* ---- toll per case */

struct roads {
    const struct vt_table *table;
    const char *unit;
    bool narrow;
    double low, high; /* of the axis: powers of ten */
    double *rows;     /* per line: where it stands; NAN: not drawn */
    size_t count;     /* rows used */
};

static bool line_is_shown(const struct vt_table *table, size_t i, const char *unit)
{
    for (size_t k = 0; k < columns_of(table); k++)
        if (vt_chart_shows(&table->lines[i], table->lines[i].cells[k], unit))
            return true;
    return false;
}

static void measure_axis(struct roads *roads)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < roads->table->line_count; i++)
        for (size_t k = 0; k < columns_of(roads->table); k++) {
            const struct vt_result_row *cell = roads->table->lines[i].cells[k];
            if (!vt_chart_shows(&roads->table->lines[i], cell, roads->unit))
                continue;
            low = fmin(low, cell->toll.median);
            high = fmax(high, cell->toll.median);
        }
    roads->low = pow(10, floor(log10(fmax(low, 0.1)) + 1e-9));
    roads->high = pow(10, ceil(log10(fmax(high, 10 * roads->low)) + 0.05));
}

/* A class takes a row of its own above its cases. */
static void place_rows(struct roads *roads, FILE *stream)
{
    const char *class = "";
    double row = 0;
    for (size_t i = 0; i < roads->table->line_count; i++) {
        const struct vt_line *line = &roads->table->lines[i];
        char label[MAX_LABEL];
        roads->rows[i] = NAN;
        if (!line_is_shown(roads->table, i, roads->unit))
            continue;
        if (strcmp(class, line->class) != 0) {
            class = line->class;
            vt_plot_label(class, label, sizeof label);
            row += row > 0 ? 0.35 : 0;
            fprintf(stream, "set label \"%s\" at screen 0.006, first %.2f left font 'sans-serif:Bold,%d'\n",
                    label, row, roads->narrow ? 12 : 13);
            row += 1;
        }
        roads->rows[i] = row++;
    }
    roads->count = (size_t)ceil(row);
}

static void label_decade(double value, bool time, char *text, size_t size)
{
    static const char *const units[] = {"ns", "µs", "ms", "s"};
    size_t unit = 0;
    for (; time && value >= 999 && unit < 3; unit++)
        value /= 1000;
    snprintf(text, size, time ? "%g %s" : "%.0f", value, units[unit]);
}

static void set_axis(const struct roads *roads, const char *axis, FILE *stream)
{
    bool time = strcmp(roads->unit, "ns") == 0, first = true;
    fprintf(stream, "set logscale %s\nset %srange [%g:%g]\nset %stics scale 0 (", axis, axis,
            roads->low * 0.7, roads->high, axis);
    int decades = (int)floor(log10(roads->high * 1.01 / roads->low)) + 1;
    double at = roads->low;
    for (int i = 0; i < decades; i++, at *= 10) {
        char text[32];
        int decade = (int)lround(log10(at));
        label_decade(at, time, text, sizeof text);
        bool named = !roads->narrow || decade % 3 == 0 || at == roads->low;
        if (roads->narrow && at == roads->low && decade % 3 != 0 && (decade + 1) % 3 == 0)
            named = false;
        fprintf(stream, "%s\"%s\" %g", first ? "" : ", ", named ? text : "", at);
        first = false;
    }
    fputs(")\n", stream);
}

static void name_rows(const struct roads *roads, FILE *stream)
{
    bool first = true;
    fprintf(stream, "set yrange [%.2f:-0.7]\nset ytics scale 0 (", (double)roads->count - 0.3);
    for (size_t i = 0; i < roads->table->line_count; i++) {
        char label[MAX_LABEL];
        if (isnan(roads->rows[i]))
            continue;
        vt_plot_label(roads->table->lines[i].name, label, sizeof label);
        fprintf(stream, "%s\"%s\" %.2f", first ? "" : ", ", label, roads->rows[i]);
        first = false;
    }
    fputs(")\n", stream);
}

/* Columns: low, high, median, row, hover number. */
static bool put_points(const struct roads *roads, size_t k, bool unverified, FILE *stream)
{
    size_t columns = columns_of(roads->table);
    double step = columns > 4 ? 0.6 / (double)(columns - 1) : 0.2;
    double shift = ((double)k - (double)(columns - 1) / 2) * step;
    bool any = false;
    fprintf(stream, "$%s%zu << EOD\n", unverified ? "u" : "v", k);
    for (size_t i = 0; i < roads->table->line_count; i++) {
        const struct vt_result_row *cell = roads->table->lines[i].cells[k];
        if (isnan(roads->rows[i]) || !vt_chart_shows(&roads->table->lines[i], cell, roads->unit) ||
            (cell->status == VT_STATUS_UNVERIFIED) != unverified)
            continue;
        double least = roads->low * 0.75, median = fmax(cell->toll.median, least);
        double low = isfinite(cell->toll.ci_low) ? fmax(cell->toll.ci_low, least) : median;
        double high = isfinite(cell->toll.ci_high) ? fmax(cell->toll.ci_high, median) : median;
        fprintf(stream, "%.5g %.5g %.5g %.3f %zu\n", low, high, median, roads->rows[i] + shift,
                i * roads->table->column_count + k);
        any = true;
    }
    fputs("EOD\n", stream);
    return any;
}

/* A phone has no pointer that hovers: the narrow picture does without the texts. */
static void put_series(const char *block, size_t k, bool hollow, bool narrow, const char **separator,
                       FILE *stream)
{
    fprintf(stream, "%s %s%zu using 1:4:($2-$1):(0) with vectors nohead lc rgb '" VT_SVG_SERIES "' lw 2",
            *separator, block, k, k + 1);
    if (narrow)
        fprintf(stream, ", %s%zu using 3:4 with points", block, k);
    else
        fprintf(stream, ", %s%zu using 3:4:(sprintf('%%d',$5)) with labels hypertext point", block, k);
    fprintf(stream, " pt %d ps 0.75 lc rgb '" VT_SVG_SERIES "'", vt_chart_point(k, hollow), k + 1);
    *separator = ",";
}

static void plot_roads(const struct roads *roads, FILE *stream)
{
    bool verified[VT_CHART_COLUMNS], unverified[VT_CHART_COLUMNS];
    const char *separator = "plot";
    for (size_t k = 0; k < columns_of(roads->table); k++) {
        verified[k] = put_points(roads, k, false, stream);
        unverified[k] = put_points(roads, k, true, stream);
    }
    for (size_t k = 0; k < columns_of(roads->table); k++) {
        if (verified[k])
            put_series("$v", k, false, roads->narrow, &separator, stream);
        if (unverified[k])
            put_series("$u", k, true, roads->narrow, &separator, stream);
    }
    fputs("\nunset output\n", stream);
}

static void script_roads(const struct vt_chart *chart, size_t number, const struct vt_table *table,
                         FILE *stream)
{
    struct roads roads = {
        .table = table, .unit = chart->unit, .narrow = chart->kind == VT_CHART_ROADS_NARROW};
    char *labels = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&labels, &size);
    roads.rows = calloc(table->line_count + 1, sizeof *roads.rows);
    if (memory && roads.rows) {
        measure_axis(&roads);
        place_rows(&roads, memory);
        fflush(memory);
        start_picture(number, roads.narrow ? 380 : 940, (int)roads.count * (roads.narrow ? 19 : 18) + 70,
                      roads.narrow ? 12 : 13, stream);
        fprintf(stream, "set lmargin at screen %s\nset rmargin at screen %s\nset tmargin 2\nset bmargin 2\n",
                roads.narrow ? "0.4" : "0.2", roads.narrow ? "0.955" : "0.965");
        set_axis(&roads, "x", stream);
        set_axis(&roads, "x2", stream);
        name_rows(&roads, stream);
        fputs(labels, stream);
        fputs("set grid xtics ytics lt 1 lw 1 lc rgb '" VT_SVG_GRID "'\n", stream);
        plot_roads(&roads, stream);
    }
    if (memory)
        fclose(memory);
    free(labels);
    free(roads.rows);
}

/* ---- distribution of one case */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct series {
    double points[QUANTILES + 1]; /* quantiles 0, 1/QUANTILES, ..., 1 */
    bool drawn;
};

static void thin_out(struct series *series, const struct vt_result_row *cell, enum vt_chart_axis axis)
{
    series->drawn = false;
    if (!cell || !vt_result_has_toll(cell) || cell->samples.count < 5)
        return;
    double *sorted = malloc(cell->samples.count * sizeof *sorted);
    if (!sorted)
        return;
    memcpy(sorted, cell->samples.values, cell->samples.count * sizeof *sorted);
    qsort(sorted, cell->samples.count, sizeof *sorted, compare_doubles);
    double median = vt_statistics_quantile(sorted, cell->samples.count, 0.5);
    for (int i = 0; i <= QUANTILES; i++) {
        double value = vt_statistics_quantile(sorted, cell->samples.count, (double)i / QUANTILES);
        series->points[i] = axis == VT_AXIS_RELATIVE ? (value / median - 1) * 100 : value;
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

/* A step of 1, 2 or 5 times a power of ten that divides the range into about four. */
static double nice_step(double range)
{
    double power = pow(10, floor(log10(range / 4))), steps = range / 4 / power;
    return power * (steps < 1.5 ? 1 : steps < 3.5 ? 2 : steps < 7.5 ? 5 : 10);
}

static void put_ticks(double low, double high, enum vt_chart_axis axis, FILE *stream)
{
    double step = nice_step(high - low);
    const char *separator = "set xtics scale 0 (";
    for (double i = ceil(low / step); i * step <= high; i++) {
        fprintf(stream, "%s\"", separator);
        if (i == 0)
            fputs("0", stream);
        else
            fprintf(stream, axis == VT_AXIS_RELATIVE ? "%+g %%%%" : "%g ns", i * step);
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

static void plot_series(size_t k, const char **separator, FILE *stream)
{
    fprintf(stream,
            "%s $e%zu using 1:2 with lines lw 1.8 lc rgb '" VT_SVG_SERIES "'"
            ", $b%zu using 1:6:($5-$1):(0) with vectors nohead lw 1.5 lc rgb '" VT_SVG_SERIES "'"
            ", $b%zu using 2:6:($4-$2):(0) with vectors nohead lw 7 lc rgb '" VT_SVG_SERIES "'"
            ", $b%zu using 3:6:(sprintf('%%d',$7)) with labels hypertext point pt %d ps 0.8 lc rgb "
            "'" VT_SVG_SERIES "'",
            *separator, k, k + 1, k, k + 1, k, k + 1, k, vt_chart_point(k, false), k + 1);
    *separator = ",";
}

static void script_distribution(const struct vt_chart *chart, size_t number, const struct vt_table *table,
                                FILE *stream)
{
    const struct vt_line *line = &table->lines[chart->line];
    struct series series[VT_CHART_COLUMNS];
    size_t columns = columns_of(table), drawn = 0;
    double low, high;
    const char *separator = "plot";
    for (size_t k = 0; k < columns; k++) {
        thin_out(&series[k], line->cells[k], chart->axis);
        drawn += series[k].drawn;
    }
    if (drawn == 0)
        return;
    bound(series, columns, &low, &high);
    start_picture(number, 420, 170 + 16 * (int)drawn, 12, stream);
    fprintf(stream,
            "set lmargin at screen 0.11\nset rmargin at screen 0.97\nset tmargin 0.5\nset bmargin 2\n"
            "set xrange [%.6g:%.6g]\nset yrange [-0.03:%.3f]\nset ytics scale 0 (\"0\" 0, \"50 %%%%\" 0.5, "
            "\"100 %%%%\" 1)\n"
            "set grid xtics ytics lt 1 lw 1 lc rgb '" VT_SVG_GRID "'\n",
            low, high, 1.1 + 0.13 * (double)drawn);
    put_ticks(low, high, chart->axis, stream);
    double height = 1.02 + 0.13 * (double)drawn;
    for (size_t k = 0; k < columns; k++)
        if (series[k].drawn) {
            put_curve(&series[k], k, stream);
            put_box(&series[k], k, height, chart->line * table->column_count + k, stream);
            height -= 0.13;
        }
    for (size_t k = 0; k < columns; k++)
        if (series[k].drawn)
            plot_series(k, &separator, stream);
    fputs("\nunset output\n", stream);
}

void vt_chart_script(const struct vt_chart *chart, size_t number, const struct vt_table *table, FILE *stream)
{
    if (chart->kind == VT_CHART_DISTRIBUTION)
        script_distribution(chart, number, table, stream);
    else
        script_roads(chart, number, table, stream);
}
