#include "report/chart/axis.h"
#include "show/plot.h"

#include <math.h>
#include <string.h>

double vt_chart_step(double range)
{
    double power = pow(10, floor(log10(range / 4))), steps = range / 4 / power;
    return power * (steps < 1.5 ? 1 : steps < 3.5 ? 2 : steps < 7.5 ? 5 : 10);
}

enum { BOTTOM = 46, LINE = 18 };

void vt_chart_caption(const struct vt_canvas *canvas, int head, int height, const char *title,
                      const char *axis)
{
    char label[96];
    if (canvas->medium == VT_MEDIUM_PAGE)
        return;
    vt_plot_label(title, label, sizeof label);
    fprintf(canvas->stream,
            "set tmargin at screen %.4f\nset bmargin at screen %.4f\nset xlabel \"%s\"\n"
            "set label \"%s\" at screen 0.5, screen %.4f center font 'sans-serif:Bold'\n"
            "set key at screen 0.5, screen %.4f center top horizontal Left reverse noautotitle samplen 1 "
            "width 1\n",
            1 - (double)head / height, (double)BOTTOM / height, axis, label, 1 - 0.7 * LINE / height,
            1 - 1.2 * LINE / height);
}

void vt_chart_label(const struct vt_column *column, char *label, size_t size)
{
    const char *file = column->shared_name ? strrchr(column->subtitle, ',') : NULL;
    char text[160];
    snprintf(text, sizeof text, "%s%s", column->title, file ? file : "");
    vt_plot_label(text, label, size);
}

static void put_key_entry(const struct vt_canvas *canvas, const struct vt_column *column)
{
    char label[160];
    vt_chart_label(column, label, sizeof label);
    fprintf(canvas->stream, ", keyentry with points pt %d ps 0.75 lc %zu title \"%s\"",
            vt_chart_point(column, false), vt_chart_colour(column), label);
}

void vt_chart_key(const struct vt_canvas *canvas, const struct vt_table *table, const bool *drawn)
{
    for (size_t k = 0; k < vt_chart_columns(table) && canvas->medium != VT_MEDIUM_PAGE; k++)
        if (drawn[k])
            put_key_entry(canvas, &table->columns[k]);
}
