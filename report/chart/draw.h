/*
 * Drawing what plan.h plans.
 */
#ifndef VT_REPORT_CHART_DRAW_H
#define VT_REPORT_CHART_DRAW_H

#include "report/chart/plan.h"
#include "show/canvas.h"

enum { VT_CHART_NAME = 96 }; /* of a file, without extension */

/*
 * The commands that draw the charts on each medium, into files of these names; NULL: numbers. In a page,
 * hover text n is that of the cell n % columns of line n / columns. The caller's; NULL: no memory.
 */
char *vt_chart_script(const struct vt_charts *charts, const struct vt_table *table,
                      const enum vt_medium *media, size_t count, char (*names)[VT_CHART_NAME]);

/* Draw everything worth drawing. On failure there are no pictures and `error` says why; release all the same.
 */
int vt_chart_draw(struct vt_charts *charts, const struct vt_table *table, struct vt_error *error);

void vt_chart_release(struct vt_charts *charts);

#endif
