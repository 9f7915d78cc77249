#include "show/pen/markup.h"
#include "report/said.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <string.h>

enum { MAX_GROUPS = 64 };

static void put_extreme(const struct vt_html *page, double value, enum vt_unit unit, const char *name)
{
    char text[32];
    vt_quantity_print(value, unit, "µs", text, sizeof text);
    vt_markup(page->stream, "<td class=\"number\">%s<br><small>%s</small></td>", text, name);
}

static void put_group(const struct vt_html *page, const struct vt_group *group)
{
    const struct vt_column *column = &page->report->table->columns[group->column];
    const char *crossing = vt_crossing_name(group->crossing);
    char text[32];
    vt_quantity_print(group->median, column->unit, "µs", text, sizeof text);
    vt_markup(page->stream,
              "<tr><th scope=\"row\">%s <small>%s</small></th><td class=\"crossing\"><span class=\"mark "
              "m-%s\" aria-hidden=\"true\">%s</span>%s</td><td class=\"number\"><b>%s</b></td>",
              column->title, column->subtitle, vt_page_mark_class(crossing),
              vt_crossing_style(crossing)->mark, vt_crossing_style(crossing)->title, text);
    put_extreme(page, group->low, column->unit, group->cheapest);
    put_extreme(page, group->high, column->unit, group->dearest);
    fprintf(page->stream, "<td class=\"number\">%zu</td>", group->count);
    fputs("</tr>\n", page->stream);
}

/* A group that crossed nowhere tells nothing about crossing. */
static bool is_told(const struct vt_html *page, const struct vt_group *group, bool time)
{
    return group->crossing > VT_CROSSING_NONE &&
           (page->report->table->columns[group->column].unit == VT_UNIT_NS) == time;
}

static void put_heads(const struct vt_html *page, bool time)
{
    static const char *const heads[] = {"Median", "Cheapest", "Dearest", "Cases"};
    fprintf(page->stream,
            "%s<div class=\"scroll\" role=\"region\" aria-label=\"Crossings of each road, in %s, scrolls "
            "sideways\" tabindex=\"0\">\n<table class=\"groups\"><caption class=\"quiet\">Crossings of each "
            "road, in %s</caption><thead><tr><th scope=\"col\">Road</th><th scope=\"col\">Crossed by</th>",
            time ? "" : "<h3>In instructions, simulated</h3>\n", time ? "time" : "instructions",
            time ? "time" : "instructions");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        fprintf(page->stream, "<th scope=\"col\" class=\"number\">%s</th>", heads[i]);
    fputs("</tr></thead>\n<tbody>\n", page->stream);
}

/* Times and instructions never share a column. */
static void put_groups(const struct vt_html *page, bool time)
{
    struct vt_group groups[MAX_GROUPS];
    size_t count = vt_finding_groups(page->report->table, groups, MAX_GROUPS), shown = 0;
    for (size_t i = 0; i < count; i++)
        if (is_told(page, &groups[i], time)) {
            if (shown++ == 0)
                put_heads(page, time);
            put_group(page, &groups[i]);
        }
    fputs(shown ? "</tbody></table>\n</div>\n" : "", page->stream);
}

void vt_html_findings(const struct vt_html *page)
{
    const struct vt_findings *findings = &page->report->findings;
    const struct vt_table *table = page->report->table;
    fputs("<section id=\"findings\"><h2>What the numbers say</h2>\n", page->stream);
    put_groups(page, true);
    put_groups(page, false);
    fputs(findings->remarks < findings->count ? "<ul class=\"findings\">\n" : "", page->stream);
    for (size_t i = findings->remarks; i < findings->count; i++) {
        vt_markup(page->stream, "<li>%s</li>\n", findings->lines[i]);
    }
    fputs(findings->remarks < findings->count ? "</ul>\n" : "", page->stream);
    if (table->result_count) {
        struct vt_pen pen = vt_pen_on(page->stream, &vt_pen_html, NULL);
        vt_pen_lead(&pen, "The machine, one question at a time");
        vt_said_answers(table->results[0], &pen);
    }
    fputs("</section>\n", page->stream);
}
