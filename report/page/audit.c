#include "report/audited.h"
#include "report/said.h"
#include "show/pen/markup.h"
#include "report/page/page.h"

#include <string.h>

static void put_cells(const json_t *instruction, const json_t *trial, const json_t *judged, FILE *stream)
{
    const char *outcome = vt_audited_word(judged, "outcome"), *with = vt_audited_word(trial, "with");
    vt_markup(stream,
              *with ? "<tr><th scope=\"row\">%s</th><td><code>%s</code> <small>%s</small></td>"
                    : "<tr><th scope=\"row\">%s</th><td><code>%s</code>%s</td>",
              vt_audited_word(instruction, "name"), vt_audited_word(trial, "operation"), with);
    vt_markup(stream,
              strcmp(outcome, "silent") == 0 ? "<td><span class=\"flag\">%s</span></td>" : "<td>%s</td>",
              outcome);
    vt_markup(stream, "<td>%s</td><td>%s</td></tr>\n",
              vt_audited_word(trial, *vt_audited_word(trial, "seen") ? "seen" : "note"),
              vt_audited_word(trial, "expected"));
}

static void open_table(const char *label, FILE *stream)
{
    fprintf(
        stream,
        "<div class=\"scroll\" role=\"region\" aria-label=\"%s, scrolls sideways\" tabindex=\"0\">\n"
        "<table class=\"proofs\"><thead><tr><th scope=\"col\">Instruction</th><th scope=\"col\">Tried as</th>"
        "<th scope=\"col\">Outcome</th><th scope=\"col\">At ring 3, here</th>"
        "<th scope=\"col\">A guest kernel expects</th></tr></thead>\n<tbody>\n",
        label);
}

static void close_table(FILE *stream)
{
    fputs("</tbody></table>\n</div>\n", stream);
}

/* One line per instruction that ring 3 may execute. */
static void put_summary(const json_t *instructions, FILE *stream)
{
    const json_t *instruction;
    size_t index;
    open_table("Sensitive instructions", stream);
    json_array_foreach(instructions, index, instruction)
    {
        const json_t *trial = vt_audited_trial(instruction);
        if (!trial || strcmp(vt_audited_word(instruction, "group"), "privileged") == 0)
            continue;
        put_cells(instruction, trial, instruction, stream);
    }
    close_table(stream);
}

static void put_every_trial_of(const json_t *instruction, FILE *stream)
{
    const json_t *trial;
    size_t index;
    json_array_foreach(json_object_get(instruction, "trials"), index, trial)
    {
        put_cells(instruction, trial, trial, stream);
    }
}

static void put_trials(const json_t *instructions, FILE *stream)
{
    const json_t *instruction;
    size_t index;
    fputs("<details><summary>Every trial, the privileged instructions among them</summary>\n", stream);
    open_table("Every trial", stream);
    json_array_foreach(instructions, index, instruction)
    {
        put_every_trial_of(instruction, stream);
    }
    close_table(stream);
    fputs("</details>\n", stream);
}

static void put_assists(const json_t *assists, struct vt_pen *pen)
{
    const json_t *assist;
    size_t index;
    json_array_foreach(assists, index, assist)
    {
        vt_pen_fact(pen, vt_audited_word(assist, "title"));
        vt_pen_tone(pen, VT_TONE_STRONG, "%s", vt_audited_word(assist, "state"));
        vt_pen_say(pen, ": %s", vt_audited_word(assist, "evidence"));
    }
    vt_pen_end(pen);
}

bool vt_html_is_audited(const struct vt_html *page)
{
    return vt_audited_find(page->report->table);
}

void vt_html_audit(const struct vt_html *page)
{
    FILE *stream = page->stream;
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_html, NULL);
    if (!vt_html_is_audited(page))
        return;
    fputs("<section id=\"audit\">", stream);
    const struct vt_result *result = vt_said_verdict(page->report->table, &pen);
    const json_t *instructions = json_object_get(result->audit, "instructions");
    put_assists(json_object_get(result->audit, "assists"), &pen);
    vt_pen_paragraph(
        &pen,
        "Each line was found by executing the instruction at ring 3. Silent: no trap, and not what a "
        "guest kernel expects. Emulated: the CPU faults and the host kernel answers in its place. "
        "Traps: a hypervisor can emulate it. The guest kernel of the comparison is %s.",
        vt_audited_word(result->audit, "guest"));
    put_summary(instructions, stream);
    put_trials(instructions, stream);
    fputs("</section>\n", stream);
}
