#include "show/crossing.h"
#include "show/pen/markup.h"
#include "fleet/format/format.h"
#include "fleet/format/words.h"
#include "fleet/format/told.h"
#include "show/page.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { TOLD = 200, GROUPS_SHOWN = 24, STRIP = 120, STRIP_HEIGHT = 14 };
enum { KINDS = 64 }; /* ways to cross, verified or not: more than there are */

static void put_quantity(double value, enum vt_unit unit, FILE *stream)
{
    char text[32];
    vt_quantity_print(value, unit, "µs", text, sizeof text);
    fputs(text, stream);
}

static void put_tile(const char *what, size_t count, const char *where, FILE *stream)
{
    fprintf(
        stream,
        "<li class=\"tile\"><p class=\"what\">%s</p><p class=\"big\">%zu</p><p class=\"where\">%s</p></li>\n",
        what, count, where);
}

static void put_answer(const struct vt_fleet *fleet, FILE *stream)
{
    char headline[320];
    bool grouped = fleet->group_count > 1;
    vt_fleet_headline(fleet, headline, sizeof headline);
    vt_page_head(headline, true, stream);
    fputs("<a class=\"skip\" href=\"#table\">Skip to the table</a>\n<header>\n"
          "<p class=\"kicker\">What crossing into the hypervisor costs, on many machines</p>\n",
          stream);
    vt_markup(stream, "<h1>%s</h1>\n<ul class=\"tiles\">\n", headline);
    put_tile("Hosts", fleet->host_count,
             fleet->result_count == fleet->host_count ? "one result each" : "some measured more than once",
             stream);
    if (grouped)
        put_tile("Groups", fleet->group_count, "each is judged by itself", stream);
    put_tile("Hosts that stand out", vt_fleet_outliers(fleet), "in the middle of their cases", stream);
    put_tile("Crossings that differ", vt_fleet_split_cases(fleet), "cases that hosts cross in different ways",
             stream);
    put_tile("Differences", fleet->oddity_count, "cases or classes that are odd on some hosts", stream);
    fprintf(stream,
            "</ul>\n</header>\n<nav aria-label=\"Sections\"><a href=\"#told\">What stands out</a>%s<a "
            "href=\"#table\">Every number</a><a href=\"#method\">How it is judged</a></nav>\n<main>\n",
            grouped ? "<a href=\"#groups\">Groups</a>" : "");
}

static void put_group(struct vt_pen *pen, const struct vt_fleet *fleet, const char *group)
{
    size_t members = 0, outliers = 0;
    char counts[2][24];
    for (size_t i = 0; i < fleet->host_count; i++)
        if (fleet->hosts[i].group == group) {
            members++;
            outliers += fleet->hosts[i].outlier;
        }
    snprintf(counts[0], sizeof counts[0], "%zu", members);
    snprintf(counts[1], sizeof counts[1], "%zu", outliers);
    vt_pen_row(pen, (const struct vt_pen_cell[]){{.text = group}, {.text = counts[0]}, {.text = counts[1]}});
}

static void put_groups(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    static const struct vt_pen_column columns[] = {
        {"group", 0, false, NULL}, {"hosts", 0, true, NULL}, {"of these stand out", 0, true, NULL}};
    if (fleet->group_count < 2)
        return;
    fputs("<section id=\"groups\">", pen->stream);
    vt_pen_heading(pen, "Groups");
    vt_pen_table(pen, "Groups", columns, 3);
    for (size_t g = 0; g < fleet->group_count && g < TOLD; g++)
        put_group(pen, fleet, fleet->groups[g]);
    vt_pen_end_table(pen);
    if (fleet->group_count > TOLD)
        vt_pen_paragraph(pen, "And %zu more.", fleet->group_count - TOLD);
    fputs("</section>\n", pen->stream);
}

/* Where a ratio to the reference stands on a strip: half an octave below at the left end, above at the right.
 */
static double position(double value, double reference)
{
    double octaves = value > 0 ? log2(value / reference) : -1;
    return (fmax(-1, fmin(1, 2 * octaves)) + 1) * STRIP / 2;
}

static void put_odd_points(const struct vt_fleet *fleet, const struct vt_fleet_cell *cell, double reference,
                           FILE *stream)
{
    for (size_t i = 0; i < fleet->oddity_count; i++)
        for (size_t k = 0; k < fleet->oddities[i].cell_count; k++)
            for (size_t h = 0; fleet->oddities[i].cells[k] == cell && h < fleet->oddities[i].host_count; h++)
                fprintf(stream, "<circle class=\"odd\" cx=\"%.1f\" cy=\"%d\" r=\"2.5\"/>",
                        position(fleet->oddities[i].hosts[h].ratio * cell->median, reference),
                        STRIP_HEIGHT / 2);
}

static void put_strip(const struct vt_fleet *fleet, const struct vt_fleet_cell *cell, double reference,
                      FILE *stream)
{
    if (!(reference > 0) || !(cell->median > 0)) {
        fputs("<td class=\"absent\">–</td>", stream);
        return;
    }
    double p25 = position(cell->p25, reference), p75 = position(cell->p75, reference),
           middle = position(cell->median, reference);
    fprintf(
        stream,
        "<td><svg class=\"strip\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"middle half %+.1f %% to "
        "%+.1f %%, all %+.1f %% to %+.1f %%\"><path class=\"one\" d=\"M%d 0V%d\"/>",
        STRIP, STRIP_HEIGHT, (cell->p25 / cell->median - 1) * 100, (cell->p75 / cell->median - 1) * 100,
        (cell->low / cell->median - 1) * 100, (cell->high / cell->median - 1) * 100, STRIP / 2, STRIP_HEIGHT);
    fprintf(
        stream,
        "<path class=\"range\" d=\"M%.1f 7H%.1f\"/><rect class=\"half\" x=\"%.1f\" y=\"3\" width=\"%.1f\" "
        "height=\"8\"/><path class=\"middle\" d=\"M%.1f 1V13\"/>",
        position(cell->low, reference), position(cell->high, reference), p25 - 0.5, p75 - p25 + 1, middle);
    put_odd_points(fleet, cell, reference, stream);
    fputs("</svg></td>", stream);
}

static void put_span(double low, double high, const struct vt_fleet_cell *cell, FILE *stream)
{
    fprintf(stream, "<td class=\"number\" data-v=\"%.4g\">",
            cell->median > 0 ? (high - low) / cell->median : 0);
    put_quantity(low, cell->unit, stream);
    fputs(" to ", stream);
    put_quantity(high, cell->unit, stream);
    fputs("</td>", stream);
}

static void put_crossing(const struct vt_fleet_cell *cell, FILE *stream)
{
    size_t count;
    const struct vt_crossing_style *styles = vt_crossing_styles(&count),
                                   *style = vt_crossing_style(cell->crossing);
    size_t weight = *style->mark == '*' ? count : (size_t)(style - styles);
    char name[96];
    vt_fleet_name_crossing(cell, name, sizeof name);
    fprintf(stream, "<td class=\"crossing\" data-v=\"%zu\" data-x=\"%s\">", weight,
            vt_page_mark_class(cell->crossing));
    vt_page_mark(cell->crossing, stream);
    vt_markup(stream, "%s</td>", name);
}

/* The group stands with the case, which stays in sight when the table is scrolled sideways. */
static void put_line(const struct vt_fleet *fleet, const struct vt_fleet_cell *cell, double reference,
                     FILE *stream)
{
    vt_markup(stream, "<tr><th scope=\"row\">%s", cell->name);
    if (fleet->group_count > 1)
        vt_markup(stream, "<small>%s</small>", cell->group);
    fputs("</th>", stream);
    put_strip(fleet, cell, reference, stream);
    fprintf(stream, "<td class=\"number%s\" data-v=\"%.6g\"><b>",
            cell->status == VT_STATUS_OK ? "" : " unverified", cell->median);
    put_quantity(cell->median, cell->unit, stream);
    fputs("</b></td>", stream);
    put_span(cell->p25, cell->p75, cell, stream);
    put_span(cell->low, cell->high, cell, stream);
    fprintf(stream, "<td class=\"number\" data-v=\"%zu\">%zu</td>", cell->count, cell->count);
    put_crossing(cell, stream);
    fputs("</tr>\n", stream);
}

/* Its number among the groups shown, the largest first. */
static size_t group_of(const struct vt_fleet *fleet, const struct vt_fleet_cell *cell)
{
    size_t g = 0;
    while (g < fleet->group_count && g < GROUPS_SHOWN && fleet->groups[g] != cell->group)
        g++;
    return g;
}

/*
 * The measure of those cells of a case that cross alike: the median of the largest
 * group that has the case, since groups are shown beside one another.
 */
struct measure {
    const char *crossing;
    enum vt_status status;
    size_t group; /* its number among the groups shown */
    double median;
};

struct measures {
    struct measure list[KINDS];
    size_t count;
};

/* Texts are interned. NULL: there are more kinds than are told apart. */
static struct measure *find_measure(struct measures *measures, const struct vt_fleet_cell *cell)
{
    size_t i = 0;
    while (i < measures->count &&
           (measures->list[i].crossing != cell->crossing || measures->list[i].status != cell->status))
        i++;
    if (i == KINDS)
        return NULL;
    if (i == measures->count)
        measures->list[measures->count++] =
            (struct measure){cell->crossing, cell->status, GROUPS_SHOWN, cell->median};
    return &measures->list[i];
}

static bool starts_case(const struct vt_fleet *fleet, size_t i)
{
    return vt_fleet_starts_road(fleet, i) || fleet->cells[i - 1].name != fleet->cells[i].name;
}

/* Of the case whose cells begin with the first one. */
static void take_measures(const struct vt_fleet *fleet, size_t first, struct measures *measures)
{
    measures->count = 0;
    for (size_t i = first; i < fleet->cell_count && (i == first || !starts_case(fleet, i)); i++) {
        const struct vt_fleet_cell *cell = &fleet->cells[i];
        struct measure *measure = find_measure(measures, cell);
        size_t group = group_of(fleet, cell);
        if (measure && group < measure->group) {
            measure->group = group;
            measure->median = cell->median;
        }
    }
}

static void put_road(const struct vt_fleet_cell *cell, bool first, FILE *stream)
{
    char road[160];
    vt_fleet_name_road(cell, road, sizeof road);
    fputs(first ? "" : "</tbody>\n", stream);
    vt_markup(stream,
              "<tbody><tr class=\"class\"><th scope=\"rowgroup\" colspan=\"7\"><span>%s</span></th></tr>\n",
              road);
}

static void put_rows(const struct vt_fleet *fleet, FILE *stream)
{
    struct measures measures = {0};
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *cell = &fleet->cells[i];
        if (vt_fleet_starts_road(fleet, i))
            put_road(cell, i == 0, stream);
        if (starts_case(fleet, i))
            take_measures(fleet, i, &measures);
        const struct measure *measure = find_measure(&measures, cell);
        if (group_of(fleet, cell) < GROUPS_SHOWN)
            put_line(fleet, cell, measure ? measure->median : cell->median, stream);
    }
    fputs(fleet->cell_count ? "</tbody>\n" : "", stream);
}

static void put_table(const struct vt_fleet *fleet, FILE *stream)
{
    fputs(
        "<section id=\"table\"><h2>Every number</h2>\n<p>The toll is the net cost of one operation: a loop "
        "with it minus the same loop without it. Each host gives its median; the strip shows how these lie "
        "about "
        "the median of all hosts that cross alike (of the largest group, where there are several), from 0.7 "
        "times that at the left end to 1.4 times at the right: the bar holds the middle half, the line "
        "reaches from the least to the most, dots are hosts named above.</p>\n",
        stream);
    if (fleet->group_count > GROUPS_SHOWN)
        fprintf(stream, "<p>The %d largest groups are shown; <code>--format csv</code> has all %zu.</p>\n",
                GROUPS_SHOWN, fleet->group_count);
    if (fleet->cell_count == 0) {
        fputs("<p>The results hold no measurements.</p></section>\n", stream);
        return;
    }
    fputs("<div id=\"controls\"></div>\n", stream);
    vt_page_table("Tolls of all hosts", "id=\"tolls\" data-groups=\"Road\"", stream);
    fputs(
        "<thead><tr><th scope=\"col\">Case</th><th scope=\"col\">0.7 … 1 … 1.4 <small>times the "
        "median</small></th><th scope=\"col\" class=\"number\">Median</th><th scope=\"col\" class=\"number\">"
        "Middle half</th><th scope=\"col\" class=\"number\">Least to most</th><th scope=\"col\" "
        "class=\"number\">Hosts</th><th scope=\"col\">Crossing</th></tr></thead>\n",
        stream);
    put_rows(fleet, stream);
    fputs("</table></div>\n</section>\n", stream);
}

static void put_method(FILE *stream)
{
    fprintf(
        stream,
        "<section id=\"method\"><h2>How it is judged</h2>\n<p>What stands out differs by more than 5 %%, and "
        "by more than chance explains.</p>\n<ul>\n"
        "<li><strong>A host as a whole</strong> is judged by the median of its cases’ ratios to the median "
        "of its group, against the spread of that among hosts; or by many cases far off. It takes %d "
        "hosts.</li>\n"
        "<li><strong>A case or class</strong> on some hosts is told where chance would hardly put so many "
        "hosts so far off together. How often chance does that is counted in all other cases on all other "
        "hosts, since neighbours on a shared machine disturb single figures more often than any formula "
        "says.</li>\n"
        "<li><strong>What tells them apart</strong> are facts that most of those hosts have and hardly any "
        "other has. A fact is a trace, not a proof.</li>\n"
        "<li><strong>Crossings</strong> are proved by counters, so a single host that crosses otherwise is "
        "told. Figures of different crossings are never brought together, nor are those that are unverified: "
        "each has a line of its own.</li>\n"
        "<li>Several results of one host count once, with the median of their medians.</li>\n</ul>\n"
        "</section>\n",
        VT_FLEET_LEAST);
}

static void put_told(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    fputs("<section id=\"told\">", pen->stream);
    vt_pen_heading(pen, "What stands out");
    if (fleet->host_count < VT_FLEET_LEAST)
        vt_pen_paragraph(pen, "Fewer than %d hosts do not tell which one stands out.", VT_FLEET_LEAST);
    else if (vt_fleet_outliers(fleet) == 0 && fleet->mix_count == 0)
        vt_pen_paragraph(pen, "No host differs from the rest as a whole by more than chance explains.");
    if (fleet->minority_count == 0 && fleet->host_count > 1)
        vt_pen_paragraph(pen, "Every case is crossed in the same way on all hosts of a group.");
    if (fleet->oddity_count == 0 && fleet->host_count >= VT_FLEET_LEAST)
        vt_pen_paragraph(pen, "No single case or class costs some hosts otherwise than the rest.");
    vt_fleet_tell(fleet, pen);
    fputs("</section>\n", pen->stream);
}

void vt_fleet_print_html(const struct vt_fleet *fleet, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_html, NULL);
    put_answer(fleet, stream);
    put_told(&pen, fleet);
    put_groups(&pen, fleet);
    put_table(fleet, stream);
    put_method(stream);
    vt_page_foot(NULL, true, stream);
}
