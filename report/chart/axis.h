/*
 * gnuplot scripts of single charts. Private to this folder.
 */
#ifndef VT_REPORT_CHART_AXIS_H
#define VT_REPORT_CHART_AXIS_H

#include "show/canvas.h"
#include "report/chart/plan.h"

/* The kinds of chart. */
void vt_chart_roads(const struct vt_canvas *canvas, const struct vt_chart *chart,
                    const struct vt_table *table);
void vt_chart_parts(const struct vt_canvas *canvas, const struct vt_chart *chart,
                    const struct vt_table *table);
void vt_chart_spread(const struct vt_canvas *canvas, const struct vt_chart *chart,
                     const struct vt_table *table);
void vt_chart_ladder(const struct vt_canvas *canvas, const struct vt_chart *chart,
                     const struct vt_table *table);

/* A step of 1, 2 or 5 times a power of ten that divides the range into about four. */
double vt_chart_step(double range);

/* "kvm CPL 3", and the file where two have the same name; cleaned for gnuplot. */
void vt_chart_label(const struct vt_column *column, char *label, size_t size);

/* What a file needs and a page says in its own words: the title, and the name of the axis, as the last before
 * `plot`. */
void vt_chart_caption(const struct vt_canvas *canvas, int head, int height, const char *title,
                      const char *axis);

/* The key of the columns for which `drawn` is true: continues the `plot` command of a file. */
void vt_chart_key(const struct vt_canvas *canvas, const struct vt_table *table, const bool *drawn);

#endif
