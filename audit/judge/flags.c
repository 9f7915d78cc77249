#include "audit/judge/judge.h"

#include <stdio.h>

static const uint64_t interrupt_flag = 0x200;

static void judge(struct vt_audit_finding *finding, const char *verb, uint64_t flags)
{
    bool enabled = flags & interrupt_flag;
    finding->outcome = enabled ? VT_AUDIT_SILENT : VT_AUDIT_UNKNOWN;
    snprintf(finding->seen, sizeof finding->seen, "%s %d (RFLAGS %#lx)", verb, enabled, flags);
    snprintf(finding->expected, sizeof finding->expected, "IF 0");
    if (!enabled)
        snprintf(finding->note, sizeof finding->note,
                 "unknown, because the host itself runs with interrupts off");
}

void vt_audit_judge_pushed_flags(struct vt_audit_finding *finding)
{
    judge(finding, "IF", finding->run.stack[VT_AUDIT_STACK_TOP - 1]);
}

/* The flags were read back after IF = 0 was popped. */
void vt_audit_judge_popped_flags(struct vt_audit_finding *finding)
{
    judge(finding, "IF stays", finding->run.frame.out_rflags);
}
