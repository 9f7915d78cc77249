#include "report/audited.h"
#include "report/said.h"
#include "report/page/page.h"

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
    put_assists(json_object_get(result->audit, "assists"), &pen);
    vt_pen_paragraph(
        &pen,
        "Each line was found by executing the instruction at ring 3. Silent: no trap, and not what a guest "
        "kernel expects. Emulated: the CPU faults and the host kernel answers in its place. "
        "Traps: a hypervisor can emulate it. The guest kernel of the comparison is %s.",
        vt_audited_word(result->audit, "guest"));
    vt_said_trials(result, VT_TRIALS_UNPRIVILEGED, &pen);
    vt_pen_fold(&pen, "Every trial, the privileged instructions among them");
    vt_said_trials(result, VT_TRIALS_EVERY, &pen);
    vt_pen_end_fold(&pen);
    fputs("</section>\n", stream);
}
