#include "show/escape.h"
#include "report/host.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <string.h>

enum { MAX_GROUPS = 64 };

static void put_extreme(const struct vt_html *page, double value, const char *unit, const char *name)
{
    char text[32];
    vt_quantity_print(value, unit, "µs", text, sizeof text);
    fprintf(page->stream, "<td class=\"number\">%s<br><small>", text);
    vt_escape_html(name, page->stream);
    fputs("</small></td>", page->stream);
}

static void put_group(const struct vt_html *page, const struct vt_group *group)
{
    const struct vt_column *column = &page->report->table->columns[group->column];
    char text[32];
    vt_quantity_print(group->median, column->unit, "µs", text, sizeof text);
    fputs("<tr><th scope=\"row\">", page->stream);
    vt_escape_html(column->title, page->stream);
    fputs(" <small>", page->stream);
    vt_escape_html(column->subtitle, page->stream);
    fprintf(
        page->stream,
        "</small></th><td class=\"crossing\"><span class=\"mark m-%s\" aria-hidden=\"true\">%s</span>%s</td>"
        "<td class=\"number\"><b>%s</b></td>",
        vt_page_mark_class(group->crossing), vt_crossing_style(group->crossing)->mark,
        vt_crossing_style(group->crossing)->title, text);
    put_extreme(page, group->low, column->unit, group->cheapest);
    put_extreme(page, group->high, column->unit, group->dearest);
    fprintf(page->stream, "<td class=\"number\">%zu</td>", group->count);
    fputs("</tr>\n", page->stream);
}

/* A group that crossed nowhere tells nothing about crossing. */
static bool is_told(const struct vt_html *page, const struct vt_group *group, bool time)
{
    return group->crossing && strcmp(group->crossing, "none") != 0 &&
           (strcmp(page->report->table->columns[group->column].unit, "ns") == 0) == time;
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

static void put_verdict(const struct vt_html *page, const struct vt_verdict *verdict)
{
    fputs("<div><dt>", page->stream);
    vt_escape_html(verdict->question ? verdict->question : "", page->stream);
    fputs("</dt><dd>", page->stream);
    if (verdict->answer) {
        fputs("<strong>", page->stream);
        vt_escape_html(verdict->answer, page->stream);
        fputs("</strong>: ", page->stream);
    }
    vt_escape_html(verdict->text, page->stream);
    if (verdict->fix) {
        fputs("<br><span class=\"fix\">What to do: ", page->stream);
        vt_escape_html(verdict->fix, page->stream);
        fputs("</span>", page->stream);
    }
    fputs("</dd></div>\n", page->stream);
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
        fputs("<li>", page->stream);
        vt_escape_html(findings->lines[i], page->stream);
        fputs("</li>\n", page->stream);
    }
    fputs(findings->remarks < findings->count ? "</ul>\n" : "", page->stream);
    struct vt_verdict verdicts[VT_VERDICTS];
    size_t count = table->result_count ? vt_host_verdict(table->results[0], verdicts) : 0;
    if (count)
        fputs("<h3>The machine, one question at a time</h3>\n<dl class=\"verdicts\">\n", page->stream);
    for (size_t i = 0; i < count; i++)
        put_verdict(page, &verdicts[i]);
    fputs(count ? "</dl></section>\n" : "</section>\n", page->stream);
}
