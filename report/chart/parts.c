#include "report/breakdown.h"
#include "report/chart/axis.h"
#include "show/plot.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { MAX_LABEL = 48 };

/* Room right of the longest bar for its figure, as a share of it. */
#define ROOM 1.22

struct bars {
    const struct vt_canvas *canvas;
    const struct vt_table *table;
    struct vt_breakdown breakdown;
    enum vt_unit unit;
    bool narrow;
    double rows[VT_BREAKDOWN_MOST]; /* where each stands; NaN: not drawn */
    double count, high;
};

size_t vt_chart_part_series(enum vt_part part)
{
    static const size_t series[VT_PARTS] = {
        [VT_PART_BARE] = 2, [VT_PART_EMULATION] = 3, [VT_PART_KERNEL] = 5, [VT_PART_USER] = 1};
    return series[part];
}

static double total_of(const struct bars *bars, size_t i)
{
    const struct vt_crossing_parts *parts = &bars->breakdown.list[i];
    return bars->table->lines[parts->line].cells[parts->column]->toll.median;
}

/* A column takes a row of its own above its bars. */
static void place(struct bars *bars)
{
    size_t column = SIZE_MAX;
    for (size_t i = 0; i < bars->breakdown.count; i++) {
        const struct vt_crossing_parts *parts = &bars->breakdown.list[i];
        bars->rows[i] = NAN;
        if (bars->table->columns[parts->column].rank >= VT_CHART_SERIES ||
            bars->table->columns[parts->column].unit != bars->unit)
            continue;
        if (parts->column != column)
            bars->count += column == SIZE_MAX ? 1 : 1.35;
        column = parts->column;
        bars->rows[i] = bars->count++;
        bars->high = fmax(bars->high, total_of(bars, i));
    }
}

static void name_columns(const struct bars *bars, FILE *stream)
{
    char label[96];
    for (size_t i = 0; i < bars->breakdown.count; i++) {
        const struct vt_crossing_parts *parts = &bars->breakdown.list[i];
        if (isnan(bars->rows[i]) || (i > 0 && bars->breakdown.list[i - 1].column == parts->column))
            continue;
        vt_chart_label(&bars->table->columns[parts->column], label, sizeof label);
        fprintf(stream, "set label \"%s\" at screen 0.006, first %.2f left font 'sans-serif:Bold,%d'\n",
                label, bars->rows[i] - 1, bars->narrow ? 12 : 13);
    }
}

static void name_rows(const struct bars *bars, FILE *stream)
{
    const char *separator = "";
    fprintf(stream, "set yrange [%.2f:-0.7]\nset ytics scale 0 (", bars->count - 0.3);
    for (size_t i = 0; i < bars->breakdown.count; i++) {
        char label[MAX_LABEL];
        if (isnan(bars->rows[i]))
            continue;
        vt_plot_label(bars->table->lines[bars->breakdown.list[i].line].name, label, sizeof label);
        fprintf(stream, "%s\"%s\" %.2f", separator, label, bars->rows[i]);
        separator = ", ";
    }
    fputs(")\n", stream);
}

static void name_axis(const struct bars *bars, FILE *stream)
{
    bool time = bars->unit == VT_UNIT_NS;
    double step = vt_chart_step(bars->high * (bars->narrow ? 1.6 : 0.8));
    struct vt_scale scale = time ? vt_quantity_scale(bars->high) : (struct vt_scale){"", 1};
    const char *name = strcmp(scale.name, "us") == 0 ? "µs" : scale.name;
    fprintf(stream, "set xrange [0:%.6g]\nset xtics scale 0 (\"0\" 0", bars->high * ROOM);
    for (int i = 1; i * step <= bars->high * ROOM; i++)
        fprintf(stream, ", \"%g%s%s\" %.6g", i * step / scale.size, time ? " " : "", name, i * step);
    fputs(")\n", stream);
}

/* Columns: from, to, row. What the parts leave over is drawn hollow: nobody measured whose it is. */
static void put_part(const struct bars *bars, int wanted, FILE *stream)
{
    fprintf(stream, "$p%d << EOD\n", wanted);
    for (size_t i = 0; i < bars->breakdown.count; i++) {
        const struct vt_share *shares = bars->breakdown.list[i].shares;
        double from = 0, to = 0;
        if (isnan(bars->rows[i]))
            continue;
        for (int part = 0; part < wanted; part++)
            from += isfinite(shares[part].median) ? shares[part].median : 0;
        to = wanted == VT_PARTS ? total_of(bars, i) : from + shares[wanted].median;
        if (isfinite(to) && to - from > bars->high / 2000)
            fprintf(stream, "%.6g %.6g %.2f\n", from, to, bars->rows[i]);
    }
    fputs("EOD\n", stream);
}

static bool has_part(const struct bars *bars, int part)
{
    for (size_t i = 0; i < bars->breakdown.count; i++)
        if (!isnan(bars->rows[i]) && bars->breakdown.list[i].shares[part].asked &&
            isfinite(bars->breakdown.list[i].shares[part].median))
            return true;
    return false;
}

static void put_totals(const struct bars *bars, FILE *stream)
{
    fputs("$t << EOD\n", stream);
    for (size_t i = 0; i < bars->breakdown.count; i++) {
        char text[48];
        if (isnan(bars->rows[i]))
            continue;
        vt_quantity_print(total_of(bars, i), bars->unit, "µs", text, sizeof text);
        if (bars->unit != VT_UNIT_NS)
            *strchr(text, ' ') = '\0';
        fprintf(stream, "%.6g %.2f \"%s\"\n", total_of(bars, i), bars->rows[i], text);
    }
    fputs("EOD\n", stream);
}

static void plot(const struct bars *bars, FILE *stream)
{
    put_totals(bars, stream);
    for (int part = 0; part <= VT_PARTS; part++)
        put_part(bars, part, stream);
    fputs("plot $t using 1:2:3 with labels left offset 0.6,0", stream);
    for (int part = 0; part < VT_PARTS; part++)
        if (has_part(bars, part))
            fprintf(stream,
                    ", $p%d using 1:3:1:2:($3-0.3):($3+0.3) with boxxyerror fs solid noborder lc %zu title "
                    "\"%s\"",
                    part, vt_chart_part_series(part) + 1, vt_breakdown_title(part));
    fputs(", $p4 using 1:3:1:2:($3-0.3):($3+0.3) with boxxyerror fs empty border lt 1 notitle", stream);
    vt_canvas_close(bars->canvas);
}

void vt_chart_parts(const struct vt_canvas *canvas, const struct vt_chart *chart,
                    const struct vt_table *table)
{
    struct bars bars = {.canvas = canvas,
                        .table = table,
                        .unit = chart->unit,
                        .narrow = chart->kind == VT_CHART_PARTS_NARROW};
    bool time = chart->unit == VT_UNIT_NS;
    vt_breakdown_collect(&bars.breakdown, table);
    place(&bars);
    int height = (int)(bars.count * (bars.narrow ? 22 : 21)) + 60 + vt_canvas_head(canvas);
    vt_canvas_open(canvas, bars.narrow ? 380 : 940, height, bars.narrow ? 12 : 13);
    fprintf(canvas->stream,
            "set lmargin at screen %s\nset rmargin at screen %s\nset bmargin 2\nset tmargin 1\n"
            "set grid xtics lt 1 lw 1 lc %d\n",
            bars.narrow ? "0.36" : "0.2", bars.narrow ? "0.955" : "0.965", VT_CANVAS_GRID);
    name_axis(&bars, canvas->stream);
    name_rows(&bars, canvas->stream);
    name_columns(&bars, canvas->stream);
    vt_chart_caption(canvas, vt_canvas_head(canvas), height, "What a crossing is made of",
                     time ? "time per operation" : "instructions per operation, simulated");
    plot(&bars, canvas->stream);
}
