#include "report/breakdown.h"
#include "show/pen/markup.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { MAX_REASONS = 32 };

/* Why parts are unknown, each reason once. */
struct reasons {
    const char *list[MAX_REASONS];
    size_t count;
    enum vt_unit unit; /* of the table they belong to: part of their names in the page */
};

/* From 1; 0: there is no room for another. */
static size_t number_of(struct reasons *reasons, const char *reason)
{
    for (size_t i = 0; i < reasons->count; i++)
        if (strcmp(reasons->list[i], reason) == 0)
            return i + 1;
    if (reasons->count == MAX_REASONS)
        return 0;
    reasons->list[reasons->count++] = reason;
    return reasons->count;
}

static void put_reasons(const struct vt_html *page, const struct reasons *reasons)
{
    if (reasons->count == 0)
        return;
    fputs("<ol class=\"notes\">\n", page->stream);
    for (size_t i = 0; i < reasons->count; i++) {
        vt_markup(page->stream, "<li id=\"gap-%s-%zu\">%s</li>\n", vt_unit_name(reasons->unit), i + 1,
                  reasons->list[i]);
    }
    fputs("</ol>\n", page->stream);
}

static void put_share(const struct vt_html *page, const struct vt_share *share, enum vt_unit unit,
                      struct reasons *reasons)
{
    char text[64];
    if (!share->asked) {
        fputs("<td></td>", page->stream);
    } else if (isfinite(share->median)) {
        vt_quantity_print_interval(share->median, share->half, unit, "µs", text, sizeof text);
        vt_markup(page->stream, "<td><b>%s</b><br><small>%s</small></td>", text, share->source);
    } else {
        size_t number = number_of(reasons, share->source);
        fprintf(page->stream,
                "<td class=\"absent\">– <a class=\"note\" href=\"#gap-%s-%zu\" aria-label=\"not measured, "
                "reason %zu\">[%zu]</a></td>",
                vt_unit_name(reasons->unit), number, number, number);
    }
}

static void put_row(const struct vt_html *page, const struct vt_crossing_parts *parts,
                    struct reasons *reasons)
{
    const struct vt_table *table = page->report->table;
    const struct vt_result_row *cell = table->lines[parts->line].cells[parts->column];
    vt_markup(page->stream, "<tr><th scope=\"row\">%s</th><td class=\"number\"><b>",
              table->lines[parts->line].name);
    vt_html_toll(cell, page->stream);
    fputs("</b></td>", page->stream);
    for (int part = 0; part < VT_PARTS; part++)
        put_share(page, &parts->shares[part], table->columns[parts->column].unit, reasons);
    fputs("</tr>\n", page->stream);
}

static void put_heads(const struct vt_html *page, enum vt_unit unit)
{
    vt_page_table(unit == VT_UNIT_NS
                      ? "Parts of a crossing, in time, and the rows each was computed from"
                      : "Parts of a crossing, in instructions, and the rows each was computed from",
                  "class=\"parts\"", page->stream);
    fputs("<thead><tr><th scope=\"col\">Case</th><th scope=\"col\" class=\"number\">Toll</th>", page->stream);
    for (int part = 0; part < VT_PARTS; part++)
        fprintf(page->stream, "<th scope=\"col\">%c%s</th>", vt_breakdown_title(part)[0] - 'a' + 'A',
                vt_breakdown_title(part) + 1);
    fputs("</tr></thead>\n", page->stream);
}

static void put_column(const struct vt_html *page, const struct vt_column *column, bool first)
{
    fprintf(page->stream, "%s<tbody><tr class=\"class\"><th scope=\"rowgroup\" colspan=\"%d\"><span>",
            first ? "" : "</tbody>\n", VT_PARTS + 2);
    vt_markup(page->stream, "%s <small>%s</small></span></th></tr>\n", column->title, column->subtitle);
}

/* Times and instructions never share a column. */
static void put_table(const struct vt_html *page, const struct vt_breakdown *breakdown, enum vt_unit unit)
{
    const struct vt_table *table = page->report->table;
    struct reasons reasons = {.unit = unit};
    size_t column = SIZE_MAX;
    put_heads(page, unit);
    for (size_t i = 0; i < breakdown->count; i++) {
        const struct vt_crossing_parts *parts = &breakdown->list[i];
        if (table->columns[parts->column].unit != unit)
            continue;
        if (parts->column != column)
            put_column(page, &table->columns[parts->column], column == SIZE_MAX);
        column = parts->column;
        put_row(page, parts, &reasons);
    }
    fputs("</tbody></table>\n</div>\n", page->stream);
    put_reasons(page, &reasons);
}

static void put_key(const struct vt_html *page)
{
    fputs("<ul class=\"key\" aria-label=\"Colours of the parts\">\n", page->stream);
    for (int part = 0; part < VT_PARTS; part++)
        fprintf(page->stream,
                "<li><svg class=\"keymark\" viewBox=\"-2 -2 4 4\" aria-hidden=\"true\" "
                "style=\"color:var(--s%zu)\"><rect x=\"-2\" y=\"-1.4\" width=\"4\" height=\"2.8\" "
                "fill=\"currentColor\"/></svg>%s</li>\n",
                vt_chart_part_series(part) + 1, vt_breakdown_title(part));
    fputs("</ul>\n", page->stream);
}

static void put_chart(const struct vt_html *page, const struct vt_chart *wide, const struct vt_chart *narrow)
{
    static const char label[] =
        "Bars of what each crossing is made of, one after the other: the bare crossing, emulation, the "
        "kernel, user space; the table below holds the same numbers";
    fputs("<figure class=\"breakdown\">\n", page->stream);
    vt_html_picture(page, wide, "wide", label);
    vt_html_picture(page, narrow, "narrow", label);
    fprintf(page->stream,
            "<figcaption>%s per operation, from zero: lengths can be compared. A hollow end is what no row "
            "tells apart.</figcaption>\n</figure>\n",
            wide->unit == VT_UNIT_NS ? "Time" : "Instructions");
}

static void put_unit(const struct vt_html *page, const struct vt_breakdown *breakdown, enum vt_unit unit)
{
    const struct vt_table *table = page->report->table;
    size_t count = 0;
    for (size_t i = 0; i < breakdown->count; i++)
        count += table->columns[breakdown->list[i].column].unit == unit;
    if (count == 0)
        return;
    if (unit != VT_UNIT_NS)
        fputs("<h3>In instructions, simulated</h3>\n", page->stream);
    for (size_t i = 0; page->drawn && i + 1 < page->charts.count; i++)
        if (page->charts.list[i].kind == VT_CHART_PARTS && page->charts.list[i].unit == unit)
            put_chart(page, &page->charts.list[i], &page->charts.list[i + 1]);
    put_table(page, breakdown, unit);
}

void vt_html_breakdown(const struct vt_html *page)
{
    struct vt_breakdown breakdown;
    vt_breakdown_collect(&breakdown, page->report->table);
    fputs("<section id=\"breakdown\"><h2>Where the time of one crossing goes</h2>\n", page->stream);
    if (breakdown.count == 0) {
        fprintf(page->stream, "<p>%s</p></section>\n", vt_breakdown_absence());
        return;
    }
    fputs("<p>A crossing that costs much may be a slow way out of the guest, or much work on the other side. "
          "Each part is the difference of two rows measured here, named below the figure; what no row tells "
          "is left "
          "open.</p>\n",
          page->stream);
    if (page->drawn)
        put_key(page);
    put_unit(page, &breakdown, VT_UNIT_NS);
    put_unit(page, &breakdown, VT_UNIT_INSTRUCTIONS);
    fputs("</section>\n", page->stream);
}
