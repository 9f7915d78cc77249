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

void vt_audit_judge_table(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                          struct vt_audit_finding *finding)
{
    uint16_t limit;
    uint64_t base;
    memcpy(&limit, run->memory, sizeof limit);
    memcpy(&base, run->memory + sizeof limit, sizeof base);
    snprintf(finding->seen, sizeof finding->seen, "base 0x%lx, limit 0x%x", base, limit);
    snprintf(finding->expected, sizeof finding->expected, "base 0x%lx, limit 0x%lx", trial->expected,
             trial->limit);
    compare(finding, base != trial->expected || limit != trial->limit);
}

static void compare_number(const struct vt_audit_trial *trial, struct vt_audit_finding *finding,
                           uint64_t value)
{
    snprintf(finding->seen, sizeof finding->seen, "0x%lx", value);
    snprintf(finding->expected, sizeof finding->expected, "0x%lx", trial->expected);
    compare(finding, value != trial->expected);
}

void vt_audit_judge_register(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                             struct vt_audit_finding *finding)
{
    compare_number(trial, finding, run->frame.out[VT_FRAME_RAX]);
}

/* A selector is pushed in 2, 4 or 8 bytes; what lies above its 16 bits may be old (Intel SDM 2B PUSH). */
void vt_audit_judge_pushed(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                           struct vt_audit_finding *finding)
{
    uint16_t selector;
    uint64_t moved = run->frame.in[VT_FRAME_RSP] - run->frame.out[VT_FRAME_RSP];
    const uint8_t *top = (const uint8_t *)&run->stack[VT_AUDIT_STACK_TOP];
    memcpy(&selector, top - (moved <= sizeof(uint64_t) ? moved : sizeof(uint64_t)), sizeof selector);
    compare_number(trial, finding, selector);
}

void vt_audit_judge_host_value(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                               struct vt_audit_finding *finding)
{
    finding->outcome = VT_AUDIT_SILENT;
    snprintf(finding->seen, sizeof finding->seen, "0x%lx, the host's", run->frame.out[VT_FRAME_RAX]);
    snprintf(finding->expected, sizeof finding->expected, "%s", trial->effect);
}

static uint64_t counter(const struct vt_audit_run *run)
{
    return run->frame.out[VT_FRAME_RDX] << 32 | (uint32_t)run->frame.out[VT_FRAME_RAX];
}

void vt_audit_judge_counter(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                            struct vt_audit_finding *finding)
{
    finding->outcome = VT_AUDIT_SILENT;
    snprintf(finding->seen, sizeof finding->seen, "%#lx, the host's", counter(run));
    snprintf(finding->expected, sizeof finding->expected, "%s", trial->effect);
}

void vt_audit_judge_counter_aux(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                                struct vt_audit_finding *finding)
{
    vt_audit_judge_counter(trial, run, finding);
    snprintf(finding->seen, sizeof finding->seen, "0x%lx, TSC_AUX 0x%x, the host's", counter(run),
             (uint32_t)run->frame.out[VT_FRAME_RCX]);
}

void vt_audit_judge_xgetbv(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                           struct vt_audit_finding *finding)
{
    compare_number(trial, finding, counter(run));
}

void vt_audit_judge_hypercall(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                              struct vt_audit_finding *finding)
{
    finding->outcome = VT_AUDIT_SILENT;
    snprintf(finding->seen, sizeof finding->seen, "the hypervisor outside, RAX %ld",
             (long)run->frame.out[VT_FRAME_RAX]);
    snprintf(finding->expected, sizeof finding->expected, "%s", trial->effect);
}
