#include "report/fleet.h"
#include "report/quantity.h"
#include "report/save.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { OUTLIERS_SHOWN = 50 };

static bool starts_road(const struct vt_fleet *fleet, size_t i)
{
    const struct vt_fleet_cell *a = &fleet->cells[i], *b = a - 1;
    return i == 0 || strcmp(a->engine, b->engine) != 0 || a->cpl != b->cpl || a->simulated != b->simulated ||
           strcmp(a->path ? a->path : "", b->path ? b->path : "") != 0 || strcmp(a->unit, b->unit) != 0;
}

static size_t outliers_of(const struct vt_fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->host_count; i++)
        count += fleet->hosts[i].outlier;
    return count;
}

/* ---- text */

static void put_outlier(const struct vt_fleet *fleet, const struct vt_fleet_host *host, FILE *stream)
{
    char why[512];
    vt_fleet_explain(fleet, host, why, sizeof why);
    fprintf(stream, "  %-30s %+6.1f %% in the middle of its cases; %zu of %zu cases far off; %s\n",
            host->name, (exp(host->deviation) - 1) * 100, host->far, host->measured,
            *why ? why : "nothing known tells it from the others");
}

static void put_head(const struct vt_fleet *fleet, FILE *stream)
{
    size_t outliers = outliers_of(fleet), shown = 0;
    fprintf(stream, "%zu results", fleet->host_count);
    if (fleet->group_count > 1)
        fprintf(stream, " in %zu groups", fleet->group_count);
    if (outliers == 0)
        fputs(", and no host stands out.\n", stream);
    else
        fprintf(stream, "; %zu host%s out:\n", outliers, outliers == 1 ? " stands" : "s stand");
    for (size_t i = 0; i < fleet->host_count && shown < OUTLIERS_SHOWN; i++)
        if (fleet->hosts[i].outlier) {
            put_outlier(fleet, &fleet->hosts[i], stream);
            shown++;
        }
    if (outliers > shown)
        fprintf(stream, "  and %zu more (--format json names them)\n", outliers - shown);
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
    put_head(fleet, stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *cell = &fleet->cells[i];
        if (starts_road(fleet, i)) {
            fprintf(stream, "\n%s", cell->engine);
            if (cell->cpl >= 0)
                fprintf(stream, " CPL %d", cell->cpl);
            fprintf(stream, ", %s%s\n  %-22s %10s  %24s %24s %6s%s\n",
                    cell->path ? cell->path : "unknown path", cell->simulated ? ", simulated" : "", "CASE",
                    "MEDIAN", "MIDDLE HALF", "LEAST TO MOST", "HOSTS",
                    fleet->group_count > 1 ? "  GROUP" : "");
        }
        put_line(cell, fleet->group_count > 1, stream);
    }
}

/* ---- csv */

static void put_field(const char *text, FILE *stream)
{
    bool quoted = text && strpbrk(text, ",\"\r\n");
    for (fputs(quoted ? "\"" : "", stream); text && *text; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    fputs(quoted ? "\"," : ",", stream);
}

static void print_csv(const struct vt_fleet *fleet, FILE *stream)
{
    fputs("group,case,class,engine,path,unit,cpl,simulated,hosts,median,p25,p75,min,max\r\n", stream);
    for (size_t i = 0; i < fleet->cell_count; i++) {
        const struct vt_fleet_cell *c = &fleet->cells[i];
        const char *const texts[] = {c->group, c->name, c->class, c->engine, c->path, c->unit};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            put_field(texts[k], stream);
        if (c->cpl >= 0)
            fprintf(stream, "%d", c->cpl);
        fprintf(stream, ",%s,%zu,%.6g,%.6g,%.6g,%.6g,%.6g\r\n", c->simulated ? "true" : "false", c->count,
                c->median, c->p25, c->p75, c->low, c->high);
    }
}

/* ---- json */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *cell_json(const struct vt_fleet_cell *c)
{
    json_t *object = json_object();
    json_object_set_new(object, "group", text_or_null(c->group));
    json_object_set_new(object, "case", text_or_null(c->name));
    json_object_set_new(object, "class", text_or_null(c->class));
    json_object_set_new(object, "engine", text_or_null(c->engine));
    json_object_set_new(object, "path", text_or_null(c->path));
    json_object_set_new(object, "cpl", c->cpl < 0 ? json_null() : json_integer(c->cpl));
    json_object_set_new(object, "unit", json_string(c->unit));
    json_object_set_new(object, "simulated", json_boolean(c->simulated));
    json_object_set_new(object, "hosts", json_integer((json_int_t)c->count));
    json_object_set_new(object, "median", vt_report_number(c->median));
    json_object_set_new(object, "p25", vt_report_number(c->p25));
    json_object_set_new(object, "p75", vt_report_number(c->p75));
    json_object_set_new(object, "min", vt_report_number(c->low));
    json_object_set_new(object, "max", vt_report_number(c->high));
    return object;
}

static json_t *outlier_json(const struct vt_fleet *fleet, const struct vt_fleet_host *host)
{
    char why[512];
    json_t *object = json_object(), *facts = json_object();
    vt_fleet_explain(fleet, host, why, sizeof why);
    for (size_t i = 0; i < VT_FLEET_FACTS; i++)
        json_object_set_new(facts, vt_fleet_fact_names[i], text_or_null(host->facts[i]));
    json_object_set_new(object, "host", text_or_null(host->name));
    json_object_set_new(object, "group", text_or_null(host->group));
    json_object_set_new(object, "ratio", vt_report_number(exp(host->deviation)));
    json_object_set_new(object, "cases_far_off", json_integer((json_int_t)host->far));
    json_object_set_new(object, "cases", json_integer((json_int_t)host->measured));
    json_object_set_new(object, "explanation", *why ? json_string(why) : json_null());
    json_object_set_new(object, "facts", facts);
    return object;
}

static int print_json(const struct vt_fleet *fleet, FILE *stream, struct vt_error *error)
{
    json_t *cells = json_array(), *outliers = json_array();
    for (size_t i = 0; i < fleet->cell_count; i++)
        json_array_append_new(cells, cell_json(&fleet->cells[i]));
    for (size_t i = 0; i < fleet->host_count; i++)
        if (fleet->hosts[i].outlier)
            json_array_append_new(outliers, outlier_json(fleet, &fleet->hosts[i]));
    json_t *document = json_pack("{s:s, s:I, s:o, s:o}", "schema", "vmtoll.fleet/1", "results",
                                 (json_int_t)fleet->host_count, "outliers", outliers, "measurements", cells);
    int status = document ? json_dumpf(document, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : -1;
    json_decref(document);
    fputc('\n', stream);
    if (status != 0 && !ferror(stream))
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the report");
    return 0;
}

int vt_fleet_print(const struct vt_fleet *fleet, const char *format, FILE *stream, struct vt_error *error)
{
    if (strcmp(format, "text") == 0)
        print_text(fleet, stream);
    else if (strcmp(format, "csv") == 0)
        print_csv(fleet, stream);
    else if (strcmp(format, "json") == 0)
        return print_json(fleet, stream, error);
    else
        return vt_error_set(error, VT_EXIT_USAGE, ENOTSUP,
                            "many results together are shown as text, csv or json; for %s name at most eight",
                            format);
    return 0;
}
