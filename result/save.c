#include "result/save.h"
#include "base/file.h"
#include "result/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { DIGITS = 6 };

json_t *vt_result_number(double value)
{
    char text[32];
    if (!isfinite(value))
        return json_null();
    if (value == floor(value) && fabs(value) < 1e15)
        return json_integer((json_int_t)value);
    snprintf(text, sizeof text, "%.*g", DIGITS, value);
    double rounded = strtod(text, NULL);
    if (rounded == floor(rounded) && fabs(rounded) < 1e15)
        return json_integer((json_int_t)rounded);
    return json_real(rounded);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *interval_json(const struct vt_summary *s)
{
    if (!isfinite(s->ci_low) || !isfinite(s->ci_high))
        return json_null();
    return json_pack("[o, o]", vt_result_number(s->ci_low), vt_result_number(s->ci_high));
}

static json_t *summary_json(const struct vt_summary *s)
{
    if (!isfinite(s->median))
        return json_null();
    const struct {
        const char *key;
        double value;
    } members[] = {
        {"min", s->min}, {"p05", s->p05}, {"p25", s->p25}, {"p75", s->p75},
        {"p95", s->p95}, {"p99", s->p99}, {"mad", s->mad},
    };
    json_t *object = json_object();
    json_object_set_new(object, "median", vt_result_number(s->median));
    json_object_set_new(object, "ci95", interval_json(s));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set_new(object, members[i].key, vt_result_number(members[i].value));
    return object;
}

/* Null where nothing is known of any part; a part that is not known is absent. */
static json_t *breakdown_json(const struct vt_result_row *row)
{
    json_t *object = json_object();
    for (int part = 0; part < VT_PARTS; part++) {
        const struct vt_summary *s = &row->breakdown[part];
        if (isfinite(s->median))
            json_object_set_new(
                object, vt_part_name(part),
                json_pack("{s:o, s:o}", "median", vt_result_number(s->median), "ci95", interval_json(s)));
    }
    if (json_object_size(object) > 0)
        return object;
    json_decref(object);
    return json_null();
}

static json_t *evidence_json(const struct vt_result_row *row)
{
    json_t *object = json_object();
    for (size_t i = 0; i < row->evidence_count; i++)
        json_object_set_new(object, row->evidence[i].name, vt_result_number(row->evidence[i].per_operation));
    return object;
}

static json_t *series_json(const struct vt_result_series *series)
{
    json_t *array = json_array();
    for (size_t i = 0; i < series->count; i++)
        json_array_append_new(array, vt_result_number(series->values[i]));
    return array;
}

static json_t *row_json(const struct vt_result_row *row)
{
    json_t *object = json_object();
    json_object_set_new(object, "case", text_or_null(row->name));
    json_object_set_new(object, "class", text_or_null(row->class));
    json_object_set_new(object, "path", text_or_null(row->path));
    json_object_set_new(object, "engine", text_or_null(row->engine));
    json_object_set_new(object, "cpl", row->cpl < 0 ? json_null() : json_integer(row->cpl));
    json_object_set_new(object, "vcpus", vt_result_number(row->vcpus));
    if (row->depth > 1) {
        json_object_set_new(object, "depth", vt_result_number(row->depth));
        json_object_set_new(object, "outer_exits", vt_result_number(row->outer_exits));
    }
    json_object_set_new(object, "operation", text_or_null(row->operation));
    json_object_set_new(object, "crossing", text_or_null(row->crossing));
    json_object_set_new(object, "status", json_string(vt_status_name(row->status)));
    json_object_set_new(object, "reason", text_or_null(row->reason));
    json_object_set_new(object, "stopped", text_or_null(row->stopped));
    json_object_set_new(object, "simulated", json_boolean(row->simulated));
    json_object_set_new(object, "unit", json_string(vt_unit_name(row->unit)));
    json_object_set_new(object, "iterations", vt_result_number(row->iterations));
    json_object_set_new(object, "batches", vt_result_number(row->batches));
    json_object_set_new(object, "marked", vt_result_number(row->marked));
    json_object_set_new(object, "toll", summary_json(&row->toll));
    json_object_set_new(object, "toll_cycles", summary_json(&row->toll_cycles));
    json_object_set_new(object, "breakdown", breakdown_json(row));
    json_object_set_new(object, "exits_per_op", vt_result_number(row->exits_per_op));
    json_object_set_new(object, "evidence", evidence_json(row));
    json_object_set_new(object, "evidence_totals",
                        row->evidence_totals ? json_incref(row->evidence_totals) : json_null());
    json_object_set_new(object, "samples", series_json(&row->samples));
    json_object_set_new(object, "samples_body", series_json(&row->samples_body));
    json_object_set_new(object, "samples_baseline", series_json(&row->samples_baseline));
    json_object_set_new(object, "marks", series_json(&row->marks));
    json_object_set_new(object, "shared", series_json(&row->shared));
    json_object_set_new(object, "rounds", series_json(&row->rounds));
    if (row->profile)
        json_object_set_new(object, "profile", vt_result_profile_json(row->profile));
    return object;
}

static json_t *tool_json(const struct vt_result *result)
{
    return json_pack("{s:s?, s:s?, s:s?, s:s?}", "version", result->version, "compiler", result->compiler,
                     "flags", result->flags, "build_id", result->build_id);
}

static int dump(json_t *value, size_t flags, FILE *stream)
{
    int status = value ? json_dumpf(value, stream, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : -1;
    json_decref(value);
    return status == 0 ? 0 : ferror(stream) ? -EIO : -ENOMEM;
}

static int print_member(const char *key, json_t *value, bool one_line, FILE *stream)
{
    fprintf(stream, one_line ? ",\"%s\":" : ",\n\"%s\": ", key);
    return dump(value, one_line ? JSON_COMPACT : JSON_INDENT(1), stream);
}

static int print_rows(const struct vt_result *result, bool one_line, FILE *stream)
{
    const char *separator = one_line ? "" : "\n";
    fprintf(stream, one_line ? ",\"measurements\":[" : ",\n\"measurements\": [");
    for (size_t i = 0; i < result->count; i++) {
        fputs(separator, stream);
        int status = dump(row_json(&result->rows[i]), JSON_COMPACT, stream);
        if (status)
            return status;
        separator = one_line ? "," : ",\n";
    }
    fputs(one_line ? "]}\n" : "\n]\n}\n", stream);
    return 0;
}

int vt_result_print(const struct vt_result *result, bool one_line, FILE *stream)
{
    fprintf(stream, one_line ? "{\"schema\":\"%s\"" : "{\n\"schema\": \"%s\"", VT_RESULT_SCHEMA);
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"tool", tool_json(result)},
        {"started", text_or_null(result->started)},
        {"interrupted", json_boolean(result->interrupted)},
        {"settings", result->settings ? json_incref(result->settings) : json_null()},
        {"host", result->host ? json_incref(result->host) : json_null()},
        {"audit", result->audit ? json_incref(result->audit) : json_null()},
        {"translation", result->translation ? json_incref(result->translation) : json_null()},
    };
    int status = 0;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        int member = print_member(members[i].key, members[i].value, one_line, stream);
        status = status ? status : member;
    }
    status = status ? status : print_rows(result, one_line, stream);
    return status == 0 && ferror(stream) ? -EIO : status;
}

int vt_result_save(const struct vt_result *result, const char *path, struct vt_error *error)
{
    struct vt_output output;
    int status = vt_file_create(&output, path, error);
    if (status)
        return status;
    if (vt_result_print(result, false, output.stream) == -ENOMEM) {
        vt_file_discard(&output);
        return vt_error_memory(error, path);
    }
    return vt_file_commit(&output, error); /* a failed write is noticed there */
}
