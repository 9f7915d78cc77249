#include "audit/guest_view.h"
#include "audit/judge/judge.h"

#include <stdio.h>

static const uint64_t zero_flag = 0x40;

static bool is_valid(const struct vt_audit_run *run)
{
    return run->frame.out_rflags & zero_flag;
}

static uint16_t selector_of(const struct vt_audit_run *run)
{
    return (uint16_t)run->frame.in[VT_FRAME_RCX];
}

/* The guest's GDT holds two segments a kernel may load; all others are null or system descriptors. */
static bool guest_has(uint16_t selector)
{
    return selector == VT_VIEW_CODE || selector == VT_VIEW_DATA;
}

static void show(char *text, size_t size, bool valid, const char *what, uint64_t value)
{
    if (valid && what)
        snprintf(text, size, "ZF 1, %s %#lx", what, value);
    else
        snprintf(text, size, "ZF %d", valid);
}

/* LAR and friends answer by ZF; the value counts only when it is set. */
static void compare(struct vt_audit_finding *finding, const char *what, uint64_t value, uint64_t expected)
{
    const struct vt_audit_run *run = &finding->run;
    bool here = is_valid(run), there = guest_has(selector_of(run));
    bool differs = here != there || (here && what && value != expected);
    show(finding->seen, sizeof finding->seen, here, what, value);
    show(finding->expected, sizeof finding->expected, there, what, expected);
    finding->outcome = differs ? VT_AUDIT_SILENT : VT_AUDIT_UNKNOWN;
    if (!differs)
        snprintf(finding->note, sizeof finding->note,
                 "unknown, because host and guest describe selector %#x alike by chance", selector_of(run));
}

void vt_audit_judge_rights(struct vt_audit_finding *finding)
{
    compare(finding, "rights", finding->run.frame.out[VT_FRAME_RAX] & 0x00f0ff00, finding->trial->expected);
}

void vt_audit_judge_limit(struct vt_audit_finding *finding)
{
    compare(finding, "limit", (uint32_t)finding->run.frame.out[VT_FRAME_RAX], finding->trial->expected);
}

void vt_audit_judge_verified(struct vt_audit_finding *finding)
{
    compare(finding, NULL, 0, 0);
}

static void expect(struct vt_audit_finding *finding, uint16_t selector)
{
    if (guest_has(selector))
        snprintf(finding->expected, sizeof finding->expected, "its own descriptor %#x", selector);
    else
        snprintf(finding->expected, sizeof finding->expected, "#GP(%#x): none in its GDT", selector & ~3u);
}

void vt_audit_judge_loaded(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "loads the host's %#x", selector_of(&finding->run));
    expect(finding, selector_of(&finding->run));
}

void vt_audit_judge_jumped(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "goes through the host's %#x", selector_of(&finding->run));
    expect(finding, selector_of(&finding->run));
}

void vt_audit_judge_system(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "the host's system call, EAX %d",
             (int32_t)finding->run.frame.out[VT_FRAME_RAX]);
}
