#include "compare/counts.h"
#include "compare/format/format.h"
#include "compare/format/functions.h"
#include "compare/format/words.h"
#include "result/save.h"

#include <errno.h>
#include <math.h>

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* An answer that cannot be given is null, and so is a reason that none is needed of. */
static void put_answer(json_t *object, const struct vt_compared *row)
{
    json_object_set_new(object, "answer", text_or_null(vt_compare_answer_name(vt_compare_answer(row))));
    json_object_set_new(object, "unclear", text_or_null(vt_compare_unclear_name(row->unclear)));
    json_object_set_new(object, "detectable", vt_result_number(row->detectable));
}

static void put_tests(json_t *object, const struct vt_comparison *c, const struct vt_compared *row)
{
    bool grouped = isfinite(row->ratio) && c->groups && c->groups[row->group].count;
    json_object_set_new(object, "p_samples", vt_result_number(row->p_samples));
    json_object_set_new(object, "p_runs", vt_result_number(row->p_runs));
    json_object_set_new(object, "p_group", vt_result_number(grouped ? c->groups[row->group].p : NAN));
    json_object_set_new(object, "with_group", json_boolean(row->with_group));
}

static json_t *row_json(const struct vt_comparison *c, const struct vt_compared *row)
{
    char tale[256];
    json_t *object = json_object(), *interval = json_array();
    vt_compare_explain(row, tale, sizeof tale);
    json_array_append_new(interval, vt_result_number(row->low));
    json_array_append_new(interval, vt_result_number(row->high));
    json_object_set_new(object, "case", json_string(row->before->name));
    json_object_set_new(object, "engine", json_string(row->before->engine));
    json_object_set_new(object, "vcpus", json_integer(vt_result_vcpus(row->before)));
    if (vt_result_depth(row->before) > 1)
        json_object_set_new(object, "depth", json_integer(vt_result_depth(row->before)));
    json_object_set_new(object, "cpl", row->before->cpl < 0 ? json_null() : json_integer(row->before->cpl));
    json_object_set_new(object, "unit", json_string(vt_unit_name(row->before->unit)));
    json_object_set_new(object, "simulated", json_boolean(row->before->simulated));
    json_object_set_new(object, "change", json_string(vt_compare_change_name(row->change)));
    json_object_set_new(object, "worse", json_boolean(row->worse));
    json_object_set_new(object, "explanation", json_string(tale));
    json_object_set_new(object, "old", vt_result_number(row->before->toll.median));
    json_object_set_new(object, "new", vt_result_number(row->after->toll.median));
    json_object_set_new(object, "old_crossing", text_or_null(row->before->crossing));
    json_object_set_new(object, "new_crossing", text_or_null(row->after->crossing));
    json_object_set_new(object, "old_status", json_string(vt_status_name(row->before->status)));
    json_object_set_new(object, "new_status", json_string(vt_status_name(row->after->status)));
    json_object_set_new(object, "difference", vt_result_number(row->difference));
    json_object_set_new(object, "ratio",
                        vt_result_number(row->counts ? vt_compare_count_ratio(row) : row->ratio));
    json_object_set_new(object, "ratio_ci95", isfinite(row->low) ? json_incref(interval) : json_null());
    json_decref(interval);
    put_answer(object, row);
    put_tests(object, c, row);
    json_t *functions = vt_compare_functions_json(row);
    json_object_set_new(object, "functions", functions ? functions : json_null());
    return object;
}

int vt_compare_json(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                    struct vt_error *error)
{
    char text[512];
    json_t *rows = json_array(), *warnings = json_array();
    (void)screen;
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(rows, row_json(c, &c->rows[i]));
    for (size_t i = 0; i < c->warning_count; i++)
        json_array_append_new(warnings, json_string(c->warnings[i]));
    vt_compare_headline(c, text, sizeof text);
    json_t *answers = json_object();
    for (int i = VT_ANSWER_CHANGED; i < VT_ANSWERS; i++)
        json_object_set_new(answers, vt_compare_answer_name(i), json_integer((json_int_t)c->answers[i]));
    json_t *document =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:i, s:f}", "schema",
                  "vmtoll.comparison/1", "headline", text, "threshold", vt_result_number(c->threshold),
                  "count_threshold", vt_result_number(c->count_threshold), "resolution",
                  vt_result_number(c->resolution), "spread_between_runs", vt_result_number(c->spread),
                  "regressions", (int)c->worse, "changes",
                  (int)(c->count - c->changes[VT_CHANGE_NONE] - c->changes[VT_CHANGE_UNCLEAR]), "measured",
                  (int)c->measured, "judged", (int)c->judged, "answers", answers, "warnings", warnings,
                  "measurements", rows, "pairs", (int)c->pairs, "level", c->level);
    int status = document ? json_dumpf(document, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : -1;
    json_decref(document);
    fputc('\n', stream);
    if (status != 0 && !ferror(stream))
        return vt_error_memory(error, "the comparison");
    return 0;
}
