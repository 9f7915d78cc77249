/*
 * One operation on all roads, from the cheapest to the dearest: a picture for a slide.
 */
#include "report/chart/axis.h"
#include "show/plot.h"
#include "show/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABEL = 128, ROW = 26, WIDTH = 760 };

/* Room for the figure behind the longest bar, in decades. */
#define ROOM 1.1

struct rung {
    const struct vt_column *column;
    double toll;
};

struct ladder {
    const struct vt_canvas *canvas;
    enum vt_unit unit;
    struct rung rungs[VT_CHART_COLUMNS];
    size_t count;
    double low, high; /* of the axis */
};

static int by_toll(const void *a, const void *b)
{
    const struct rung *x = a, *y = b;
    return (x->toll > y->toll) - (x->toll < y->toll);
}

/* An unverified figure is on no slide. */
static void collect(struct ladder *ladder, const struct vt_table *table, size_t line)
{
    double least = INFINITY;
    for (size_t k = 0; k < vt_chart_columns(table); k++) {
        const struct vt_result_row *cell = table->lines[line].cells[k];
        if (!vt_chart_shows(table, line, k, ladder->unit) || cell->status != VT_STATUS_OK)
            continue;
        ladder->rungs[ladder->count++] = (struct rung){&table->columns[k], cell->toll.median};
        least = cell->toll.median > 0 ? fmin(least, cell->toll.median) : least;
        ladder->high = fmax(ladder->high, cell->toll.median);
    }
    qsort(ladder->rungs, ladder->count, sizeof ladder->rungs[0], by_toll);
    ladder->low = pow(10, floor(log10(fmax(fmin(least, 1e12), 0.1)) + 1e-9));
    ladder->high = fmax(ladder->high, 10 * ladder->low);
}

static void name_rungs(const struct ladder *ladder, FILE *stream)
{
    fprintf(stream, "set yrange [%.2f:-0.7]\nset ytics scale 0 (", (double)ladder->count - 0.3);
    for (size_t i = 0; i < ladder->count; i++) {
        char label[MAX_LABEL];
        vt_chart_label(ladder->rungs[i].column, label, sizeof label);
        fprintf(stream, "%s\"%s\" %zu", i ? ", " : "", label, i);
    }
    fputs(")\n", stream);
}

/* Columns: low end, toll, row, colour, text. */
static void put_rungs(const struct ladder *ladder, FILE *stream)
{
    fputs("$r << EOD\n", stream);
    for (size_t i = 0; i < ladder->count; i++) {
        char text[48];
        vt_quantity_print(ladder->rungs[i].toll, ladder->unit, "µs", text, sizeof text);
        fprintf(stream, "%.6g %.6g %zu %zu \"%s\"\n", ladder->low * 0.8,
                fmax(ladder->rungs[i].toll, ladder->low * 0.85), i, vt_chart_colour(ladder->rungs[i].column),
                text);
    }
    fputs("EOD\n", stream);
}

void vt_chart_ladder(const struct vt_canvas *canvas, const struct vt_chart *chart,
                     const struct vt_table *table)
{
    struct ladder ladder = {.canvas = canvas, .unit = chart->unit};
    char title[MAX_LABEL];
    collect(&ladder, table, chart->line);
    int head = vt_canvas_head(canvas), height = (int)ladder.count * ROW + 70 + head;
    vt_canvas_open(canvas, WIDTH, height, 13);
    fprintf(canvas->stream,
            "set lmargin at screen 0.24\nset rmargin at screen 0.97\nset bmargin 2\nset tmargin 2\n"
            "set logscale x\nset xrange [%g:%g]\nset format x ''\nset xtics scale 0\n",
            ladder.low * 0.8, ladder.high * pow(10, ROOM));
    name_rungs(&ladder, canvas->stream);
    vt_plot_label(table->lines[chart->line].name, title, sizeof title);
    vt_chart_caption(canvas, head, height, title,
                     chart->unit == VT_UNIT_NS ? "time per operation, logarithmic"
                                               : "instructions per operation, simulated, logarithmic");
    put_rungs(&ladder, canvas->stream);
    fputs(
        "plot $r using 2:3:1:2:($3-0.32):($3+0.32):4 with boxxyerror fs solid noborder lc variable notitle, "
        "$r using 2:3:5 with labels left offset 0.6,0 notitle",
        canvas->stream);
    vt_canvas_close(canvas);
}
