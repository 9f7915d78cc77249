#include "fleet/format/format.h"
#include "result/save.h"

#include <math.h>

static json_t *level_json(const struct vt_fleet_cell *cell)
{
    return cell->cpl < 0 ? json_null() : json_integer(cell->cpl);
}

/* An explanation, or that there is none. */
static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static json_t *cell_json(const struct vt_fleet_cell *c)
{
    return json_pack(
        "{s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:i, s:s, s:b, s:s?, s:s, s:I, s:o, s:o, s:o, s:o, s:o}",
        "group", c->group, "case", c->name, "class", c->class, "engine", c->engine, "path", c->path, "cpl",
        level_json(c), "vcpus", c->vcpus, "unit", vt_unit_name(c->unit), "simulated", c->simulated,
        "crossing", c->crossing, "status", vt_status_name(c->status), "hosts", (json_int_t)c->count, "median",
        vt_result_number(c->median), "p25", vt_result_number(c->p25), "p75", vt_result_number(c->p75), "min",
        vt_result_number(c->low), "max", vt_result_number(c->high));
}

static json_t *outlier_json(const struct vt_fleet *fleet, const struct vt_fleet_host *host)
{
    char why[512];
    json_t *facts = json_object();
    vt_fleet_explain(fleet, host, why, sizeof why);
    for (size_t i = 0; i < VT_FLEET_FACTS; i++)
        json_object_set_new(facts, vt_fleet_fact_names[i], json_pack("s?", host->facts[i]));
    return json_pack("{s:s?, s:s?, s:I, s:o, s:I, s:I, s:s?, s:o}", "host", host->name, "group", host->group,
                     "results", (json_int_t)host->results, "ratio", vt_result_number(exp(host->deviation)),
                     "cases_far_off", (json_int_t)host->far, "cases", (json_int_t)host->measured,
                     "explanation", or_null(why), "facts", facts);
}

static json_t *names_json(const struct vt_fleet_cell *const *cells, size_t count)
{
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(cells[i]->name));
    return names;
}

static json_t *oddity_json(const struct vt_fleet *fleet, const struct vt_fleet_oddity *oddity)
{
    char why[512];
    const struct vt_fleet_cell *first = oddity->cells[0];
    json_t *hosts = json_array();
    vt_fleet_explain_oddity(fleet, oddity, why, sizeof why);
    for (size_t i = 0; i < oddity->host_count; i++)
        json_array_append_new(hosts,
                              json_pack("{s:s?, s:o}", "host", fleet->hosts[oddity->hosts[i].host].name,
                                        "ratio", vt_result_number(oddity->hosts[i].ratio)));
    return json_pack("{s:s?, s:s?, s:o, s:b, s:s?, s:s?, s:o, s:i, s:o, s:I, s:s?}", "group", first->group,
                     "class", first->class, "cases", names_json(oddity->cells, oddity->cell_count),
                     "whole_class", oddity->whole_class, "engine", first->engine, "path", first->path, "cpl",
                     level_json(first), "vcpus", first->vcpus, "hosts", hosts, "of",
                     (json_int_t)oddity->members, "explanation", or_null(why));
}

/* Names of all hosts but those that cross as most do. */
static json_t *way_json(const struct vt_fleet *fleet, const struct vt_fleet_split *split, size_t way)
{
    const struct vt_fleet_cell *cell = split->ways[way];
    char why[512] = "";
    json_t *names = way ? json_array() : json_null();
    for (size_t i = 0; way && i < cell->count; i++)
        json_array_append_new(names, json_pack("s?", fleet->hosts[cell->values[i].host].name));
    if (way)
        vt_fleet_explain_way(fleet, split, way, why, sizeof why);
    return json_pack("{s:s?, s:s?, s:s, s:I, s:o, s:s?}", "crossing", cell->crossing, "path", cell->path,
                     "status", vt_status_name(cell->status), "hosts", (json_int_t)cell->count, "names", names,
                     "explanation", or_null(why));
}

static json_t *split_json(const struct vt_fleet *fleet, const struct vt_fleet_split *split)
{
    const struct vt_fleet_cell *first = split->cases[0];
    json_t *ways = json_array();
    for (size_t i = 0; i < split->way_count; i++)
        json_array_append_new(ways, way_json(fleet, split, i));
    return json_pack("{s:s?, s:o, s:s?, s:o, s:i, s:b, s:o}", "group", first->group, "cases",
                     names_json(split->cases, split->case_count), "engine", first->engine, "cpl",
                     level_json(first), "vcpus", first->vcpus, "simulated", first->simulated, "ways", ways);
}

static json_t *gap_json(const struct vt_fleet *fleet, const struct vt_fleet_gap *gap)
{
    char why[512];
    json_t *cases = json_array(), *hosts = json_array();
    vt_fleet_explain_gap(fleet, gap, why, sizeof why);
    for (size_t i = 0; i < gap->case_count; i++)
        json_array_append_new(cases, json_pack("{s:s?, s:s?, s:o}", "case", gap->cases[i]->name, "engine",
                                               gap->cases[i]->engine, "cpl", level_json(gap->cases[i])));
    for (size_t i = 0; i < gap->host_count; i++)
        json_array_append_new(hosts, json_pack("s?", fleet->hosts[gap->hosts[i]].name));
    return json_pack("{s:s?, s:o, s:o, s:I, s:s?}", "group", gap->cases[0]->group, "cases", cases, "hosts",
                     hosts, "of", (json_int_t)gap->members, "explanation", or_null(why));
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
    return json_pack("{s:s?, s:s?, s:o, s:I, s:I}", "group", mix->group, "fact", mix->fact, "explains",
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
