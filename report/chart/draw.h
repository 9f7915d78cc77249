/*
 * Drawing what plan.h plans.
 */
#ifndef VT_REPORT_CHART_DRAW_H
#define VT_REPORT_CHART_DRAW_H

#include "report/chart/plan.h"
#include "show/canvas.h"

/*
 * The commands that draw `chart`. In a page, hover text n is that of the cell
 * n % columns of line n / columns.
 */
void vt_chart_script(const struct vt_canvas *canvas, const struct vt_chart *chart,
                     const struct vt_table *table);

/* Draw everything worth drawing. On failure there are no pictures and `error` says why; release all the same.
 */
int vt_chart_draw(struct vt_charts *charts, const struct vt_table *table, struct vt_error *error);

void vt_chart_release(struct vt_charts *charts);

#endif
