#include "show/escape.h"
#include "fleet/format/format.h"
#include "show/quantity.h"

#include <math.h>
#include <stdio.h>

enum { TOLD = 50, ODD_SHOWN = 12 };

static void put_host(const struct vt_fleet *fleet, size_t host, bool first, FILE *stream)
{
    fputs(first ? "**" : ", **", stream);
    vt_escape_markdown(fleet->hosts[host].name, stream);
    fputs("**", stream);
}

static void put_outliers(const struct vt_fleet *fleet, FILE *stream)
{
    size_t shown = 0;
    for (size_t i = 0; i < fleet->host_count; i++) {
        const struct vt_fleet_host *host = &fleet->hosts[i];
        char why[512];
        if (!host->outlier || shown++ >= TOLD)
            continue;
        vt_fleet_explain(fleet, host, why, sizeof why);
        fputs("- **", stream);
        vt_escape_markdown(host->name, stream);
        fprintf(stream, "**: %+.1f %% in the middle of its cases, %zu of %zu cases far off; ",
                expm1(host->deviation) * 100, host->far, host->measured);
        vt_escape_markdown(*why ? why : "nothing known tells it from the others", stream);
        putc('\n', stream);
    }
    if (shown > TOLD)
        fprintf(stream, "- and %zu more\n", shown - TOLD);
}

static void put_oddities(const struct vt_fleet *fleet, FILE *stream)
{
    for (size_t i = 0; i < fleet->oddity_count && i < TOLD; i++) {
        const struct vt_fleet_oddity *oddity = &fleet->oddities[i];
        char subject[256], why[512];
        vt_fleet_name_oddity(fleet, oddity, subject, sizeof subject);
        vt_fleet_explain_oddity(fleet, oddity, why, sizeof why);
        fputs("- **", stream);
        vt_escape_markdown(subject, stream);
        fprintf(stream, "**: %zu of %zu hosts differ:", oddity->host_count, oddity->members);
        for (size_t k = 0; k < oddity->host_count && k < ODD_SHOWN; k++) {
            fputs(k ? ", " : " ", stream);
            vt_escape_markdown(fleet->hosts[oddity->hosts[k].host].name, stream);
            fprintf(stream, " %+.1f %%", (oddity->hosts[k].ratio - 1) * 100);
        }
        if (oddity->host_count > ODD_SHOWN)
            fprintf(stream, " and %zu more", oddity->host_count - ODD_SHOWN);
        fputs("; ", stream);
        vt_escape_markdown(*why ? why : "nothing known tells them from the others", stream);
        putc('\n', stream);
    }
    if (fleet->oddity_count > TOLD)
        fprintf(stream, "- and %zu more\n", fleet->oddity_count - TOLD);
}

static void put_deviation(const struct vt_fleet_deviation *deviation, FILE *stream)
{
    const struct vt_fleet_split *split = deviation->split;
    char subject[640], usual[192], way[192];
    vt_fleet_name_split(split, subject, sizeof subject);
    vt_fleet_name_way(deviation, true, usual, sizeof usual);
    vt_fleet_name_way(deviation, false, way, sizeof way);
    fputs("  - ", stream);
    vt_escape_markdown(subject, stream);
    fputs(": **", stream);
    vt_escape_markdown(way, stream);
    fprintf(stream, "** on %zu, ", split->ways[deviation->way]->count);
    vt_escape_markdown(usual, stream);
    fprintf(stream, " on %zu\n", split->ways[0]->count);
}

static void put_minority(const struct vt_fleet *fleet, const struct vt_fleet_minority *minority, FILE *stream)
{
    const struct vt_fleet_deviation *first = &minority->deviations[0];
    const struct vt_fleet_cell *cell = first->split->ways[first->way];
    char why[512];
    vt_fleet_explain_way(fleet, first->split, first->way, why, sizeof why);
    fputs("- ", stream);
    for (size_t i = 0; i < cell->count && i < ODD_SHOWN; i++)
        put_host(fleet, cell->values[i].host, i == 0, stream);
    if (cell->count > ODD_SHOWN)
        fprintf(stream, " and %zu more", cell->count - ODD_SHOWN);
    if (fleet->group_count > 1) {
        fputs(" (", stream);
        vt_escape_markdown(cell->group, stream);
        putc(')', stream);
    }
    fputs(" cross otherwise than most; ", stream);
    vt_escape_markdown(*why ? why : "nothing known tells them from the others", stream);
    putc('\n', stream);
    for (size_t i = 0; i < minority->count; i++)
        put_deviation(&minority->deviations[i], stream);
}

static void put_mixes(const struct vt_fleet *fleet, FILE *stream)
{
    char text[400];
    for (size_t i = 0; i < fleet->mix_count && i < ODD_SHOWN; i++) {
        vt_fleet_name_mix(fleet, &fleet->mixes[i], text, sizeof text);
        fputs("- ", stream);
        vt_escape_markdown(text, stream);
        putc('\n', stream);
    }
}

static void put_minorities(const struct vt_fleet *fleet, FILE *stream)
{
    for (size_t i = 0; i < fleet->minority_count && i < TOLD; i++)
        put_minority(fleet, &fleet->minorities[i], stream);
    if (fleet->minority_count > TOLD)
        fprintf(stream, "- and %zu more\n", fleet->minority_count - TOLD);
}

static void put_gaps(const struct vt_fleet *fleet, FILE *stream)
{
    for (size_t i = 0; i < fleet->gap_count && i < ODD_SHOWN; i++) {
        const struct vt_fleet_gap *gap = &fleet->gaps[i];
        char subject[640], why[512];
        vt_fleet_name_gap(fleet, gap, subject, sizeof subject);
        vt_fleet_explain_gap(fleet, gap, why, sizeof why);
        fputs("- ", stream);
        for (size_t k = 0; k < gap->host_count && k < ODD_SHOWN; k++)
            put_host(fleet, gap->hosts[k], k == 0, stream);
        if (gap->host_count > ODD_SHOWN)
            fprintf(stream, " and %zu more", gap->host_count - ODD_SHOWN);
        fputs(" without figures of ", stream);
        vt_escape_markdown(subject, stream);
        fputs("; ", stream);
        vt_escape_markdown(*why ? why : "nothing known tells them from the others", stream);
        putc('\n', stream);
    }
    if (fleet->gap_count > ODD_SHOWN)
        fprintf(stream, "- and %zu more\n", fleet->gap_count - ODD_SHOWN);
}

static void put_line(const struct vt_fleet_cell *cell, bool grouped, FILE *stream)
{
    const double values[] = {cell->median, cell->p25, cell->p75, cell->low, cell->high};
    char text[5][32], crossing[96];
    for (size_t i = 0; i < 5; i++)
        vt_quantity_print(values[i], cell->unit, "µs", text[i], sizeof text[i]);
    fputs("| ", stream);
    vt_escape_markdown(cell->name, stream);
    vt_fleet_name_crossing(cell, crossing, sizeof crossing);
    fprintf(stream, " | %s | %s to %s | %s to %s | %zu | ", text[0], text[1], text[2], text[3], text[4],
            cell->count);
    vt_escape_markdown(crossing, stream);
    fputs(" |", stream);
    if (grouped) {
        putc(' ', stream);
        vt_escape_markdown(cell->group, stream);
        fputs(" |", stream);
    }
    putc('\n', stream);
}

void vt_fleet_print_markdown(const struct vt_fleet *fleet, FILE *stream)
{
    char text[320];
    bool grouped = fleet->group_count > 1;
    vt_fleet_headline(fleet, text, sizeof text);
    fprintf(stream, "**%s**\n", text);
    if (vt_fleet_outliers(fleet) || fleet->oddity_count || fleet->minority_count || fleet->gap_count ||
        fleet->mix_count)
        putc('\n', stream);
    put_outliers(fleet, stream);
    put_mixes(fleet, stream);
    put_minorities(fleet, stream);
    put_oddities(fleet, stream);
    put_gaps(fleet, stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        if (vt_fleet_starts_road(fleet, i)) {
            vt_fleet_name_road(&fleet->cells[i], text, sizeof text);
            fputs("\n### ", stream);
            vt_escape_markdown(text, stream);
            fprintf(stream,
                    "\n\n| case | median | middle half | least to most | hosts | crossing |%s\n| --- | ---: "
                    "| ---: | "
                    "---: | ---: | --- |%s\n",
                    grouped ? " group |" : "", grouped ? " --- |" : "");
        }
        put_line(&fleet->cells[i], grouped, stream);
    }
}
