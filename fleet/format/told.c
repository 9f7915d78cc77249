#include "fleet/format/format.h"
#include "fleet/format/html.h"
#include "show/page.h"

#include <math.h>

enum { TOLD = 200, ODD_SHOWN = 12, GAPS_SHOWN = 50 };

static void put_outliers(const struct vt_fleet *fleet, FILE *stream)
{
    size_t shown = 0;
    vt_page_table("Hosts that stand out", "class=\"told\"", stream);
    fputs("<thead><tr><th scope=\"col\">Host</th><th scope=\"col\" class=\"number\">Middle of its cases</th>"
          "<th scope=\"col\" class=\"number\">Cases far off</th><th scope=\"col\">What tells it from the "
          "others</th></tr></thead>\n<tbody>\n",
          stream);
    for (size_t i = 0; i < fleet->host_count && shown < TOLD; i++) {
        const struct vt_fleet_host *host = &fleet->hosts[i];
        char why[512];
        if (!host->outlier)
            continue;
        vt_fleet_explain(fleet, host, why, sizeof why);
        vt_page_text("<tr><th scope=\"row\">", host->name, "</th>", stream);
        fprintf(stream, "<td class=\"number\"><b>%+.1f %%</b></td><td class=\"number\">%zu of %zu</td>",
                expm1(host->deviation) * 100, host->far, host->measured);
        vt_page_text("<td>", *why ? why : "nothing known", "</td></tr>\n", stream);
        shown++;
    }
    fputs("</tbody></table></div>\n", stream);
    if (vt_fleet_outliers(fleet) > shown)
        fprintf(stream, "<p>And %zu more: <code>--format json</code> names them.</p>\n",
                vt_fleet_outliers(fleet) - shown);
}

static void put_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, FILE *stream)
{
    char subject[256], why[512];
    vt_fleet_name_oddity(fleet, oddity, subject, sizeof subject);
    vt_fleet_explain_oddity(fleet, oddity, why, sizeof why);
    vt_page_text("<tr><th scope=\"row\">", subject, "</th>", stream);
    fprintf(stream, "<td class=\"number\">%zu of %zu</td><td>", oddity->host_count, oddity->members);
    for (size_t i = 0; i < oddity->host_count && i < ODD_SHOWN; i++) {
        vt_page_text(i ? ", " : "", fleet->hosts[oddity->hosts[i].host].name, "", stream);
        fprintf(stream, " <b>%+.1f&nbsp;%%</b>", (oddity->hosts[i].ratio - 1) * 100);
    }
    if (oddity->host_count > ODD_SHOWN)
        fprintf(stream, " and %zu more", oddity->host_count - ODD_SHOWN);
    vt_page_text("</td><td>", *why ? why : "nothing known", "</td></tr>\n", stream);
}

static void put_oddities(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("<h3>Cases and classes that cost some hosts otherwise than the rest</h3>\n", stream);
    vt_page_table("Differences", "class=\"told\"", stream);
    fputs("<thead><tr><th scope=\"col\">Case</th><th scope=\"col\" class=\"number\">Hosts</th>"
          "<th scope=\"col\">Which, and how far from the median</th><th scope=\"col\">What tells them from "
          "the others</th></tr></thead>\n<tbody>\n",
          stream);
    for (size_t i = 0; i < fleet->oddity_count && i < TOLD; i++)
        put_oddity(fleet, &fleet->oddities[i], stream);
    fputs("</tbody></table></div>\n", stream);
    if (fleet->oddity_count > TOLD)
        fprintf(stream, "<p>And %zu more: <code>--format json</code> names them.</p>\n",
                fleet->oddity_count - TOLD);
}

static void put_way(const struct vt_fleet_deviation *deviation, bool usual, FILE *stream)
{
    const struct vt_fleet_cell *cell = deviation->split->ways[usual ? 0 : deviation->way];
    char name[192];
    vt_fleet_name_way(deviation, usual, name, sizeof name);
    fputs("<td>", stream);
    vt_page_mark(cell->crossing, stream);
    vt_page_text("", name, "", stream);
    fprintf(stream, " on <b>%zu</b></td>", cell->count);
}

static void put_deviation(const struct vt_fleet_deviation *deviation, FILE *stream)
{
    char subject[640];
    vt_fleet_name_split(deviation->split, subject, sizeof subject);
    vt_page_text("<tr><th scope=\"row\">", subject, "</th>", stream);
    put_way(deviation, false, stream);
    put_way(deviation, true, stream);
    fputs("</tr>\n", stream);
}

static void put_minority(const struct vt_fleet *fleet, const struct vt_fleet_minority *minority, FILE *stream)
{
    const struct vt_fleet_deviation *first = &minority->deviations[0];
    const struct vt_fleet_cell *cell = first->split->ways[first->way];
    char why[512];
    vt_fleet_explain_way(fleet, first->split, first->way, why, sizeof why);
    fputs("<tbody><tr class=\"hosts\"><th scope=\"rowgroup\" colspan=\"3\">", stream);
    for (size_t i = 0; i < cell->count && i < ODD_SHOWN; i++)
        vt_page_text(i ? ", " : "", fleet->hosts[cell->values[i].host].name, "", stream);
    if (cell->count > ODD_SHOWN)
        fprintf(stream, " and %zu more", cell->count - ODD_SHOWN);
    if (fleet->group_count > 1)
        vt_page_text(" (", cell->group, ")", stream);
    vt_page_text("<small>", *why ? why : "nothing known tells them from the others", "</small></th></tr>\n",
                 stream);
    for (size_t i = 0; i < minority->count; i++)
        put_deviation(&minority->deviations[i], stream);
    fputs("</tbody>\n", stream);
}

static void put_minorities(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("<h3>Hosts that cross cases otherwise than most</h3>\n", stream);
    vt_page_table("Crossings that differ", "class=\"told ways\"", stream);
    fputs("<thead><tr><th scope=\"col\">Cases</th><th scope=\"col\">These hosts</th>"
          "<th scope=\"col\">Most hosts</th></tr></thead>\n",
          stream);
    for (size_t i = 0; i < fleet->minority_count && i < TOLD; i++)
        put_minority(fleet, &fleet->minorities[i], stream);
    fputs("</table></div>\n", stream);
    if (fleet->minority_count > TOLD)
        fprintf(stream, "<p>And %zu more: <code>--format json</code> names them.</p>\n",
                fleet->minority_count - TOLD);
}

static void put_gap(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap, FILE *stream)
{
    char subject[640], why[512];
    vt_fleet_name_gap(fleet, gap, subject, sizeof subject);
    vt_fleet_explain_gap(fleet, gap, why, sizeof why);
    fputs("<tr><th scope=\"row\">", stream);
    for (size_t i = 0; i < gap->host_count && i < ODD_SHOWN; i++)
        vt_page_text(i ? ", " : "", fleet->hosts[gap->hosts[i]].name, "", stream);
    if (gap->host_count > ODD_SHOWN)
        fprintf(stream, " and %zu more", gap->host_count - ODD_SHOWN);
    fprintf(stream, "</th><td class=\"number\">%zu of %zu</td>", gap->host_count, gap->members);
    vt_page_text("<td>", subject, "</td>", stream);
    vt_page_text("<td>", *why ? why : "nothing known", "</td></tr>\n", stream);
}

static void put_gaps(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("<h3>Hosts without figures of cases that most have</h3>\n<p>The notes of their own results say "
          "why.</p>\n",
          stream);
    vt_page_table("Figures that are missing", "class=\"told\"", stream);
    fputs("<thead><tr><th scope=\"col\">Which</th><th scope=\"col\" class=\"number\">Hosts</th>"
          "<th scope=\"col\">Cases</th><th scope=\"col\">What tells them from the "
          "others</th></tr></thead>\n<tbody>\n",
          stream);
    for (size_t i = 0; i < fleet->gap_count && i < GAPS_SHOWN; i++)
        put_gap(fleet, &fleet->gaps[i], stream);
    fputs("</tbody></table></div>\n", stream);
    if (fleet->gap_count > GAPS_SHOWN)
        fprintf(stream, "<p>And %zu more: <code>--format json</code> names them.</p>\n",
                fleet->gap_count - GAPS_SHOWN);
}

void vt_fleet_html_told(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("<section id=\"told\"><h2>What stands out</h2>\n", stream);
    if (fleet->host_count < VT_FLEET_LEAST)
        fprintf(stream, "<p>Fewer than %d hosts do not tell which one stands out.</p>\n", VT_FLEET_LEAST);
    else if (vt_fleet_outliers(fleet) == 0 && fleet->mix_count == 0)
        fputs("<p>No host differs from the rest as a whole by more than chance explains.</p>\n", stream);
    else if (vt_fleet_outliers(fleet))
        put_outliers(fleet, stream);
    for (size_t i = 0; i < fleet->mix_count && i < TOLD; i++) {
        char text[400];
        vt_fleet_name_mix(fleet, &fleet->mixes[i], text, sizeof text);
        vt_page_text("<p>", text, "</p>\n", stream);
    }
    if (fleet->minority_count)
        put_minorities(fleet, stream);
    else if (fleet->host_count > 1)
        fputs("<p>Every case is crossed in the same way on all hosts of a group.</p>\n", stream);
    if (fleet->oddity_count)
        put_oddities(fleet, stream);
    else if (fleet->host_count >= VT_FLEET_LEAST)
        fputs("<p>No single case or class costs some hosts otherwise than the rest.</p>\n", stream);
    if (fleet->gap_count)
        put_gaps(fleet, stream);
    if (fleet->shared_name)
        vt_page_text("<p>Several machines are called <code>", fleet->shared_name,
                     "</code>: they are told apart by file.</p>\n", stream);
    fputs("</section>\n", stream);
}
