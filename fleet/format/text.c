#include "fleet/format/format.h"
#include "show/quantity.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { OUTLIERS_SHOWN = 50, ODD_SHOWN = 20, GAPS_SHOWN = 10, CROSSING_WIDTH = 18 };

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void put_outlier(const struct vt_fleet *fleet, const struct vt_fleet_host *host, FILE *stream)
{
    char why[512];
    vt_fleet_explain(fleet, host, why, sizeof why);
    fprintf(stream, "  %-30s %+6.1f %% in the middle of its cases; %zu of %zu cases far off; %s\n",
            host->name, expm1(host->deviation) * 100, host->far, host->measured,
            *why ? why : "nothing known tells it from the others");
}

static void put_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, FILE *stream)
{
    char subject[256], why[512];
    vt_fleet_name_oddity(fleet, oddity, subject, sizeof subject);
    vt_fleet_explain_oddity(fleet, oddity, why, sizeof why);
    fprintf(stream, "  %s: %zu of %zu hosts differ:", subject, oddity->host_count, oddity->members);
    for (size_t i = 0; i < oddity->host_count && i < ODD_SHOWN; i++)
        fprintf(stream, "%s %s %+.1f %%", i ? "," : "", fleet->hosts[oddity->hosts[i].host].name,
                (oddity->hosts[i].ratio - 1) * 100);
    if (oddity->host_count > ODD_SHOWN)
        fprintf(stream, " and %zu more", oddity->host_count - ODD_SHOWN);
    fprintf(stream, "; %s\n", *why ? why : "nothing known tells them from the others");
}

static void put_names(const struct vt_fleet *fleet, const struct vt_fleet_cell *cell, FILE *stream)
{
    for (size_t i = 0; i < cell->count && i < ODD_SHOWN; i++)
        fprintf(stream, "%s%s", i ? ", " : "", fleet->hosts[cell->values[i].host].name);
    if (cell->count > ODD_SHOWN)
        fprintf(stream, " and %zu more", cell->count - ODD_SHOWN);
}

static void put_deviation(const struct vt_fleet_deviation *deviation, FILE *stream)
{
    const struct vt_fleet_split *split = deviation->split;
    char subject[640], usual[192], way[192];
    vt_fleet_name_split(split, subject, sizeof subject);
    vt_fleet_name_way(deviation, true, usual, sizeof usual);
    vt_fleet_name_way(deviation, false, way, sizeof way);
    fprintf(stream, "    %s: %s on %zu host%s, %s on %zu\n", subject, way, split->ways[deviation->way]->count,
            plural(split->ways[deviation->way]->count), usual, split->ways[0]->count);
}

static void put_minority(const struct vt_fleet *fleet, const struct vt_fleet_minority *minority, FILE *stream)
{
    const struct vt_fleet_deviation *first = &minority->deviations[0];
    char why[512];
    vt_fleet_explain_way(fleet, first->split, first->way, why, sizeof why);
    fputs("  ", stream);
    put_names(fleet, first->split->ways[first->way], stream);
    if (fleet->group_count > 1)
        fprintf(stream, " (%s)", first->split->ways[0]->group);
    fprintf(stream, ": %s\n", *why ? why : "nothing known tells them from the others");
    for (size_t i = 0; i < minority->count; i++)
        put_deviation(&minority->deviations[i], stream);
}

static void put_minorities(const struct vt_fleet *fleet, FILE *stream)
{
    if (fleet->minority_count)
        fputs("Hosts that cross cases otherwise than most (the figures of different crossings are kept "
              "apart):\n",
              stream);
    for (size_t i = 0; i < fleet->minority_count && i < OUTLIERS_SHOWN; i++)
        put_minority(fleet, &fleet->minorities[i], stream);
    if (fleet->minority_count > OUTLIERS_SHOWN)
        fprintf(stream, "  and %zu more (--format json names them)\n",
                fleet->minority_count - OUTLIERS_SHOWN);
}

static void put_gap(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap, FILE *stream)
{
    char subject[640], why[512];
    vt_fleet_name_gap(fleet, gap, subject, sizeof subject);
    vt_fleet_explain_gap(fleet, gap, why, sizeof why);
    fputs("  ", stream);
    for (size_t i = 0; i < gap->host_count && i < ODD_SHOWN; i++)
        fprintf(stream, "%s%s", i ? ", " : "", fleet->hosts[gap->hosts[i]].name);
    if (gap->host_count > ODD_SHOWN)
        fprintf(stream, " and %zu more", gap->host_count - ODD_SHOWN);
    fprintf(stream, " (%zu of %zu hosts): %s; %s\n", gap->host_count, gap->members, subject,
            *why ? why : "nothing known tells them from the others");
}

static void put_gaps(const struct vt_fleet *fleet, FILE *stream)
{
    if (fleet->gap_count)
        fputs("Hosts without figures of cases that most have (their own results say why):\n", stream);
    for (size_t i = 0; i < fleet->gap_count && i < GAPS_SHOWN; i++)
        put_gap(fleet, &fleet->gaps[i], stream);
    if (fleet->gap_count > GAPS_SHOWN)
        fprintf(stream, "  and %zu more (--format json names them)\n", fleet->gap_count - GAPS_SHOWN);
}

static void put_mixes(const struct vt_fleet *fleet, FILE *stream)
{
    char text[400];
    for (size_t i = 0; i < fleet->mix_count && i < ODD_SHOWN; i++) {
        vt_fleet_name_mix(fleet, &fleet->mixes[i], text, sizeof text);
        fprintf(stream, "%s\n", text);
    }
}

static void put_head(const struct vt_fleet *fleet, FILE *stream)
{
    size_t outliers = vt_fleet_outliers(fleet), shown = 0;
    char headline[320];
    vt_fleet_headline(fleet, headline, sizeof headline);
    fprintf(stream, "%s%s\n", headline, outliers ? ":" : ".");
    for (size_t i = 0; i < fleet->host_count && shown < OUTLIERS_SHOWN; i++)
        if (fleet->hosts[i].outlier) {
            put_outlier(fleet, &fleet->hosts[i], stream);
            shown++;
        }
    if (outliers > shown)
        fprintf(stream, "  and %zu more (--format json names them)\n", outliers - shown);
    put_mixes(fleet, stream);
    put_minorities(fleet, stream);
    if (fleet->oddity_count)
        fputs("Single cases and classes that cost some hosts otherwise than the rest:\n", stream);
    for (size_t i = 0; i < fleet->oddity_count && i < OUTLIERS_SHOWN; i++)
        put_oddity(fleet, &fleet->oddities[i], stream);
    if (fleet->oddity_count > OUTLIERS_SHOWN)
        fprintf(stream, "  and %zu more (--format json names them)\n", fleet->oddity_count - OUTLIERS_SHOWN);
    put_gaps(fleet, stream);
    if (fleet->shared_name)
        fprintf(stream, "Several machines are called '%s': they are told apart by file.\n",
                fleet->shared_name);
}

static void put_line(const struct vt_fleet_cell *cell, bool grouped, FILE *stream)
{
    char median[32], p25[32], p75[32], low[32], high[32], crossing[96];
    vt_quantity_print(cell->median, cell->unit, "us", median, sizeof median);
    vt_quantity_print(cell->p25, cell->unit, "us", p25, sizeof p25);
    vt_quantity_print(cell->p75, cell->unit, "us", p75, sizeof p75);
    vt_quantity_print(cell->low, cell->unit, "us", low, sizeof low);
    vt_quantity_print(cell->high, cell->unit, "us", high, sizeof high);
    vt_fleet_name_crossing(cell, crossing, sizeof crossing);
    fprintf(stream, "  %-22s %10s  %10s to %-10s %10s to %-10s %6zu  %-*s", cell->name, median, p25, p75, low,
            high, cell->count, grouped ? CROSSING_WIDTH : 0, crossing);
    if (grouped)
        fprintf(stream, "  %s", cell->group);
    putc('\n', stream);
}

void vt_fleet_print_text(const struct vt_fleet *fleet, FILE *stream)
{
    char road[160];
    put_head(fleet, stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *cell = &fleet->cells[i];
        if (vt_fleet_starts_road(fleet, i)) {
            vt_fleet_name_road(cell, road, sizeof road);
            fprintf(stream, "\n%s\n  %-22s %10s  %24s %24s %6s  %-*s%s\n", road, "CASE", "MEDIAN",
                    "MIDDLE HALF", "LEAST TO MOST", "HOSTS", fleet->group_count > 1 ? CROSSING_WIDTH : 0,
                    "CROSSING", fleet->group_count > 1 ? "  GROUP" : "");
        }
        put_line(cell, fleet->group_count > 1, stream);
    }
}
