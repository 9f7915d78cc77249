#include "base/text.h"
#include "show/pen/markup.h"
#include "report/page/page.h"
#include "show/plot.h"
#include "show/svg.h"

#include <math.h>
#include <string.h>

static void put_key_entry(const struct vt_html *page, size_t k)
{
    const struct vt_column *column = &page->report->table->columns[k];
    fputs("<li>", page->stream);
    vt_svg_key(vt_chart_colour(column), vt_chart_point(column, false), page->stream);
    vt_markup(page->stream, "%s <small>%s</small></li>\n", column->title, column->subtitle);
}

static void put_key(const struct vt_html *page, enum vt_unit unit)
{
    const struct vt_table *table = page->report->table;
    fputs("<ul class=\"key\" aria-label=\"Symbols of the columns\">\n", page->stream);
    for (size_t k = 0; k < vt_chart_columns(table); k++)
        if (table->columns[k].measured && table->columns[k].unit == unit &&
            table->columns[k].rank < VT_CHART_SERIES)
            put_key_entry(page, k);
    fputs("</ul>\n", page->stream);
}

static void put_missing(const struct vt_html *page)
{
    vt_markup(page->stream,
              "<p class=\"missing\"><strong>The charts are missing:</strong> %s. Everything they would show "
              "is in the table.</p>\n",
              page->missing.text);
}

void vt_html_picture(const struct vt_html *page, const struct vt_chart *chart, const char *class,
                     const char *label)
{
    if (chart->picture)
        vt_svg_embed(chart->picture, label, class, NULL, NULL, page->stream);
}

static void put_road_chart(const struct vt_html *page, const struct vt_chart *wide,
                           const struct vt_chart *narrow)
{
    const struct vt_table *table = page->report->table;
    char label[320];
    snprintf(label, sizeof label,
             "Toll of each case from %.60s to %.60s on a logarithmic axis, one symbol per column with its "
             "interval; the table below holds the same numbers",
             table->lines[wide->from].name, table->lines[wide->to - 1].name);
    fputs("<figure class=\"roads\">\n", page->stream);
    vt_html_picture(page, wide, "wide", label);
    vt_html_picture(page, narrow, "narrow", label);
    fputs("</figure>\n", page->stream);
}

static bool leaves_out(const struct vt_table *table, enum vt_unit unit)
{
    for (size_t k = 0; k < table->column_count; k++)
        if (table->columns[k].unit == unit &&
            (k >= VT_CHART_COLUMNS || table->columns[k].rank >= VT_CHART_SERIES))
            return true;
    return false;
}

static void put_road_charts(const struct vt_html *page, enum vt_unit unit)
{
    bool time = unit == VT_UNIT_NS;
    size_t shown = 0;
    for (size_t i = 0; i + 1 < page->charts.count; i++) {
        const struct vt_chart *chart = &page->charts.list[i];
        if (chart->kind != VT_CHART_ROADS || chart->unit != unit)
            continue;
        if (shown++ == 0) {
            fputs(time ? "" : "<h3>In instructions, simulated</h3>\n", page->stream);
            put_key(page, unit);
        }
        put_road_chart(page, chart, chart + 1);
    }
    if (shown && leaves_out(page->report->table, unit))
        fprintf(
            page->stream,
            "<p class=\"caption\">The charts show the first %d columns of a unit; the table shows all.</p>\n",
            VT_CHART_SERIES);
    if (shown && page->report->table->line_count > VT_CHART_LINES)
        fprintf(page->stream,
                "<p class=\"caption\">The charts show the first %d cases; the table shows all.</p>\n",
                VT_CHART_LINES);
    if (shown)
        fprintf(
            page->stream,
            "<p class=\"caption\">%s per operation, logarithmic: each grid line is ten times the one before. "
            "Bars through the symbols are 95 %% intervals of the median (often narrower than the symbol). A "
            "hollow symbol is an unverified measurement. What cost less than the left edge sits on it.</p>\n",
            time ? "Time" : "Instructions");
}

void vt_html_roads(const struct vt_html *page)
{
    fputs("<section id=\"roads\"><h2>One instruction, several roads</h2>\n"
          "<p>Every line is one operation; every symbol is one way of running it. The further right, the "
          "more it costs. Where symbols lie together, the roads do not differ; a gap of one grid line is a "
          "factor of ten.</p>\n",
          page->stream);
    if (!page->drawn)
        put_missing(page);
    if (page->drawn) {
        put_road_charts(page, VT_UNIT_NS);
        put_road_charts(page, VT_UNIT_INSTRUCTIONS);
    }
    fputs("</section>\n", page->stream);
}

/* Less than a thousandth of a nanosecond, or of an instruction, is nothing. */
static double near(double toll)
{
    return fabs(toll) < 0.0005 ? 0 : toll;
}

static void put_distribution(const struct vt_html *page, const struct vt_chart *chart)
{
    const struct vt_table *table = page->report->table;
    const struct vt_line *line = &table->lines[chart->line];
    char label[1024];
    snprintf(label, sizeof label,
             "Distribution of %.60s: the median (the middle half; the 5th to the 95th percentile) in %s",
             line->name, vt_unit_name(chart->unit));
    for (size_t k = 0; k < vt_chart_columns(table); k++) {
        const struct vt_result_row *cell = line->cells[k];
        if (vt_chart_has_spread(table, chart->line, k, chart->unit))
            vt_text_append(label, sizeof label, "; %.70s %s %.3g (%.3g to %.3g; %.3g to %.3g)",
                           table->columns[k].title, vt_column_path(&table->columns[k]),
                           near(cell->toll.median), near(cell->toll.p25), near(cell->toll.p75),
                           near(cell->toll.p05), near(cell->toll.p95));
    }
    vt_markup(page->stream, "<figure class=\"spread\">\n<figcaption>%s", line->name);
    if (chart->axis == VT_AXIS_ABSOLUTE)
        fprintf(page->stream, " <small>in %s</small>", chart->unit == VT_UNIT_NS ? "time" : "instructions");
    else if (chart->unit != VT_UNIT_NS)
        fputs(" <small>instructions, simulated</small>", page->stream);
    fputs("</figcaption>\n", page->stream);
    vt_html_picture(page, chart, "", label);
    fputs("</figure>\n", page->stream);
}

static void put_class(const struct vt_html *page, size_t *i)
{
    const struct vt_table *table = page->report->table;
    const char *class = table->lines[page->charts.list[*i].line].class;
    vt_markup(page->stream, "<details class=\"spreads\"><summary>%s</summary>\n<div class=\"grid\">\n",
              class);
    for (; *i < page->charts.count && strcmp(table->lines[page->charts.list[*i].line].class, class) == 0;
         ++*i)
        if (page->charts.list[*i].picture)
            put_distribution(page, &page->charts.list[*i]);
    fputs("</div>\n</details>\n", page->stream);
}

/* One key per unit that is drawn: times and instructions share neither pictures nor symbols. */
static void put_keys(const struct vt_html *page, size_t first)
{
    for (enum vt_unit unit = 0; unit < VT_UNITS; unit++)
        for (size_t i = first; i < page->charts.count; i++)
            if (page->charts.list[i].unit == unit) {
                put_key(page, unit);
                break;
            }
}

void vt_html_distributions(const struct vt_html *page)
{
    size_t i = 0;
    while (i < page->charts.count && page->charts.list[i].kind != VT_CHART_DISTRIBUTION)
        i++;
    fputs("<section id=\"distributions\"><h2>How much one run differs from the next</h2>\n"
          "<p>A single number hides how steady it is. In each picture the curve climbs from 0 to 100 %: at "
          "any point of the axis it tells which share of the batches was at least that fast. A steep curve "
          "is a steady "
          "operation; a long slope to the right, now and then a slow one; steps, several ways of going. The "
          "bars above "
          "show the same: thick for the middle half, thin from the 5th to the 95th percentile, the symbol at "
          "the "
          "median. The axis is the distance from that column's own median; where a toll is near zero, or "
          "spreads as wide "
          "as it is large, it is the toll itself.</p>\n",
          page->stream);
    if (!page->drawn)
        put_missing(page);
    else if (i == page->charts.count)
        fputs("<p>The result holds no samples, so there is nothing to draw.</p>\n", page->stream);
    else
        put_keys(page, i);
    while (page->drawn && i < page->charts.count)
        put_class(page, &i);
    fputs("</section>\n", page->stream);
}
