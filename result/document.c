#include "result/document.h"
#include "base/layout.h"
#include "base/provenance.h"
#include "bench/sampler.h"
#include "config.h"
#include "result/save.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *keep(struct vt_result *result, const char *text, bool *lost)
{
    if (!text || !*text)
        return NULL;
    const char *copy = vt_arena_text(&result->arena, text, strlen(text));
    *lost |= !copy;
    return copy;
}

static double *take_numbers(struct vt_result *result, struct vt_result_series *series, size_t count,
                            bool *lost)
{
    double *values = vt_arena_take(&result->arena, count * sizeof *values);
    *lost |= !values;
    *series = (struct vt_result_series){values, values ? count : 0};
    return values;
}

static void keep_samples(struct vt_result *result, struct vt_result_row *row, const struct vt_measurement *m,
                         bool *lost)
{
    if (!m->body || !m->baseline || !(m->tsc_khz > 0))
        return;
    double *toll = take_numbers(result, &row->samples, m->batches, lost);
    double *body = take_numbers(result, &row->samples_body, m->batches, lost);
    double *baseline = take_numbers(result, &row->samples_baseline, m->batches, lost);
    if (*lost)
        return;
    double ns_per_cycle = 1e6 / m->tsc_khz;
    for (size_t i = 0; i < m->batches; i++) {
        body[i] = m->body[i] * ns_per_cycle;
        baseline[i] = m->baseline[i] * ns_per_cycle;
        toll[i] = (m->body[i] - m->baseline[i]) * ns_per_cycle;
    }
}

/* Indices of the pairs that carry a mark. */
static void keep_marks(struct vt_result *result, struct vt_result_series *series,
                       const struct vt_measurement *m, enum vt_mark mark, bool *lost)
{
    size_t count = 0;
    for (size_t i = 0; m->marks && i < m->batches; i++)
        count += (m->marks[i] & mark) != 0;
    if (count == 0)
        return;
    double *marks = take_numbers(result, series, count, lost);
    for (size_t i = 0, n = 0; marks && n < count; i++)
        if (m->marks[i] & mark)
            marks[n++] = (double)i;
}

/* One round says nothing that the samples do not. */
static void keep_rounds(struct vt_result *result, struct vt_result_row *row, const struct vt_measurement *m,
                        bool *lost)
{
    if (!m->rounds || m->round_count < 2)
        return;
    double *rounds = take_numbers(result, &row->rounds, m->round_count, lost);
    for (size_t i = 0; rounds && i < m->round_count; i++)
        rounds[i] = m->rounds[i];
}

static void keep_evidence(struct vt_result *result, struct vt_result_row *row, const struct vt_measurement *m,
                          bool *lost)
{
    struct vt_result_counter *evidence = vt_arena_take(&result->arena, VT_COUNTERS * sizeof *evidence);
    *lost |= !evidence;
    for (int i = 0; evidence && i < VT_COUNTERS; i++) {
        double per_operation = vt_measurement_per_operation(m, i);
        if (isfinite(per_operation))
            evidence[row->evidence_count++] = (struct vt_result_counter){vt_counter_name(i), per_operation};
    }
    row->evidence = evidence;
}

static json_t *counters_json(const struct vt_counters *counters)
{
    json_t *object = json_object();
    for (int i = 0; i < VT_COUNTERS; i++)
        if (vt_counters_has(counters, i))
            json_object_set_new(object, vt_counter_name(i), json_integer((json_int_t)counters->value[i]));
    return object;
}

static json_t *totals_json(const struct vt_measurement *m)
{
    return json_pack("{s:I, s:o, s:o}", "operations", (json_int_t)m->iterations * (json_int_t)m->batches,
                     "body", counters_json(&m->body_counters), "baseline",
                     counters_json(&m->baseline_counters));
}

static void keep_breakdown(struct vt_result_row *row, const struct vt_measurement *m)
{
    for (int part = 0; part < VT_PARTS; part++)
        row->breakdown[part] = m->parts_known >> part & 1 ? m->parts[part] : vt_result_unknown_summary();
}

static void fill_row(struct vt_result *result, struct vt_result_row *row, const struct vt_measurement *m,
                     bool *lost)
{
    bool ran = m->batches > 0;
    *row = (struct vt_result_row){
        .name = m->c->name,
        .class = vt_guest_class_name(m->c->class),
        .operation = keep(result, m->form ? m->form->operation : m->c->operation, lost),
        .path = vt_path_name(m->path),
        .engine = m->engine,
        .crossing = vt_crossing_name(m->crossing),
        .reason = keep(result, m->reason, lost),
        .stopped = vt_stop_name(m->stop),
        .unit = m->simulated ? VT_UNIT_INSTRUCTIONS : VT_UNIT_NS,
        .status = m->status,
        .cpl = m->cpl,
        .simulated = m->simulated,
        .vcpus = m->vcpus,
        .depth = m->depth ? m->depth : NAN,
        .outer_exits = ran ? m->outer_exits : NAN,
        .iterations = ran ? (double)m->iterations : NAN,
        .batches = (double)m->batches,
        .marked = ran ? (double)m->marked : NAN,
        .toll = ran ? m->toll : vt_result_unknown_summary(),
        .toll_cycles = ran ? m->toll_cycles : vt_result_unknown_summary(),
        .exits_per_op = ran ? m->exits_per_op : NAN,
        .evidence_totals = ran ? totals_json(m) : NULL,
    };
    vt_result_recognize(row);
    keep_breakdown(row, m);
    if (!ran)
        return;
    keep_evidence(result, row, m, lost);
    keep_samples(result, row, m, lost);
    keep_marks(result, &row->marks, m, VT_MARK_HIT, lost);
    keep_marks(result, &row->shared, m, VT_MARK_SHARED, lost);
    keep_rounds(result, row, m, lost);
}

static void keep_provenance(struct vt_result *result, bool *lost)
{
    struct vt_provenance provenance = vt_provenance();
    result->version = VT_VERSION;
    result->compiler = keep(result, provenance.compiler, lost);
    result->flags = keep(result, provenance.flags, lost);
    result->build_id = keep(result, provenance.build_id, lost);
}

struct vt_result *vt_result_make(const struct vt_document *document, struct vt_error *error)
{
    bool lost = false;
    struct vt_result *result = vt_result_new();
    if (result)
        result->rows = calloc(document->count + 1, sizeof *result->rows);
    if (!result || !result->rows) {
        vt_result_free(result);
        vt_error_memory(error, "the result document");
        return NULL;
    }
    result->count = document->count;
    keep_provenance(result, &lost);
    result->started = keep(result, document->started, &lost);
    result->interrupted = document->interrupted;
    result->host = json_incref(document->host);
    result->settings = json_incref(document->settings);
    result->audit = json_incref(document->audit);
    result->translation = json_incref(document->translation);
    for (size_t i = 0; i < document->count; i++)
        fill_row(result, &result->rows[i], &document->measurements[i], &lost);
    if (!lost)
        return result;
    vt_result_free(result);
    vt_error_memory(error, "the result document");
    return NULL;
}

static json_t *words(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *known(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

json_t *vt_result_settings(const struct vt_selection *selection, double budget, const struct vt_run *run)
{
    return json_pack(
        "{s:f, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:I, s:s, s:f, s:f, s:o, s:b, s:I, s:o}",
        "budget_s", budget, "vcpus", (int)run->vcpus, "cpus_allowed",
        run->cpus ? json_integer((json_int_t)run->cpus) : json_null(), "engines", words(selection->engines),
        "paths", words(selection->paths), "cases", words(selection->cases), "levels",
        words(selection->levels), "cpu", run->cpu >= 0 ? json_integer(run->cpu) : json_null(), "elapsed_s",
        run->elapsed, "tsc_khz", run->tsc_khz, "steal_s", known(run->steal), "preemptions",
        (json_int_t)run->preemptions, "clock", "tsc", "precision", VT_SAMPLER_PRECISION, "waited_s",
        run->waited, "shared", known(run->shared), "fixed_layout", vt_layout_is_fixed(), "moved",
        (json_int_t)run->moved, "throttled",
        isnan(run->throttled) ? json_null() : json_integer((json_int_t)run->throttled));
}

int vt_result_describe(struct vt_result *result, const char *started, const struct vt_setting *settings,
                       struct vt_error *error)
{
    if (!result->settings)
        result->settings = json_object();
    result->started = vt_arena_text(&result->arena, started, strlen(started));
    if (!result->settings || !result->started)
        return vt_error_memory(error, "the document's settings");
    for (; settings->key; settings++)
        json_object_set_new(result->settings, settings->key, words(settings->text));
    return 0;
}
