#include "report/said.h"
#include "report/audited.h"
#include "report/host.h"

enum { MAX_WARNINGS = 8, MAX_HOLES = 64 };

size_t vt_said_answers(const struct vt_result *result, struct vt_pen *pen)
{
    struct vt_verdict verdicts[VT_VERDICTS];
    size_t count = vt_host_verdict(result, verdicts);
    for (size_t i = 0; i < count; i++) {
        vt_pen_question(pen, verdicts[i].question ? verdicts[i].question : "");
        if (verdicts[i].answer) {
            vt_pen_tone(pen, VT_TONE_STRONG, "%s", verdicts[i].answer);
            vt_pen_say(pen, ": ");
        }
        vt_pen_say(pen, "%s", verdicts[i].text);
        if (verdicts[i].fix)
            vt_pen_tone(pen, VT_TONE_ADVICE, "%s", verdicts[i].fix);
    }
    vt_pen_end(pen);
    return count;
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

void vt_said_holes(const struct vt_result *result, struct vt_pen *pen)
{
    static const struct vt_pen_column columns[] = {{"hole", 12, false, NULL},
                                                   {"tried as", 31, false, NULL},
                                                   {"at ring 3, here", 39, false, NULL},
                                                   {"a guest expects", 0, false, NULL}};
    struct vt_audited_hole holes[MAX_HOLES];
    size_t count = vt_audited_holes(result, holes, MAX_HOLES);
    if (count)
        vt_pen_table(pen, "Holes", columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < count; i++) {
        char tried[160];
        snprintf(tried, sizeof tried, *holes[i].with ? "%s (%s)" : "%s", holes[i].operation, holes[i].with);
        vt_pen_row(pen, (const struct vt_pen_cell[]){
                            {.text = holes[i].name}, {.text = tried}, {.text = holes[i].seen}, {.text = holes[i].expected}});
    }
    if (count)
        vt_pen_end_table(pen);
}
