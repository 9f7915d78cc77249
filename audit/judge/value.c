#include "audit/guest_view.h"
#include "audit/judge/judge.h"

#include <stdio.h>
#include <string.h>

/* Two different values tell whose they are; equal ones do not. */
static void compare(struct vt_audit_finding *finding, bool differs)
{
    finding->outcome = differs ? VT_AUDIT_SILENT : VT_AUDIT_UNKNOWN;
    if (!differs)
        snprintf(finding->note, sizeof finding->note,
                 "unknown, because the host's value and the guest's are the same by chance");
}

void vt_audit_judge_table(struct vt_audit_finding *finding)
{
    uint16_t limit;
    uint64_t base;
    memcpy(&limit, finding->run.memory, sizeof limit);
    memcpy(&base, finding->run.memory + sizeof limit, sizeof base);
    snprintf(finding->seen, sizeof finding->seen, "base 0x%lx, limit 0x%x", base, limit);
    snprintf(finding->expected, sizeof finding->expected, "base 0x%lx, limit 0x%lx", finding->trial->expected,
             finding->trial->limit);
    compare(finding, base != finding->trial->expected || limit != finding->trial->limit);
}

static void compare_number(struct vt_audit_finding *finding, uint64_t value)
{
    snprintf(finding->seen, sizeof finding->seen, "0x%lx", value);
    snprintf(finding->expected, sizeof finding->expected, "0x%lx", finding->trial->expected);
    compare(finding, value != finding->trial->expected);
}

void vt_audit_judge_register(struct vt_audit_finding *finding)
{
    compare_number(finding, finding->run.frame.out[VT_FRAME_RAX]);
}

/* A selector is pushed in 2, 4 or 8 bytes; what lies above its 16 bits may be old (Intel SDM 2B PUSH). */
void vt_audit_judge_pushed(struct vt_audit_finding *finding)
{
    uint16_t selector;
    uint64_t moved = finding->run.frame.in[VT_FRAME_RSP] - finding->run.frame.out[VT_FRAME_RSP];
    const uint8_t *top = (const uint8_t *)&finding->run.stack[VT_AUDIT_STACK_TOP];
    memcpy(&selector, top - (moved <= sizeof(uint64_t) ? moved : sizeof(uint64_t)), sizeof selector);
    compare_number(finding, selector);
}

void vt_audit_judge_host_value(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "0x%lx, the host's", finding->run.frame.out[VT_FRAME_RAX]);
}

static uint64_t counter(const struct vt_audit_run *run)
{
    return run->frame.out[VT_FRAME_RDX] << 32 | (uint32_t)run->frame.out[VT_FRAME_RAX];
}

void vt_audit_judge_counter(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "%#lx, the host's", counter(&finding->run));
}

void vt_audit_judge_counter_aux(struct vt_audit_finding *finding)
{
    vt_audit_judge_counter(finding);
    snprintf(finding->seen, sizeof finding->seen, "0x%lx, TSC_AUX 0x%x, the host's", counter(&finding->run),
             (uint32_t)finding->run.frame.out[VT_FRAME_RCX]);
}

void vt_audit_judge_xgetbv(struct vt_audit_finding *finding)
{
    compare_number(finding, counter(&finding->run));
}

void vt_audit_judge_hypercall(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "the hypervisor outside, RAX %ld",
             (long)finding->run.frame.out[VT_FRAME_RAX]);
}
