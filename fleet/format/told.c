#include "fleet/format/told.h"
#include "fleet/format/words.h"

#include <math.h>

enum { NAMES_SHOWN = 20 };

static void put_more(struct vt_pen *pen, size_t count)
{
    if (count <= pen->marks->most)
        return;
    vt_pen_item(pen, 1);
    vt_pen_say(pen, "and %zu more (--format json names them)", count - pen->marks->most);
}

static void put_names(struct vt_pen *pen, const struct vt_fleet *fleet, const unsigned int *hosts,
                      size_t count)
{
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++) {
        vt_pen_say(pen, "%s", i ? ", " : "");
        vt_pen_tone(pen, VT_TONE_STRONG, "%s", fleet->hosts[hosts[i]].name);
    }
    if (count > NAMES_SHOWN)
        vt_pen_say(pen, " and %zu more", count - NAMES_SHOWN);
}

/* What tells some hosts from the others, behind what was said of them. */
static void put_why(struct vt_pen *pen, const char *joint, const char *why, const char *them)
{
    if (*why)
        vt_pen_say(pen, "%s %s", joint, why);
    else
        vt_pen_say(pen, "%s nothing known tells %s from the others", joint, them);
}

static void put_outliers(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    size_t shown = 0;
    char why[512];
    for (size_t i = 0; i < fleet->host_count && shown < pen->marks->most; i++) {
        const struct vt_fleet_host *host = &fleet->hosts[i];
        if (!host->outlier)
            continue;
        vt_pen_item(pen, 1);
        vt_pen_tone(pen, VT_TONE_STRONG, "%s", host->name);
        vt_pen_say(pen, ": %+.1f %% in the middle of its cases, %zu of %zu cases far off",
                   expm1(host->deviation) * 100, host->far, host->measured);
        vt_fleet_explain(fleet, host, why, sizeof why);
        put_why(pen, ";", why, "it");
        shown++;
    }
    put_more(pen, vt_fleet_outliers(fleet));
    vt_pen_end(pen);
}

static void put_mixes(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    char text[400];
    for (size_t i = 0; i < fleet->mix_count && i < pen->marks->most; i++) {
        vt_fleet_name_mix(fleet, &fleet->mixes[i], text, sizeof text);
        vt_pen_paragraph(pen, "%s", text);
    }
}

static void put_way(struct vt_pen *pen, const struct vt_fleet_deviation *deviation, bool usual)
{
    const struct vt_fleet_cell *cell = deviation->split->ways[usual ? 0 : deviation->way];
    char way[192];
    vt_fleet_name_way(deviation, usual, way, sizeof way);
    vt_pen_mark(pen, cell->crossing);
    vt_pen_tone(pen, usual ? VT_TONE_PLAIN : VT_TONE_STRONG, "%s", way);
    vt_pen_say(pen, usual ? " on %zu" : " on %zu host%s, ", cell->count, vt_fleet_plural(cell->count));
}

static void put_deviation(struct vt_pen *pen, const struct vt_fleet_deviation *deviation)
{
    char subject[640];
    vt_fleet_name_split(deviation->split, subject, sizeof subject);
    vt_pen_item(pen, 2);
    vt_pen_say(pen, "%s: ", subject);
    put_way(pen, deviation, false);
    put_way(pen, deviation, true);
}

static void put_minority(struct vt_pen *pen, const struct vt_fleet *fleet,
                         const struct vt_fleet_minority *minority)
{
    const struct vt_fleet_deviation *first = &minority->deviations[0];
    const struct vt_fleet_cell *cell = first->split->ways[first->way];
    unsigned int hosts[NAMES_SHOWN];
    char why[512];
    for (size_t i = 0; i < cell->count && i < NAMES_SHOWN; i++)
        hosts[i] = cell->values[i].host;
    vt_pen_item(pen, 1);
    put_names(pen, fleet, hosts, cell->count);
    if (fleet->group_count > 1)
        vt_pen_say(pen, " (%s)", cell->group);
    vt_fleet_explain_way(fleet, first->split, first->way, why, sizeof why);
    put_why(pen, ":", why, "them");
    for (size_t i = 0; i < minority->count; i++)
        put_deviation(pen, &minority->deviations[i]);
}

static void put_minorities(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    if (fleet->minority_count)
        vt_pen_lead(pen, "Hosts that cross cases otherwise than most (the figures of different crossings are "
                         "kept apart)");
    for (size_t i = 0; i < fleet->minority_count && i < pen->marks->most; i++)
        put_minority(pen, fleet, &fleet->minorities[i]);
    put_more(pen, fleet->minority_count);
    vt_pen_end(pen);
}

static void put_oddity(struct vt_pen *pen, const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity)
{
    char subject[256], why[512];
    vt_fleet_name_oddity(fleet, oddity, subject, sizeof subject);
    vt_fleet_explain_oddity(fleet, oddity, why, sizeof why);
    vt_pen_item(pen, 1);
    vt_pen_tone(pen, VT_TONE_STRONG, "%s", subject);
    vt_pen_say(pen, ": %zu of %zu hosts differ:", oddity->host_count, oddity->members);
    for (size_t i = 0; i < oddity->host_count && i < NAMES_SHOWN; i++)
        vt_pen_say(pen, "%s %s %+.1f %%", i ? "," : "", fleet->hosts[oddity->hosts[i].host].name,
                   (oddity->hosts[i].ratio - 1) * 100);
    if (oddity->host_count > NAMES_SHOWN)
        vt_pen_say(pen, " and %zu more", oddity->host_count - NAMES_SHOWN);
    put_why(pen, ";", why, "them");
}

static void put_oddities(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    if (fleet->oddity_count)
        vt_pen_lead(pen, "Single cases and classes that cost some hosts otherwise than the rest");
    for (size_t i = 0; i < fleet->oddity_count && i < pen->marks->most; i++)
        put_oddity(pen, fleet, &fleet->oddities[i]);
    put_more(pen, fleet->oddity_count);
    vt_pen_end(pen);
}

static void put_gap(struct vt_pen *pen, const struct vt_fleet *fleet, const struct vt_fleet_gap *gap)
{
    char subject[640], why[512];
    vt_fleet_name_gap(fleet, gap, subject, sizeof subject);
    vt_fleet_explain_gap(fleet, gap, why, sizeof why);
    vt_pen_item(pen, 1);
    put_names(pen, fleet, gap->hosts, gap->host_count);
    vt_pen_say(pen, " (%zu of %zu hosts): %s", gap->host_count, gap->members, subject);
    put_why(pen, ";", why, "them");
}

static void put_gaps(struct vt_pen *pen, const struct vt_fleet *fleet)
{
    if (fleet->gap_count)
        vt_pen_lead(pen, "Hosts without figures of cases that most have (their own results say why)");
    for (size_t i = 0; i < fleet->gap_count && i < pen->marks->most; i++)
        put_gap(pen, fleet, &fleet->gaps[i]);
    put_more(pen, fleet->gap_count);
    vt_pen_end(pen);
}

void vt_fleet_tell(const struct vt_fleet *fleet, struct vt_pen *pen)
{
    put_outliers(pen, fleet);
    put_mixes(pen, fleet);
    put_minorities(pen, fleet);
    put_oddities(pen, fleet);
    put_gaps(pen, fleet);
    if (fleet->shared_name)
        vt_pen_paragraph(pen, "Several machines are called '%s': they are told apart by file.",
                         fleet->shared_name);
}
