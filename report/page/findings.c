#include "show/pen/markup.h"
#include "report/said.h"
#include "report/page/page.h"
#include "show/quantity.h"

#include <string.h>

enum { MAX_GROUPS = 64 };

/* A group that crossed nowhere tells nothing about crossing. */
static bool is_told(const struct vt_html *page, const struct vt_group *group, bool time)
{
    return group->crossing > VT_CROSSING_NONE &&
           (page->report->table->columns[group->column].unit == VT_UNIT_NS) == time;
}

static void put_group(struct vt_pen *pen, const struct vt_column *column, const struct vt_group *group)
{
    const char *crossing = vt_crossing_name(group->crossing);
    const double values[] = {group->median, group->low, group->high};
    char tolls[3][32], count[24];
    for (size_t i = 0; i < 3; i++)
        vt_quantity_print(values[i], column->unit, "µs", tolls[i], sizeof tolls[i]);
    snprintf(count, sizeof count, "%zu", group->count);
    vt_pen_row(pen, (const struct vt_pen_cell[]){
                        {.text = column->title, .note = column->subtitle},
                        {.text = tolls[0], .tone = VT_TONE_STRONG},
                        {.text = vt_crossing_style(crossing)->title,
                         .mark = crossing,
                         .note = vt_html_remark(column, group->crossing)},
                        {.text = tolls[1], .note = group->cheapest},
                        {.text = tolls[2], .note = group->dearest},
                        {.text = count},
                    });
}

/* Times and instructions never share a column. */
static void put_groups(const struct vt_html *page, bool time)
{
    static const struct vt_pen_column columns[] = {
        {"road", 0, false, NULL},    {"median", 0, true, NULL},  {"crossed by", 0, false, "crossing"},
        {"cheapest", 0, true, NULL}, {"dearest", 0, true, NULL}, {"cases", 0, true, NULL}};
    struct vt_pen pen = vt_pen_on(page->stream, &vt_pen_html, NULL);
    struct vt_group groups[MAX_GROUPS];
    size_t count = vt_finding_groups(page->report->table, groups, MAX_GROUPS), shown = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_told(page, &groups[i], time))
            continue;
        if (shown == 0 && !time)
            vt_pen_lead(&pen, "In instructions, simulated");
        if (shown++ == 0)
            vt_pen_table(&pen,
                         time ? "Crossings of each road, in time" : "Crossings of each road, in instructions",
                         columns, sizeof columns / sizeof columns[0]);
        put_group(&pen, &page->report->table->columns[groups[i].column], &groups[i]);
    }
    if (shown)
        vt_pen_end_table(&pen);
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
        vt_said_answers(vt_table_subject(table), &pen);
    }
    fputs("</section>\n", page->stream);
}
