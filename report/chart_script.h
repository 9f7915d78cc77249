/*
 * gnuplot scripts of single charts. Private to chart.c.
 */
#ifndef VT_REPORT_CHART_SCRIPT_H
#define VT_REPORT_CHART_SCRIPT_H

#include "report/chart.h"

#include <stdio.h>

/* The commands that draw `chart` into NUMBER.svg. Hover text n is the cell n % columns of line n / columns.
 */
void vt_chart_script(const struct vt_chart *chart, size_t number, const struct vt_table *table, FILE *stream);

#endif
