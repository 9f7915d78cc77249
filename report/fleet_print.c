#include "report/fleet_format.h"
#include "report/quantity.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { OUTLIERS_SHOWN = 50, ODD_SHOWN = 20 };

bool vt_fleet_starts_road(const struct vt_fleet *fleet, size_t i)
{
    const struct vt_fleet_cell *a = &fleet->cells[i], *b = a - 1;
    return i == 0 || strcmp(a->engine, b->engine) != 0 || a->cpl != b->cpl || a->simulated != b->simulated ||
           strcmp(a->path ? a->path : "", b->path ? b->path : "") != 0 || strcmp(a->unit, b->unit) != 0;
}

size_t vt_fleet_outliers(const struct vt_fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->host_count; i++)
        count += fleet->hosts[i].outlier;
    return count;
}

void vt_fleet_name_road(const struct vt_fleet_cell *cell, char *text, size_t size)
{
    char level[16] = "";
    if (cell->cpl >= 0)
        snprintf(level, sizeof level, " CPL %d", cell->cpl);
    snprintf(text, size, "%.60s%s, %.60s%s", cell->engine, level, cell->path ? cell->path : "unknown path",
             cell->simulated ? ", simulated" : "");
}

void vt_fleet_name_oddity(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity, char *text,
                          size_t size)
{
    const struct vt_fleet_cell *first = oddity->cells[0];
    char road[160];
    vt_fleet_name_road(first, road, sizeof road);
    snprintf(text, size, "%s%.60s on %s%s%.60s%s", oddity->whole_class ? "all of " : "",
             oddity->whole_class && first->class ? first->class : first->name, road,
             fleet->group_count > 1 ? " (" : "", fleet->group_count > 1 ? first->group : "",
             fleet->group_count > 1 ? ")" : "");
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

void vt_fleet_headline(const struct vt_fleet *fleet, char *text, size_t size)
{
    size_t outliers = vt_fleet_outliers(fleet);
    char hosts[64] = "", groups[64] = "", answer[128];
    if (fleet->host_count != fleet->result_count)
        snprintf(hosts, sizeof hosts, " of %zu host%s", fleet->host_count, plural(fleet->host_count));
    if (fleet->group_count > 1)
        snprintf(groups, sizeof groups, " in %zu groups", fleet->group_count);
    if (fleet->host_count < VT_FLEET_LEAST)
        snprintf(answer, sizeof answer, "; fewer than %d hosts do not tell which one stands out",
                 VT_FLEET_LEAST);
    else if (outliers == 0)
        snprintf(answer, sizeof answer, ", and no host stands out");
    else
        snprintf(answer, sizeof answer, "; %zu host%s out", outliers, outliers == 1 ? " stands" : "s stand");
    snprintf(text, size, "%zu result%s%s%s%s", fleet->result_count, plural(fleet->result_count), hosts,
             groups, answer);
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

static void put_head(const struct vt_fleet *fleet, FILE *stream)
{
    size_t outliers = vt_fleet_outliers(fleet), shown = 0;
    char headline[256];
    vt_fleet_headline(fleet, headline, sizeof headline);
    fprintf(stream, "%s%s\n", headline, outliers ? ":" : ".");
    for (size_t i = 0; i < fleet->host_count && shown < OUTLIERS_SHOWN; i++)
        if (fleet->hosts[i].outlier) {
            put_outlier(fleet, &fleet->hosts[i], stream);
            shown++;
        }
    if (outliers > shown)
        fprintf(stream, "  and %zu more (--format json names them)\n", outliers - shown);
    if (fleet->oddity_count)
        fputs("Single cases and classes that cost some hosts otherwise than the rest:\n", stream);
    for (size_t i = 0; i < fleet->oddity_count && i < OUTLIERS_SHOWN; i++)
        put_oddity(fleet, &fleet->oddities[i], stream);
    if (fleet->oddity_count > OUTLIERS_SHOWN)
        fprintf(stream, "  and %zu more (--format json names them)\n", fleet->oddity_count - OUTLIERS_SHOWN);
    if (fleet->shared_name)
        fprintf(stream, "Several machines are called '%s': they are told apart by file.\n",
                fleet->shared_name);
}

static void put_line(const struct vt_fleet_cell *cell, bool grouped, FILE *stream)
{
    char median[32], p25[32], p75[32], low[32], high[32];
    vt_quantity_print(cell->median, cell->unit, "us", median, sizeof median);
    vt_quantity_print(cell->p25, cell->unit, "us", p25, sizeof p25);
    vt_quantity_print(cell->p75, cell->unit, "us", p75, sizeof p75);
    vt_quantity_print(cell->low, cell->unit, "us", low, sizeof low);
    vt_quantity_print(cell->high, cell->unit, "us", high, sizeof high);
    fprintf(stream, "  %-22s %10s  %10s to %-10s %10s to %-10s %6zu", cell->name, median, p25, p75, low, high,
            cell->count);
    if (grouped)
        fprintf(stream, "  %s", cell->group);
    putc('\n', stream);
}

static void print_text(const struct vt_fleet *fleet, FILE *stream)
{
    char road[160];
    put_head(fleet, stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *cell = &fleet->cells[i];
        if (vt_fleet_starts_road(fleet, i)) {
            vt_fleet_name_road(cell, road, sizeof road);
            fprintf(stream, "\n%s\n  %-22s %10s  %24s %24s %6s%s\n", road, "CASE", "MEDIAN", "MIDDLE HALF",
                    "LEAST TO MOST", "HOSTS", fleet->group_count > 1 ? "  GROUP" : "");
        }
        put_line(cell, fleet->group_count > 1, stream);
    }
}

int vt_fleet_print(const struct vt_fleet *fleet, const char *format, FILE *stream, struct vt_error *error)
{
    static const struct {
        const char *name;
        void (*print)(const struct vt_fleet *fleet, FILE *stream);
    } formats[] = {
        {"text",        print_text             },
        {"csv",         vt_fleet_print_csv     },
        {"json",        vt_fleet_print_json    },
        {"html",        vt_fleet_print_html    },
        {"markdown",    vt_fleet_print_markdown},
        {"openmetrics", vt_fleet_print_metrics },
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, format) == 0) {
            formats[i].print(fleet, stream);
            return 0;
        }
    return vt_error_set(error, VT_EXIT_USAGE, ENOTSUP, "many results together are not shown as %s", format);
}
