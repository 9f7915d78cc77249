#include "report/page/page.h"
#include "base/stream.h"
#include "report/page/words.h"
#include "show/asset.h"
#include "report/chart/plan.h"
#include "show/pen/markup.h"
#include "report/format.h"
#include "report/functions.h"
#include "report/road.h"
#include "report/said.h"
#include "report/story/story.h"
#include "show/quantity.h"
#include "show/svg.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TILES = 6, MAX_GROUPS = 64 };

static const char *brand_of(const struct vt_table *table)
{
    const char *brand =
        table->result_count ? vt_result_host_text(vt_table_subject(table), "cpu.brand") : NULL;
    return brand ? brand : "an unknown processor";
}

static const char *host_of(const struct vt_table *table)
{
    return table->result_count ? vt_result_host_text(vt_table_subject(table), "system.hostname") : NULL;
}

static void put_head(const struct vt_html *page)
{
    char title[256];
    const char *host = host_of(page->report->table);
    snprintf(title, sizeof title, "What a crossing costs on %.100s%s%.100s", host ? host : "",
             host ? ", " : "", brand_of(page->report->table));
    vt_page_head(title, true, page->stream);
    fputs("<a class=\"skip\" href=\"#table\">Skip to the table</a>\n", page->stream);
    vt_svg_symbols(page->stream);
}

static void put_tile(const struct vt_html *page, const struct vt_group *group)
{
    const struct vt_column *column = &page->report->table->columns[group->column];
    const struct vt_crossing_style *style = vt_crossing_style(vt_crossing_name(group->crossing));
    char text[32];
    vt_quantity_print(group->median, column->unit, "µs", text, sizeof text);
    char *unit = strchr(text, ' ');
    vt_markup(
        page->stream,
        "<li class=\"tile\"><p class=\"what\"><span class=\"mark m-%s\">%s</span> %s</p><p "
        "class=\"big\">%.*s<small>%s</small></p><p class=\"where\">%s, median of %zu case%s%s</p></li>\n",
        style->name, style->mark, style->title, (int)(unit ? unit - text : 0), text, unit ? unit : "",
        column->title, group->count, group->count == 1 ? "" : "s", column->simulated ? ", simulated" : "");
}

static int weigh(const void *a, const void *b)
{
    const struct vt_group *x = a, *y = b;
    return (x->median < y->median) - (x->median > y->median);
}

/* One group per kind of crossing: the largest, and rather measured than simulated. */
static size_t keep_telling(const struct vt_table *table, struct vt_group *groups, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        if (groups[i].crossing <= VT_CROSSING_NONE || table->columns[groups[i].column].simulated)
            continue;
        while (k < kept && groups[k].crossing != groups[i].crossing)
            k++;
        if (k == kept || groups[i].count > groups[k].count)
            groups[k] = groups[i];
        kept += k == kept;
    }
    return kept;
}

static void put_group_tiles(const struct vt_html *page)
{
    struct vt_group groups[MAX_GROUPS];
    size_t count = vt_finding_groups(page->report->table, groups, MAX_GROUPS);
    count = keep_telling(page->report->table, groups, count);
    qsort(groups, count, sizeof *groups, weigh);
    for (size_t i = 0; i < count && i < MAX_TILES; i++)
        put_tile(page, &groups[i]);
}

/* One tile a road, over the same operations. False: there are not two roads of this unit. */
static bool put_road_tiles(const struct vt_html *page, enum vt_unit unit)
{
    struct vt_road_medians medians;
    if (!vt_road_compare(page->report->table, unit, &medians))
        return false;
    for (enum vt_road road = 0; road < VT_ROADS; road++) {
        if (!medians.there[road])
            continue;
        const struct vt_crossing_style *style = vt_crossing_style(vt_crossing_name(medians.crossing[road]));
        char text[32];
        vt_quantity_print(medians.median[road], unit, "µs", text, sizeof text);
        char *space = strchr(text, ' ');
        vt_markup(page->stream,
                  "<li class=\"tile\"><p class=\"what\">%s</p><p class=\"big\">%.*s<small>%s</small></p><p "
                  "class=\"where\">mostly <span class=\"mark m-%s\">%s</span> %s; median of the same %zu "
                  "operations%s</p></li>\n",
                  vt_road_title(road), (int)(space ? space - text : 0), text, space ? space : "", style->name,
                  style->mark, style->title, medians.cases, unit == VT_UNIT_NS ? "" : ", counted in the lab");
    }
    return true;
}

/* Which operations the medians of the tiles are over. */
static void put_common(const struct vt_html *page, enum vt_unit unit)
{
    const struct vt_table *table = page->report->table;
    struct vt_road_medians medians;
    size_t said = 0;
    if (!vt_road_compare(table, unit, &medians))
        return;
    vt_markup(page->stream, "<details class=\"common\"><summary>The same %zu operations%s</summary><p>",
              medians.cases, unit == VT_UNIT_NS ? "" : ", in the lab");
    for (size_t i = 0; i < table->line_count; i++)
        if (vt_road_is_common(table, &medians, &table->lines[i]))
            vt_markup(page->stream, "%s%s", said++ ? ", " : "", table->lines[i].name);
    fputs("</p></details>\n", page->stream);
}

static void put_tiles(const struct vt_html *page)
{
    bool told = false;
    fputs("<ul class=\"tiles\">\n", page->stream);
    for (enum vt_unit unit = 0; unit < VT_UNITS; unit++)
        told |= put_road_tiles(page, unit);
    if (!told)
        put_group_tiles(page);
    fputs("</ul>\n", page->stream);
    for (enum vt_unit unit = 0; unit < VT_UNITS; unit++)
        put_common(page, unit);
}

/* No line ends between a figure and its unit. */
static void put_headline(const char *text, const char *end, FILE *stream)
{
    for (const char *at = text; at < end; at++) {
        const char one[2] = {*at, '\0'};
        bool joint = *at == ' ' && at > text && isdigit((unsigned char)at[-1]);
        fputs(joint ? "&nbsp;" : "", stream);
        vt_markup(stream, "%s", joint ? "" : one);
    }
}

static void put_answer(const struct vt_html *page)
{
    const struct vt_findings *findings = &page->report->findings;
    const struct vt_table *table = page->report->table;
    fputs("<header>\n<p class=\"kicker\">What crossing into the hypervisor costs</p>\n", page->stream);
    vt_story_lead(table, page->report->screen.language, page->stream);
    fputs("<h1>", page->stream);
    const char *end = findings->headline + strlen(findings->headline),
               *second = strstr(findings->headline, ". ");
    put_headline(findings->headline, second ? second + 1 : end, page->stream);
    fputs("</h1>\n", page->stream);
    if (second) {
        fputs("<p class=\"second\">", page->stream);
        put_headline(second + 2, end, page->stream);
        fputs("</p>\n", page->stream);
    }
    vt_markup(page->stream, "<p class=\"subject\">Measured on %s", brand_of(table));
    if (table->result_count && vt_table_subject(table)->started) {
        fputs(", ", page->stream);
        vt_page_date(vt_table_subject(table)->started, page->stream);
    }
    if (table->result_count > 1)
        fprintf(page->stream, ", and %zu more result%s", table->result_count - 1,
                table->result_count == 2 ? "" : "s");
    fputs(".</p>\n", page->stream);
    put_tiles(page);
    fputs("</header>\n<nav aria-label=\"Sections\"><a href=\"#story\">Story</a><a "
          "href=\"#findings\">Findings</a><a href=\"#roads\">The "
          "roads</a><a href=\"#breakdown\">One crossing</a>",
          page->stream);
    fputs(vt_functions_rows(table) ? "<a href=\"#functions\">Functions</a>" : "", page->stream);
    fputs("<a href=\"#table\">Table</a><a href=\"#distributions\">Distributions</a><a "
          "href=\"#machine\">Machine</a>",
          page->stream);
    fputs(vt_html_is_audited(page) ? "<a href=\"#audit\">Audit</a>" : "", page->stream);
    fputs("<a href=\"#trust\">Evidence</a><a href=\"#method\">Method</a><a "
          "href=\"#glossary\">Glossary</a></nav>\n<main>\n",
          page->stream);
}

static void put_machine(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    struct vt_pen pen = vt_pen_on(page->stream, &vt_pen_html, NULL);
    fputs("<section id=\"machine\"><h2>The machine</h2>\n", page->stream);
    for (size_t i = 0; i < table->result_count; i++)
        vt_said_facts(table, table->results[i], &pen);
    fputs("</section>\n", page->stream);
}

static void put_published(const struct vt_html *page)
{
    struct vt_pen pen = vt_pen_on(page->stream, &vt_pen_html, NULL);
    fputs("<section id=\"published\">", page->stream);
    vt_said_published(page->report->published, &pen);
    fputs("</section>\n", page->stream);
}

static void put_foot(const struct vt_html *page)
{
    const struct vt_table *table = page->report->table;
    fwrite(vt_asset_method, 1, vt_asset_method_size, page->stream);
    vt_page_foot(table->result_count ? vt_table_subject(table)->version : NULL, true, page->stream);
}

static void put_sections(const struct vt_html *page)
{
    const struct vt_report *report = page->report;
    put_head(page);
    put_answer(page);
    vt_story_tell(report->table, report->screen.language, page->stream);
    vt_html_findings(page);
    vt_html_roads(page);
    vt_html_breakdown(page);
    vt_html_functions(page);
    vt_html_table(page);
    vt_html_distributions(page);
    put_machine(page);
    vt_html_audit(page);
    vt_html_evidence(page);
    if (report->published && report->published->count)
        put_published(page);
    put_foot(page);
}

int vt_report_html(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    char *text = NULL;
    size_t size = 0;
    struct vt_html page = {.report = report, .stream = vt_stream_memory(&text, &size)};
    if (!page.stream)
        return vt_error_memory(error, "the page");
    /* A page without charts says what is missing, and is a page all the same. */
    page.drawn = vt_chart_draw(&page.charts, report->table, &page.missing) == 0;
    put_sections(&page);
    vt_chart_release(&page.charts);
    int status = fclose(page.stream) == 0 ? 0 : vt_error_memory(error, "the page");
    if (status == 0)
        vt_page_link_words(text, stream);
    free(text);
    return status;
}
