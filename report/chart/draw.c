#include "report/chart/draw.h"
#include "base/stream.h"
#include "report/chart/axis.h"
#include "show/plot.h"

#include <errno.h>
#include <stdlib.h>

static void write_chart(const struct vt_canvas *canvas, const struct vt_chart *chart,
                        const struct vt_table *table)
{
    if (chart->kind == VT_CHART_DISTRIBUTION)
        vt_chart_spread(canvas, chart, table);
    else if (chart->kind == VT_CHART_PARTS || chart->kind == VT_CHART_PARTS_NARROW)
        vt_chart_parts(canvas, chart, table);
    else if (chart->kind == VT_CHART_LADDER)
        vt_chart_ladder(canvas, chart, table);
    else
        vt_chart_roads(canvas, chart, table);
}

char *vt_chart_script(const struct vt_charts *charts, const struct vt_table *table,
                      const enum vt_medium *media, size_t count, char (*names)[VT_CHART_NAME])
{
    char *script = NULL, number[24];
    size_t size = 0;
    FILE *stream = vt_stream_memory(&script, &size);
    if (!stream)
        return NULL;
    for (size_t m = 0; m < count; m++)
        for (size_t i = 0; i < charts->count; i++) {
            snprintf(number, sizeof number, "%zu", i);
            const struct vt_canvas canvas = {stream, media[m], names ? names[i] : number};
            write_chart(&canvas, &charts->list[i], table);
        }
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
        return vt_error_memory(error, "the charts");
    int status = vt_plot_run(script, pictures, charts->count, error);
    for (size_t i = 0; i < charts->count; i++)
        charts->list[i].picture = pictures[i];
    free(pictures);
    return status;
}

int vt_chart_draw(struct vt_charts *charts, const struct vt_table *table, struct vt_error *error)
{
    *charts = (struct vt_charts){0};
    int status = vt_chart_plan(charts, table);
    if (status)
        return vt_error_memory(error, "the charts");
    if (charts->count == 0)
        return 0;
    char *script = vt_chart_script(charts, table, (const enum vt_medium[]){VT_MEDIUM_PAGE}, 1, NULL);
    if (!script)
        return vt_error_memory(error, "the charts");
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
