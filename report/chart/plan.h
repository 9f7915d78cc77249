/*
 * The pictures of a report, as gnuplot scripts and their results.
 *
 * Owns: what is drawn and how the numbers are thinned out for drawing. Does not
 * own: running gnuplot (plot.h), fitting pictures into a page (svg.h).
 */
#ifndef VT_REPORT_CHART_PLAN_H
#define VT_REPORT_CHART_PLAN_H

#include "base/error.h"
#include "report/table.h"

#include <stdbool.h>
#include <stddef.h>

enum vt_chart_kind {
    VT_CHART_ROADS,        /* toll per case, all columns of one unit, log axis */
    VT_CHART_ROADS_NARROW, /* the same for a phone */
    VT_CHART_PARTS,        /* what crossings are made of, on a linear axis from zero */
    VT_CHART_PARTS_NARROW, /* the same for a phone */
    VT_CHART_LADDER,       /* one case: every road by what it costs; for files */
    VT_CHART_DISTRIBUTION, /* one case: boxes and empirical distribution of its samples */
};

/* How a distribution is drawn. */
enum vt_chart_axis {
    VT_AXIS_RELATIVE, /* each column's samples as their distance from its median, in per cent */
    VT_AXIS_ABSOLUTE, /* in the unit of the samples: for tolls near zero, where a ratio means nothing */
};

struct vt_chart {
    enum vt_chart_kind kind;
    enum vt_unit unit; /* of the columns drawn; static */
    const char *class; /* VT_CHART_ROADS: of this class alone; NULL: of all. The table's. */
    size_t line;       /* VT_CHART_DISTRIBUTION, VT_CHART_LADDER */
    size_t from, to;   /* VT_CHART_ROADS: lines of the table; to is 0: all of them */
    enum vt_chart_axis axis;
    char *picture; /* gnuplot's SVG; NULL: not drawn */
};

struct vt_charts {
    struct vt_chart *list;
    size_t count;
};

/* Columns beyond this many, and beyond this many of one unit, and lines beyond this many are in the table,
 * not in the pictures. */
enum { VT_CHART_COLUMNS = 32, VT_CHART_SERIES = 8, VT_CHART_LINES = 1024, VT_CHART_COLOURS = 8 };

/* Series (from 0) whose colour a part of a crossing has. */
size_t vt_chart_part_series(enum vt_part part);

/* A column's colour, from 1, and its symbol: gnuplot's point type, full, or hollow for what is unverified. In
 * all pictures the same, and no two columns of a page share both. */
size_t vt_chart_colour(const struct vt_column *column);
int vt_chart_point(const struct vt_column *column, bool hollow);

/* Columns of the table that may be drawn: the first VT_CHART_COLUMNS. */
size_t vt_chart_columns(const struct vt_table *table);

/* Lines of the table that may be drawn: the first VT_CHART_LINES. */
size_t vt_chart_lines(const struct vt_table *table);

/* Is cell k of line i drawn in the roads charts? */
bool vt_chart_shows(const struct vt_table *table, size_t i, size_t k, enum vt_unit unit);

/* Is any cell of the class (NULL: of any class)? */
bool vt_chart_shows_class(const struct vt_table *table, const char *class, enum vt_unit unit);

/* Has it samples enough, in this unit, to draw their distribution? */
bool vt_chart_has_spread(const struct vt_table *table, size_t i, size_t k, enum vt_unit unit);

/* Add what a page shows, or one chart more. 0, or -ENOMEM; release in any case. */
int vt_chart_plan(struct vt_charts *charts, const struct vt_table *table);
int vt_chart_add(struct vt_charts *charts, struct vt_chart chart);

#endif
