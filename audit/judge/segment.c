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
static void compare(const struct vt_audit_run *run, struct vt_audit_finding *finding, const char *what,
                    uint64_t value, uint64_t expected)
{
    bool here = is_valid(run), there = guest_has(selector_of(run));
    bool differs = here != there || (here && what && value != expected);
    show(finding->seen, sizeof finding->seen, here, what, value);
    show(finding->expected, sizeof finding->expected, there, what, expected);
    finding->outcome = differs ? VT_AUDIT_SILENT : VT_AUDIT_UNKNOWN;
    if (!differs)
        snprintf(finding->note, sizeof finding->note,
                 "unknown, because host and guest describe selector %#x alike by chance", selector_of(run));
}

void vt_audit_judge_rights(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                           struct vt_audit_finding *finding)
{
    compare(run, finding, "rights", run->frame.out[VT_FRAME_RAX] & 0x00f0ff00, trial->expected);
}

void vt_audit_judge_limit(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                          struct vt_audit_finding *finding)
{
    compare(run, finding, "limit", (uint32_t)run->frame.out[VT_FRAME_RAX], trial->expected);
}

void vt_audit_judge_verified(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                             struct vt_audit_finding *finding)
{
    (void)trial;
    compare(run, finding, NULL, 0, 0);
}

static void expect(struct vt_audit_finding *finding, uint16_t selector)
{
    if (guest_has(selector))
        snprintf(finding->expected, sizeof finding->expected, "its own descriptor %#x", selector);
    else
        snprintf(finding->expected, sizeof finding->expected, "#GP(%#x): none in its GDT", selector & ~3u);
}

void vt_audit_judge_loaded(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                           struct vt_audit_finding *finding)
{
    (void)trial;
    finding->outcome = VT_AUDIT_SILENT;
    snprintf(finding->seen, sizeof finding->seen, "loads the host's %#x", selector_of(run));
    expect(finding, selector_of(run));
}

void vt_audit_judge_jumped(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                           struct vt_audit_finding *finding)
{
    (void)trial;
    finding->outcome = VT_AUDIT_SILENT;
    snprintf(finding->seen, sizeof finding->seen, "goes through the host's %#x", selector_of(run));
    expect(finding, selector_of(run));
}

void vt_audit_judge_system(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                           struct vt_audit_finding *finding)
{
    finding->outcome = VT_AUDIT_SILENT;
    snprintf(finding->seen, sizeof finding->seen, "the host's system call, EAX %d",
             (int32_t)run->frame.out[VT_FRAME_RAX]);
    snprintf(finding->expected, sizeof finding->expected, "%s", trial->effect);
}
