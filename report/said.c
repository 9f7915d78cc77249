#include "report/said.h"
#include "report/audited.h"
#include "report/breakdown.h"
#include "report/host.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { MAX_WARNINGS = 8 };

static void say_verdict(const struct vt_verdict *verdict, struct vt_pen *pen)
{
    vt_pen_question(pen, verdict->question ? verdict->question : "");
    if (verdict->answer) {
        vt_pen_tone(pen, VT_TONE_STRONG, "%s", verdict->answer);
        vt_pen_say(pen, ": ");
    }
    vt_pen_say(pen, "%s", verdict->text);
    if (verdict->fix)
        vt_pen_tone(pen, VT_TONE_ADVICE, "%s", verdict->fix);
}

size_t vt_said_answers(const struct vt_result *result, struct vt_pen *pen)
{
    struct vt_verdict verdicts[VT_VERDICTS];
    size_t count = vt_host_verdict(result, verdicts);
    for (size_t i = 0; i < count; i++)
        say_verdict(&verdicts[i], pen);
    vt_pen_end(pen);
    return count;
}

/* Why no machine runs on VT-x or AMD-V, where none does: it bears on the figures. */
static void say_obstacle(const struct vt_result *result, struct vt_pen *pen)
{
    struct vt_verdict verdicts[VT_VERDICTS];
    size_t count = vt_host_verdict(result, verdicts);
    if (count && (!verdicts[0].answer || strcmp(verdicts[0].answer, "yes") != 0))
        say_verdict(&verdicts[0], pen);
    vt_pen_end(pen);
}

size_t vt_said_facts(const struct vt_table *table, const struct vt_result *result, struct vt_pen *pen)
{
    struct vt_fact facts[VT_FACTS];
    size_t count = vt_host_facts(result, facts);
    if (table->result_count > 1 && result->file) {
        vt_pen_begin(pen);
        vt_pen_tone(pen, VT_TONE_STRONG, "%s", result->file);
        vt_pen_end(pen);
    }
    for (size_t i = 0; i < count; i++) {
        vt_pen_fact(pen, facts[i].label);
        vt_pen_say(pen, "%s", facts[i].text);
    }
    vt_pen_end(pen);
    return count;
}

size_t vt_said_warnings(const struct vt_result *result, struct vt_pen *pen)
{
    const char *warnings[MAX_WARNINGS];
    size_t count = vt_host_warnings(result, warnings, MAX_WARNINGS);
    for (size_t i = 0; i < count; i++) {
        vt_pen_item(pen, 1);
        vt_pen_tone(pen, VT_TONE_BAD, "Beware:");
        vt_pen_say(pen, " %s", warnings[i]);
    }
    return count;
}

const struct vt_result *vt_said_verdict(const struct vt_table *table, struct vt_pen *pen)
{
    const struct vt_result *result = vt_audited_find(table);
    if (!result)
        return NULL;
    vt_pen_heading(pen, "Could it be virtualized without help from the CPU?");
    vt_pen_paragraph(pen, "%s", vt_audited_verdict(result));
    if (table->result_count > 1 && result->file)
        vt_pen_paragraph(pen, "This is about the machine of %s.", result->file);
    return result;
}

/* The last column is for those who see more than the silent ones. */
static const struct vt_pen_column trial_columns[] = {{"instruction", 12, false, NULL},
                                                     {"tried as", 31, false, NULL},
                                                     {"at ring 3, here", 39, false, NULL},
                                                     {"a guest kernel expects", 0, false, NULL},
                                                     {"outcome", 0, false, NULL}};

static void say_trial(const json_t *instruction, const json_t *trial, const char *outcome, struct vt_pen *pen)
{
    const char *seen = vt_audited_word(trial, "seen");
    bool silent = strcmp(outcome, "silent") == 0;
    vt_pen_row(pen, (const struct vt_pen_cell[]){
                        {.text = vt_audited_word(instruction, "name")},
                        {.text = vt_audited_word(trial, "operation"),
                         .tone = VT_TONE_CODE,
                         .note = vt_audited_word(trial, "with")},
                        {.text = *seen ? seen : vt_audited_word(trial, "note")},
                        {.text = vt_audited_word(trial, "expected")},
                        {.text = outcome, .tone = silent ? VT_TONE_BAD : VT_TONE_PLAIN},
                    });
}

static bool is_wanted(const json_t *instruction, const json_t *trial, enum vt_trials which)
{
    if (which == VT_TRIALS_EVERY)
        return true;
    if (trial != vt_audited_trial(instruction))
        return false;
    return which == VT_TRIALS_SILENT ? strcmp(vt_audited_word(instruction, "outcome"), "silent") == 0
                                     : strcmp(vt_audited_word(instruction, "group"), "privileged") != 0;
}

void vt_said_trials(const struct vt_result *result, enum vt_trials which, struct vt_pen *pen)
{
    static const char *const captions[] = {"Silent instructions", "Sensitive instructions", "Every trial"};
    const json_t *instruction, *trial;
    size_t i, k, count = 0;
    json_array_foreach(json_object_get(result->audit, "instructions"), i, instruction)
    {
        json_array_foreach(json_object_get(instruction, "trials"), k, trial)
        {
            if (!is_wanted(instruction, trial, which))
                continue;
            if (count++ == 0)
                vt_pen_table(pen, captions[which], trial_columns, which == VT_TRIALS_SILENT ? 4 : 5);
            say_trial(instruction, trial,
                      vt_audited_word(which == VT_TRIALS_EVERY ? trial : instruction, "outcome"), pen);
        }
    }
    if (count)
        vt_pen_end_table(pen);
}

static void say_parts(const struct vt_table *table, const struct vt_crossing_parts *parts, struct vt_pen *pen)
{
    const struct vt_line *line = &table->lines[parts->line];
    enum vt_unit unit = table->columns[parts->column].unit;
    const char *joint = ": ";
    char amount[64];
    vt_quantity_print(line->cells[parts->column]->toll.median, unit, "µs", amount, sizeof amount);
    vt_pen_item(pen, 1);
    vt_pen_say(pen, "%s %s", line->name, amount);
    for (int part = 0; part < VT_PARTS; part++) {
        const struct vt_share *share = &parts->shares[part];
        if (!share->asked || !isfinite(share->median))
            continue;
        vt_quantity_print(share->median, unit, "µs", amount, sizeof amount);
        vt_pen_say(pen, "%s%s %s", joint, vt_breakdown_name(part), amount);
        if (!share->common)
            vt_pen_say(pen, " (%s)", share->source);
        joint = " + ";
    }
}

/* What holds for the whole column: where its first step comes from, and what was not measured. */
static void say_sources(const struct vt_breakdown *breakdown, size_t column, struct vt_pen *pen)
{
    const char *said = "";
    for (int part = 0; part < VT_PARTS; part++)
        for (size_t i = 0; i < breakdown->count; i++) {
            const struct vt_share *share = &breakdown->list[i].shares[part];
            if (breakdown->list[i].column != column || !share->asked ||
                (isfinite(share->median) && !share->common) || strcmp(said, share->source) == 0)
                continue;
            said = share->source;
            vt_pen_item(pen, 2);
            vt_pen_say(pen, "%s: %s", vt_breakdown_name(part), said);
        }
}

static void say_breakdown(const struct vt_table *table, struct vt_pen *pen)
{
    struct vt_breakdown breakdown;
    vt_breakdown_collect(&breakdown, table);
    vt_pen_heading(pen, "Where the cost of one crossing goes");
    if (breakdown.count == 0)
        vt_pen_paragraph(pen, "%s", vt_breakdown_absence());
    for (size_t i = 0; i < breakdown.count; i++) {
        size_t column = breakdown.list[i].column;
        if (i == 0 || column != breakdown.list[i - 1].column)
            vt_pen_lead(pen, "%s, %s", table->columns[column].title, table->columns[column].subtitle);
        say_parts(table, &breakdown.list[i], pen);
        if (i + 1 == breakdown.count || column != breakdown.list[i + 1].column)
            say_sources(&breakdown, column, pen);
    }
    vt_pen_end(pen);
}

void vt_said_published(const struct vt_published *published, struct vt_pen *pen)
{
    const char *source = "";
    if (!published || published->count == 0)
        return;
    vt_pen_heading(pen, "Published figures: other machines, years and methods, never part of what is above");
    for (size_t i = 0; i < published->count; i++) {
        const struct vt_published_row *row = &published->rows[i];
        if (strcmp(source, row->source) != 0) {
            source = row->source;
            vt_pen_lead(pen, "%s%s", source, row->quoted ? ", as quoted by others" : "");
        }
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "%s, %s (CPU %s): ", row->operation, row->road, row->cpu ? row->cpu : "not stated");
        vt_pen_tone(pen, VT_TONE_STRONG, "%s", row->figure);
        if (*row->here)
            vt_pen_say(pen, "; here, alike: %s", row->here);
    }
    vt_pen_end(pen);
}

static void say_findings(const struct vt_findings *findings, struct vt_pen *pen)
{
    vt_pen_begin(pen);
    vt_pen_tone(pen, VT_TONE_STRONG, "%s", findings->headline);
    for (size_t i = 0; i < findings->count; i++) {
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "%s", findings->lines[i]);
    }
    vt_pen_end(pen);
}

static void say_notes(const struct vt_table *table, struct vt_pen *pen)
{
    if (table->note_count)
        vt_pen_heading(pen, "Notes");
    for (size_t i = 0; i < table->note_count; i++) {
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "[%zu] %s", i + 1, table->notes[i].text);
    }
    vt_pen_end(pen);
}

int vt_said_report(const struct vt_report *report, struct vt_pen *pen,
                   int (*print_table)(const struct vt_report *report, FILE *stream))
{
    const struct vt_table *table = report->table;
    size_t warned = 0;
    int status = 0;
    say_findings(&report->findings, pen);
    for (size_t i = 0; i < table->result_count; i++) {
        say_obstacle(table->results[i], pen);
        vt_said_facts(table, table->results[i], pen);
    }
    if (table->line_count) {
        status = print_table(report, pen->stream);
        say_notes(table, pen);
        say_breakdown(table, pen);
    }
    const struct vt_result *audited = vt_said_verdict(table, pen);
    if (audited)
        vt_said_trials(audited, VT_TRIALS_SILENT, pen);
    for (size_t i = 0; i < table->result_count; i++)
        warned += json_array_size(json_object_get(table->results[i]->settings, "warnings"));
    if (warned)
        vt_pen_heading(pen, "Take with care");
    for (size_t i = 0; i < table->result_count; i++)
        vt_said_warnings(table->results[i], pen);
    vt_pen_end(pen);
    vt_said_published(report->published, pen);
    return status;
}
