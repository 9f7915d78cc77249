#include "fleet/format/format.h"
#include "result/save.h"

#include <math.h>

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *level_json(const struct vt_fleet_cell *cell)
{
    return cell->cpl < 0 ? json_null() : json_integer(cell->cpl);
}

static json_t *cell_json(const struct vt_fleet_cell *c)
{
    json_t *object = json_object();
    json_object_set_new(object, "group", text_or_null(c->group));
    json_object_set_new(object, "case", text_or_null(c->name));
    json_object_set_new(object, "class", text_or_null(c->class));
    json_object_set_new(object, "engine", text_or_null(c->engine));
    json_object_set_new(object, "path", text_or_null(c->path));
    json_object_set_new(object, "cpl", level_json(c));
    json_object_set_new(object, "unit", json_string(vt_unit_name(c->unit)));
    json_object_set_new(object, "simulated", json_boolean(c->simulated));
    json_object_set_new(object, "crossing", text_or_null(c->crossing));
    json_object_set_new(object, "status", json_string(vt_status_name(c->status)));
    json_object_set_new(object, "hosts", json_integer((json_int_t)c->count));
    json_object_set_new(object, "median", vt_result_number(c->median));
    json_object_set_new(object, "p25", vt_result_number(c->p25));
    json_object_set_new(object, "p75", vt_result_number(c->p75));
    json_object_set_new(object, "min", vt_result_number(c->low));
    json_object_set_new(object, "max", vt_result_number(c->high));
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
    json_object_set_new(object, "results", json_integer((json_int_t)host->results));
    json_object_set_new(object, "ratio", vt_result_number(exp(host->deviation)));
    json_object_set_new(object, "cases_far_off", json_integer((json_int_t)host->far));
    json_object_set_new(object, "cases", json_integer((json_int_t)host->measured));
    json_object_set_new(object, "explanation", *why ? json_string(why) : json_null());
    json_object_set_new(object, "facts", facts);
    return object;
}

static json_t *oddity_json(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity)
{
    char why[512];
    const struct vt_fleet_cell *first = oddity->cells[0];
    json_t *object = json_object(), *cases = json_array(), *hosts = json_array();
    vt_fleet_explain_oddity(fleet, oddity, why, sizeof why);
    for (size_t i = 0; i < oddity->cell_count; i++)
        json_array_append_new(cases, text_or_null(oddity->cells[i]->name));
    for (size_t i = 0; i < oddity->host_count; i++)
        json_array_append_new(hosts, json_pack("{s:o, s:o}", "host",
                                               text_or_null(fleet->hosts[oddity->hosts[i].host].name),
                                               "ratio", vt_result_number(oddity->hosts[i].ratio)));
    json_object_set_new(object, "group", text_or_null(first->group));
    json_object_set_new(object, "class", text_or_null(first->class));
    json_object_set_new(object, "cases", cases);
    json_object_set_new(object, "whole_class", json_boolean(oddity->whole_class));
    json_object_set_new(object, "engine", text_or_null(first->engine));
    json_object_set_new(object, "path", text_or_null(first->path));
    json_object_set_new(object, "cpl", level_json(first));
    json_object_set_new(object, "hosts", hosts);
    json_object_set_new(object, "of", json_integer((json_int_t)oddity->members));
    json_object_set_new(object, "explanation", *why ? json_string(why) : json_null());
    return object;
}

/* Names of all hosts but those that cross as most do. */
static json_t *way_json(const struct vt_fleet *fleet, const struct vt_fleet_split *split, size_t way)
{
    const struct vt_fleet_cell *cell = split->ways[way];
    char why[512] = "";
    json_t *object = json_object(), *names = way ? json_array() : json_null();
    for (size_t i = 0; way && i < cell->count; i++)
        json_array_append_new(names, text_or_null(fleet->hosts[cell->values[i].host].name));
    if (way)
        vt_fleet_explain_way(fleet, split, way, why, sizeof why);
    json_object_set_new(object, "crossing", text_or_null(cell->crossing));
    json_object_set_new(object, "path", text_or_null(cell->path));
    json_object_set_new(object, "status", json_string(vt_status_name(cell->status)));
    json_object_set_new(object, "hosts", json_integer((json_int_t)cell->count));
    json_object_set_new(object, "names", names);
    json_object_set_new(object, "explanation", *why ? json_string(why) : json_null());
    return object;
}

static json_t *split_json(const struct vt_fleet *fleet, const struct vt_fleet_split *split)
{
    const struct vt_fleet_cell *first = split->cases[0];
    json_t *object = json_object(), *cases = json_array(), *ways = json_array();
    for (size_t i = 0; i < split->case_count; i++)
        json_array_append_new(cases, text_or_null(split->cases[i]->name));
    for (size_t i = 0; i < split->way_count; i++)
        json_array_append_new(ways, way_json(fleet, split, i));
    json_object_set_new(object, "group", text_or_null(first->group));
    json_object_set_new(object, "cases", cases);
    json_object_set_new(object, "engine", text_or_null(first->engine));
    json_object_set_new(object, "cpl", level_json(first));
    json_object_set_new(object, "simulated", json_boolean(first->simulated));
    json_object_set_new(object, "ways", ways);
    return object;
}

static json_t *gap_json(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap)
{
    char why[512];
    json_t *object = json_object(), *cases = json_array(), *hosts = json_array();
    vt_fleet_explain_gap(fleet, gap, why, sizeof why);
    for (size_t i = 0; i < gap->case_count; i++)
        json_array_append_new(cases, json_pack("{s:o, s:o, s:o}", "case", text_or_null(gap->cases[i]->name),
                                               "engine", text_or_null(gap->cases[i]->engine), "cpl",
                                               level_json(gap->cases[i])));
    for (size_t i = 0; i < gap->host_count; i++)
        json_array_append_new(hosts, text_or_null(fleet->hosts[gap->hosts[i]].name));
    json_object_set_new(object, "group", text_or_null(gap->cases[0]->group));
    json_object_set_new(object, "cases", cases);
    json_object_set_new(object, "hosts", hosts);
    json_object_set_new(object, "of", json_integer((json_int_t)gap->members));
    json_object_set_new(object, "explanation", *why ? json_string(why) : json_null());
    return object;
}

/* One element of a list, or NULL: not in it. */
typedef json_t *element(const struct vt_fleet *fleet, size_t i);

static json_t *outlier_at(const struct vt_fleet *fleet, size_t i)
{
    return fleet->hosts[i].outlier ? outlier_json(fleet, &fleet->hosts[i]) : NULL;
}

static json_t *oddity_at(const struct vt_fleet *fleet, size_t i)
{
    return oddity_json(fleet, &fleet->oddities[i]);
}

static json_t *split_at(const struct vt_fleet *fleet, size_t i)
{
    return split_json(fleet, &fleet->splits[i]);
}

static json_t *gap_at(const struct vt_fleet *fleet, size_t i)
{
    return gap_json(fleet, &fleet->gaps[i]);
}

static json_t *mix_at(const struct vt_fleet *fleet, size_t i)
{
    const struct vt_fleet_mix *mix = &fleet->mixes[i];
    return json_pack("{s:o, s:o, s:o, s:I, s:I}", "group", text_or_null(mix->group), "fact",
                     text_or_null(mix->fact), "explains",
                     mix->fact ? vt_result_number(mix->share) : json_null(), "odd", (json_int_t)mix->odd,
                     "of", (json_int_t)mix->members);
}

static json_t *cell_at(const struct vt_fleet *fleet, size_t i)
{
    return cell_json(&fleet->cells[i]);
}

/* An element a line, each made and forgotten by itself: ten thousand groups have half a million cells. */
static void put_list(const struct vt_fleet *fleet, const char *key, element *make, size_t count, FILE *stream)
{
    bool first = true;
    fprintf(stream, ",\n \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        json_t *object = make(fleet, i);
        if (!object)
            continue;
        fputs(first ? "\n  " : ",\n  ", stream);
        first = false;
        json_dumpf(object, stream, JSON_REAL_PRECISION(15));
        json_decref(object);
    }
    fputs(first ? "]" : "\n ]", stream);
}

void vt_fleet_print_json(const struct vt_fleet *fleet, FILE *stream)
{
    fprintf(stream, "{\n \"schema\": \"vmtoll.fleet/1\",\n \"results\": %zu,\n \"hosts\": %zu",
            fleet->result_count, fleet->host_count);
    put_list(fleet, "outliers", outlier_at, fleet->host_count, stream);
    put_list(fleet, "mixtures", mix_at, fleet->mix_count, stream);
    put_list(fleet, "crossings", split_at, fleet->split_count, stream);
    put_list(fleet, "differences", oddity_at, fleet->oddity_count, stream);
    put_list(fleet, "gaps", gap_at, fleet->gap_count, stream);
    put_list(fleet, "measurements", cell_at, fleet->cell_count, stream);
    fputs("\n}\n", stream);
}
