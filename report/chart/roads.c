#include "report/chart/axis.h"
#include "base/stream.h"
#include "show/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABEL = 48, WIDTH = 940, WIDTH_NARROW = 380, SYMBOL = 5 /* as wide as one is drawn */ };

#define LEFT         0.2 /* margins, as shares of the width */
#define RIGHT        0.965
#define LEFT_NARROW  0.4
#define RIGHT_NARROW 0.955

struct roads {
    const struct vt_canvas *canvas;
    const struct vt_table *table;
    enum vt_unit unit;
    const char *class; /* NULL: of every class */
    size_t from, to;   /* lines of the table */
    bool narrow;
    double low, high; /* of the axis: powers of ten */
    double *rows;     /* per line: where it stands; NAN: not drawn */
    size_t count;     /* rows used */
};

static bool is_shown(const struct roads *roads, size_t i, size_t k)
{
    if (i < roads->from || i >= roads->to)
        return false;
    return (!roads->class || strcmp(roads->table->lines[i].class, roads->class) == 0) &&
           vt_chart_shows(roads->table, i, k, roads->unit);
}

static bool line_is_shown(const struct roads *roads, size_t i)
{
    for (size_t k = 0; k < vt_chart_columns(roads->table); k++)
        if (is_shown(roads, i, k))
            return true;
    return false;
}

/* Parts of one chart share its axis: what is not drawn here is measured all the same. */
static void measure_axis(struct roads *roads)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < vt_chart_lines(roads->table); i++)
        for (size_t k = 0; k < vt_chart_columns(roads->table); k++) {
            double median =
                roads->table->lines[i].cells[k] ? roads->table->lines[i].cells[k]->toll.median : NAN;
            if (!vt_chart_shows(roads->table, i, k, roads->unit) ||
                (roads->class && strcmp(roads->table->lines[i].class, roads->class) != 0))
                continue;
            low = fmin(low, median);
            high = fmax(high, median);
        }
    roads->low = pow(10, floor(log10(fmax(low, 0.1)) + 1e-9));
    roads->high = pow(10, ceil(log10(fmax(high, 10 * roads->low)) + 0.05));
}

/* A class takes a row of its own above its cases. */
static void place_rows(struct roads *roads, FILE *stream)
{
    const char *class = roads->class ? roads->class : "";
    double row = 0;
    for (size_t i = 0; i < vt_chart_lines(roads->table); i++) {
        const struct vt_line *line = &roads->table->lines[i];
        char label[MAX_LABEL];
        roads->rows[i] = NAN;
        if (!line_is_shown(roads, i))
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
    bool time = roads->unit == VT_UNIT_NS, first = true;
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
    for (size_t i = 0; i < vt_chart_lines(roads->table); i++) {
        char label[MAX_LABEL];
        if (isnan(roads->rows[i]))
            continue;
        vt_plot_label(roads->table->lines[i].name, label, sizeof label);
        fprintf(stream, "%s\"%s\" %.2f", first ? "" : ", ", label, roads->rows[i]);
        first = false;
    }
    fputs(")\n", stream);
}

static size_t columns_of_unit(const struct roads *roads)
{
    size_t count = 0;
    for (size_t k = 0; k < vt_chart_columns(roads->table); k++)
        count += roads->table->columns[k].measured && roads->table->columns[k].unit == roads->unit &&
                 roads->table->columns[k].rank < VT_CHART_SERIES;
    return count;
}

/* An interval shorter than its symbol is wide is not seen. */
static bool is_hidden(const struct roads *roads, double low, double high)
{
    double width = roads->narrow ? WIDTH_NARROW * (RIGHT_NARROW - LEFT_NARROW) : WIDTH * (RIGHT - LEFT);
    return log(high / low) / log(roads->high / roads->low / 0.7) * width < SYMBOL;
}

/* Columns: low, high, median, row, hover number. */
static bool put_points(const struct roads *roads, size_t k, bool unverified, FILE *stream)
{
    size_t columns = columns_of_unit(roads);
    double step = columns > 4 ? 0.6 / (double)(columns - 1) : 0.2;
    double shift = ((double)roads->table->columns[k].rank - (double)(columns - 1) / 2) * step;
    bool any = false;
    fprintf(stream, "$%s%zu << EOD\n", unverified ? "u" : "v", k);
    for (size_t i = 0; i < vt_chart_lines(roads->table); i++) {
        const struct vt_result_row *cell = roads->table->lines[i].cells[k];
        if (!is_shown(roads, i, k) || (cell->status == VT_STATUS_UNVERIFIED) != unverified)
            continue;
        double least = roads->low * 0.75, median = fmax(cell->toll.median, least);
        double low = isfinite(cell->toll.ci_low) ? fmax(cell->toll.ci_low, least) : median;
        double high = isfinite(cell->toll.ci_high) ? fmax(cell->toll.ci_high, median) : median;
        if (is_hidden(roads, low, high))
            low = high = median;
        fprintf(stream, "%.5g %.5g %.5g %.3f %zu\n", low, high, median, roads->rows[i] + shift,
                i * vt_table_shown(roads->table) + roads->table->columns[k].shown);
        any = true;
    }
    fputs("EOD\n", stream);
    return any;
}

/* A phone has no pointer that hovers, nor has paper: their pictures do without the texts. */
static void put_series(const struct roads *roads, const char *block, size_t k, bool hollow,
                       const char **separator, FILE *stream)
{
    const struct vt_column *column = &roads->table->columns[k];
    fprintf(stream, "%s %s%zu using 1:4:($2-$1):(0) with vectors nohead lc %zu lw 2", *separator, block, k,
            vt_chart_colour(column));
    if (roads->narrow || roads->canvas->medium != VT_MEDIUM_PAGE)
        fprintf(stream, ", %s%zu using 3:4 with points", block, k);
    else
        fprintf(stream, ", %s%zu using 3:4:(sprintf('%%d',$5)) with labels hypertext point", block, k);
    fprintf(stream, " pt %d ps 0.75 lc %zu", vt_chart_point(column, hollow), vt_chart_colour(column));
    *separator = ",";
}

static void plot(const struct roads *roads, FILE *stream)
{
    bool verified[VT_CHART_COLUMNS] = {false}, unverified[VT_CHART_COLUMNS] = {false},
         drawn[VT_CHART_COLUMNS] = {false};
    const char *separator = "plot";
    for (size_t k = 0; k < vt_chart_columns(roads->table); k++) {
        verified[k] = put_points(roads, k, false, stream);
        unverified[k] = put_points(roads, k, true, stream);
        drawn[k] = verified[k] || unverified[k];
    }
    for (size_t k = 0; k < vt_chart_columns(roads->table); k++) {
        if (verified[k])
            put_series(roads, "$v", k, false, &separator, stream);
        if (unverified[k])
            put_series(roads, "$u", k, true, &separator, stream);
    }
    vt_chart_key(roads->canvas, roads->table, drawn);
    vt_canvas_close(roads->canvas);
}

static void caption(const struct roads *roads, int height)
{
    bool time = roads->unit == VT_UNIT_NS;
    vt_chart_caption(roads->canvas, vt_canvas_head(roads->canvas), height,
                     roads->class ? roads->class : "Toll of one operation",
                     time ? "time per operation, with the 95 % interval of the median"
                          : "instructions per operation, simulated");
}

static void draw(struct roads *roads, const char *labels, FILE *stream)
{
    int row = roads->narrow ? 19 : 18, head = vt_canvas_head(roads->canvas);
    int height = (int)roads->count * row + 70 + head;
    vt_canvas_open(roads->canvas, roads->narrow ? WIDTH_NARROW : WIDTH, height, roads->narrow ? 12 : 13);
    fprintf(stream, "set lmargin at screen %g\nset rmargin at screen %g\nset bmargin 2\nset tmargin 2\n",
            roads->narrow ? LEFT_NARROW : LEFT, roads->narrow ? RIGHT_NARROW : RIGHT);
    set_axis(roads, "x", stream);
    if (!head) /* what is seen on a screen without its lower end has the axis above as well */
        set_axis(roads, "x2", stream);
    name_rows(roads, stream);
    fputs(labels, stream);
    fprintf(stream, "set grid xtics ytics lt 1 lw 1 lc %d\n", VT_CANVAS_GRID);
    caption(roads, height);
    plot(roads, stream);
}

void vt_chart_roads(const struct vt_canvas *canvas, const struct vt_chart *chart,
                    const struct vt_table *table)
{
    struct roads roads = {.canvas = canvas,
                          .table = table,
                          .unit = chart->unit,
                          .class = chart->class,
                          .from = chart->from,
                          .to = chart->to ? chart->to : vt_chart_lines(table),
                          .narrow = chart->kind == VT_CHART_ROADS_NARROW};
    char *labels = NULL;
    size_t size = 0;
    FILE *memory = vt_stream_memory(&labels, &size);
    roads.rows = calloc(vt_chart_lines(table) + 1, sizeof *roads.rows);
    if (memory && roads.rows) {
        measure_axis(&roads);
        place_rows(&roads, memory);
        if (fflush(memory) == 0)
            draw(&roads, labels, canvas->stream);
    }
    if (memory)
        fclose(memory);
    free(labels);
    free(roads.rows);
}
