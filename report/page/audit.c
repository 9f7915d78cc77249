#include "report/audited.h"
#include "show/escape.h"
#include "report/page/page.h"

#include <string.h>

static void put(const json_t *object, const char *key, FILE *stream)
{
    vt_escape_html(vt_audited_word(object, key), stream);
}

static void put_outcome(const json_t *object, FILE *stream)
{
    bool breaks = strcmp(vt_audited_word(object, "outcome"), "silent") == 0;
    fputs(breaks ? "<span class=\"flag\">" : "", stream);
    put(object, "outcome", stream);
    fputs(breaks ? "</span>" : "", stream);
}

static void put_operation(const json_t *trial, FILE *stream)
{
    fputs("<code>", stream);
    put(trial, "operation", stream);
    fputs("</code>", stream);
    if (*vt_audited_word(trial, "with")) {
        fputs(" <small>", stream);
        put(trial, "with", stream);
        fputs("</small>", stream);
    }
}

static void put_cells(const json_t *trial, const json_t *judged, FILE *stream)
{
    fputs("<td>", stream);
    put_operation(trial, stream);
    fputs("</td><td>", stream);
    put_outcome(judged, stream);
    fputs("</td><td>", stream);
    put(trial, *vt_audited_word(trial, "seen") ? "seen" : "note", stream);
    fputs("</td><td>", stream);
    put(trial, "expected", stream);
    fputs("</td></tr>\n", stream);
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

static void put_name(const json_t *instruction, FILE *stream)
{
    fputs("<tr><th scope=\"row\">", stream);
    put(instruction, "name", stream);
    fputs("</th>", stream);
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
        put_name(instruction, stream);
        put_cells(trial, instruction, stream);
    }
    close_table(stream);
}

static void put_every_trial_of(const json_t *instruction, FILE *stream)
{
    const json_t *trial;
    size_t index;
    json_array_foreach(json_object_get(instruction, "trials"), index, trial)
    {
        put_name(instruction, stream);
        put_cells(trial, trial, stream);
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

static void put_assists(const json_t *assists, FILE *stream)
{
    const json_t *assist;
    size_t index;
    fputs("<dl class=\"facts\">\n", stream);
    json_array_foreach(assists, index, assist)
    {
        fputs("<div><dt>", stream);
        put(assist, "title", stream);
        fputs("</dt><dd><strong>", stream);
        put(assist, "state", stream);
        fputs("</strong>: ", stream);
        put(assist, "evidence", stream);
        fputs("</dd></div>\n", stream);
    }
    fputs("</dl>\n", stream);
}

bool vt_html_is_audited(const struct vt_html *page)
{
    return vt_audited_find(page->report->table);
}

void vt_html_audit(const struct vt_html *page)
{
    FILE *stream = page->stream;
    const struct vt_result *result = vt_audited_find(page->report->table);
    if (!result)
        return;
    const json_t *instructions = json_object_get(result->audit, "instructions");
    fputs("<section id=\"audit\"><h2>Could it be virtualized without help from the CPU?</h2>\n<p>", stream);
    vt_escape_html(vt_audited_verdict(result), stream);
    fputs("</p>\n", stream);
    if (page->report->table->result_count > 1 && result->file) {
        fputs("<p>This is about the machine of ", stream);
        vt_escape_html(result->file, stream);
        fputs(".</p>\n", stream);
    }
    put_assists(json_object_get(result->audit, "assists"), stream);
    fputs("<p>Each line was found by executing the instruction at ring 3. Silent: no trap, and not what a "
          "guest "
          "kernel expects. Emulated: the CPU faults and the host kernel answers in its place. Traps: a "
          "hypervisor can "
          "emulate it. The guest kernel of the comparison is ",
          stream);
    put(result->audit, "guest", stream);
    fputs(".</p>\n", stream);
    put_summary(instructions, stream);
    put_trials(instructions, stream);
    fputs("</section>\n", stream);
}
