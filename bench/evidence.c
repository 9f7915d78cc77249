#include "bench/evidence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A count per operation is "one" from here on, and "none" up to there; between them nothing is proved. */
#define ONE  0.9
#define NONE 0.1

/* Of each other vCPU, for each operation of the one that is measured: a slower CPU is no idle one. */
#define BESIDE_AT_LEAST 0.25

static bool happened(double per_operation)
{
    return per_operation >= ONE;
}

static bool absent(double per_operation)
{
    return fabs(per_operation) <= NONE;
}

/*
 * Exits that host interrupts cause hit long batches more often than short ones and
 * say nothing of the operation: KVM counts them apart, and they are taken off.
 */
static double exits_each(const struct vt_measurement *m)
{
    double interrupts = vt_measurement_per_operation(m, VT_IRQ_EXITS);
    return vt_measurement_per_operation(m, VT_EXITS) - (isnan(interrupts) ? 0 : interrupts);
}

static double each(const struct vt_measurement *m, enum vt_counter counter)
{
    return vt_measurement_per_operation(m, counter);
}

/*
 * Turns of the baseline's loop are instructions too: where each is emulated, so is
 * everything. An interpreter takes many instructions per exit; one emulation per exit
 * is how KVM moves past an instruction on a CPU that does not tell its length.
 */
static bool everything_is_interpreted(const struct vt_measurement *m)
{
    const struct vt_counters *counters = &m->baseline_counters;
    double turns = (double)m->iterations * (double)m->batches;
    double emulated = (double)counters->value[VT_INSN_EMULATION];
    double exits = vt_counters_has(counters, VT_EXITS) ? (double)counters->value[VT_EXITS] : 0;
    return vt_counters_has(counters, VT_INSN_EMULATION) && turns > 0 && emulated / turns >= 2 * ONE &&
           emulated > 2 * exits;
}

/* `text` goes on from the value ("0.40 exits per operation ..."); without a value it stands alone. */
static void doubt(struct vt_measurement *m, double value, const char *text)
{
    if (m->status == VT_STATUS_UNVERIFIED)
        return;
    m->status = VT_STATUS_UNVERIFIED;
    if (isnan(value))
        snprintf(m->reason, sizeof m->reason, "%s", text);
    else
        snprintf(m->reason, sizeof m->reason, "%.2f %s", value, text);
}

static void note(struct vt_measurement *m, const char *text)
{
    if (m->reason[0] == 0)
        snprintf(m->reason, sizeof m->reason, "%s", text);
}

/* Where this machine is a guest, what does not exit to us may exit to the hypervisor below; no counter here
 * sees it. */
static void note_outer(struct vt_measurement *m, const struct vt_evidence_context *context)
{
    enum vt_exiting exiting = context->amd ? m->c->svm : m->c->vmx;
    if (context->inside && exiting == VT_EXITS_ALWAYS)
        note(m, "this machine is itself a guest: the time holds an exit of the hypervisor below it");
    else if (context->inside && exiting == VT_EXITS_CONTROL)
        note(m, "this machine is itself a guest: the time may hold an exit of the hypervisor below it");
}

/* Rows of rules, the first that holds decides: the strongest witness comes first. */
static enum vt_crossing crossing_of_exits(const struct vt_measurement *m)
{
    if (everything_is_interpreted(m))
        return VT_CROSSING_INTERPRETED;
    if (happened(each(m, VT_HYPERCALLS)))
        return VT_CROSSING_HYPERCALL;
    if (happened(each(m, VT_USER_EXITS)))
        return VT_CROSSING_EXIT_USER;
    if (happened(exits_each(m)))
        return VT_CROSSING_EXIT_KERNEL;
    if (absent(exits_each(m)))
        return VT_CROSSING_NONE;
    return VT_CROSSING_UNKNOWN;
}

static enum vt_crossing crossing_of_software(const struct vt_measurement *m)
{
    if (happened(each(m, VT_SIGNALS)) || happened(each(m, VT_HOST_EMULATIONS)))
        return VT_CROSSING_TRAP;
    if (happened(each(m, VT_PAGE_FAULTS)))
        return VT_CROSSING_TRAP;
    if (happened(each(m, VT_CALLOUTS)))
        return VT_CROSSING_CALLOUT;
    if (happened(each(m, VT_INLINE_HITS)))
        return VT_CROSSING_INLINE;
    return absent(each(m, VT_SIGNALS)) || absent(each(m, VT_CALLOUTS)) ? VT_CROSSING_NONE
                                                                       : VT_CROSSING_UNKNOWN;
}

/* IPIs must each have been delivered, or wait for the vCPU they were sent to; an interpreter that looks for
 * interrupts rarely merges them. */
static void check_interrupts(struct vt_measurement *m)
{
    double turns = (double)m->iterations * (double)m->batches;
    bool called = m->c->needs & VT_NEED_PARTNER && m->c->needs & VT_NEED_X2APIC;
    if (!(called || m->c->needs & (VT_NEED_INTERRUPTS | VT_NEED_PEER)) ||
        !vt_counters_has(&m->body_counters, VT_INTERRUPTS))
        return;
    double body = (double)m->body_counters.value[VT_INTERRUPTS] / turns;
    double baseline = (double)m->baseline_counters.value[VT_INTERRUPTS] / turns;
    if (body < 0.99)
        doubt(m, body, "interrupts delivered per operation instead of 1");
    else if (m->c->class == VT_CLASS_IDLE && baseline < 0.99)
        doubt(m, baseline, "interrupts per operation taken by the baseline instead of 1");
}

static void check_handler(struct vt_measurement *m)
{
    switch (m->c->handler) {
    case VT_BY_USER:
        if (!happened(each(m, VT_USER_EXITS)))
            doubt(m, each(m, VT_USER_EXITS), "user exits per operation instead of 1");
        break;
    case VT_BY_KERNEL:
        if (m->crossing != VT_CROSSING_EXIT_KERNEL && m->crossing != VT_CROSSING_INTERPRETED)
            doubt(m, exits_each(m), "exits per operation instead of 1");
        break;
    case VT_BY_HYPERCALL:
        if (m->crossing == VT_CROSSING_NONE)
            doubt(m, exits_each(m),
                  "exits per operation: nothing here took the hypercall; the outer hypervisor may have");
        break;
    case VT_BY_CPU:
        break;
    }
}

/* What the manuals leave no choice about. */
static void check_manual(struct vt_measurement *m, enum vt_exiting exiting)
{
    double exits = exits_each(m);
    if (m->crossing == VT_CROSSING_INTERPRETED)
        return;
    if (exiting == VT_EXITS_ALWAYS && !happened(exits))
        doubt(m, exits, "exits per operation where the manual says it always exits");
    else if (exiting == VT_EXITS_NEVER && !absent(exits))
        doubt(m, exits, "exits per operation where the manual says it cannot exit");
}

/* Where instructions are counted exactly, an exit in a hundred operations shows in the toll. */
static void note_rare_exits(struct vt_measurement *m)
{
    double exits = exits_each(m) * (double)m->iterations;
    if (exits < ONE || m->reason[0])
        return;
    snprintf(m->reason, sizeof m->reason,
             "%.0f exit per batch of %llu operations is part of the toll: the first use after an exit to "
             "user space",
             exits, (unsigned long long)m->iterations);
}

/* That the others were at it meanwhile is what the row claims. */
static void check_beside(struct vt_measurement *m)
{
    double operations = (double)m->iterations * (double)m->batches;
    double beside = (double)m->body_counters.value[VT_BESIDE] / operations;

    if (m->vcpus > 1 && !(beside >= (m->vcpus - 1) * BESIDE_AT_LEAST))
        doubt(m, beside, "operations of the other vCPUs for one of this: they did not run beside it");
}

/* KVM counts each entry of the guest's guest that its hypervisor asks for, and none of its own going on. */
static void check_inner(struct vt_measurement *m)
{
    bool enters = m->c->inner >= VT_INNER_CALLS && m->c->inner <= VT_INNER_AS_KVM;
    double entries = each(m, VT_NESTED_RUN);

    if (isnan(entries) || !(m->c->needs & VT_NEED_HYPERVISOR))
        return;
    if (enters && !happened(entries))
        doubt(m, entries, "entries of the guest's guest per operation instead of 1");
    else if (!enters && !absent(entries))
        doubt(m, entries, "entries of the guest's guest per operation instead of none");
}

static void judge_exits(struct vt_measurement *m, const struct vt_evidence_context *context)
{
    enum vt_backend backend = context->backend;

    m->exits_per_op = exits_each(m);
    m->crossing = crossing_of_exits(m);
    if (m->crossing == VT_CROSSING_INTERPRETED)
        m->path = VT_PATH_EMULATED;
    if (m->crossing == VT_CROSSING_UNKNOWN)
        doubt(m, m->exits_per_op,
              isnan(m->exits_per_op)
                  ? "no exit counter can be read (KVM_GET_STATS_FD, Linux 5.14; before, debugfs as root)"
                  : "exits per operation: neither one nor none");
    check_handler(m);
    if (backend == VT_BACKEND_VMX)
        check_manual(m, m->c->vmx);
    if (backend == VT_BACKEND_SVM)
        check_manual(m, m->c->svm);
    check_interrupts(m);
    check_inner(m);
    check_beside(m);
    if (m->crossing == VT_CROSSING_NONE && m->simulated)
        note_rare_exits(m);
    if (m->crossing == VT_CROSSING_NONE)
        note_outer(m, context);
}

static void judge_native(struct vt_measurement *m, const struct vt_evidence_context *context)
{
    m->exits_per_op = NAN;
    m->crossing = crossing_of_software(m);
    if (happened(each(m, VT_HOST_EMULATIONS)))
        note(m, "UMIP: the instruction faults and the host kernel answers with dummy values");
    if (m->crossing == VT_CROSSING_NONE)
        note_outer(m, context);
}

static void judge_software(struct vt_measurement *m)
{
    double signals = each(m, VT_SIGNALS);
    m->crossing = crossing_of_software(m);
    m->exits_per_op = signals;
    if (m->form && m->form->calls && m->crossing != VT_CROSSING_TRAP)
        doubt(m, signals, "signals per operation instead of 1: the call went elsewhere");
    if (m->crossing == VT_CROSSING_UNKNOWN)
        doubt(m, signals, "signals per operation: neither one nor none");
    if (happened(-each(m, VT_BLOCKS)))
        doubt(m, -each(m, VT_BLOCKS),
              "blocks per operation run by the baseline alone: it is not the same work");
}

/* KVM takes its offer to end an interrupt in memory back at each exit, and interpreted code is all exits. */
static const char *not_honoured(const struct vt_measurement *m)
{
    if (!(m->form->needs & VT_PV_NEED_EOI))
        return "the hypervisor was not seen to honour it";
    return "the hypervisor was not seen to honour it: KVM does not where the processor ends interrupts by "
           "itself (APICv, AVIC), nor where their handler is interpreted";
}

/*
 * A paravirtual form either calls, and then every operation is counted as a call, or it is memory alone, and
 * then nothing may cross. Where all code is interpreted the crossing is that, the path stays paravirtual.
 */
static void judge_paravirtual(struct vt_measurement *m)
{
    double calls = each(m, VT_HYPERCALLS), honoured = each(m, VT_HONOURED);

    m->exits_per_op = exits_each(m);
    m->crossing = crossing_of_exits(m);
    if (isnan(m->exits_per_op))
        doubt(m, NAN, "no exit counter can be read (KVM_GET_STATS_FD, Linux 5.14; before, debugfs as root)");
    else if (m->form->calls && !(happened(calls) && absent(calls - 1)))
        doubt(m, calls, "hypercalls counted per operation instead of 1");
    else if (!m->form->calls && m->crossing != VT_CROSSING_NONE && m->crossing != VT_CROSSING_INTERPRETED)
        doubt(m, m->exits_per_op, "exits per operation where shared memory needs none");
    if (!isnan(honoured) && !happened(honoured))
        doubt(m, NAN, not_honoured(m));
    if (m->form->needs & VT_PV_NEED_SEND_IPI)
        check_interrupts(m);
}

/* The host's own calls: counted as they return, and their effect seen by another way than their answer. */
static void judge_host(struct vt_measurement *m)
{
    double calls = each(m, VT_SYSTEM_CALLS), seen = each(m, VT_HONOURED);

    m->exits_per_op = NAN;
    m->crossing = happened(calls) ? VT_CROSSING_SYSTEM_CALL : VT_CROSSING_UNKNOWN;
    if (!happened(calls))
        doubt(m, calls, "system calls per operation instead of 1 or more");
    else if (!happened(seen))
        doubt(m, seen, "of the calls were seen to have had their effect");
}

void vt_evidence_judge(struct vt_measurement *m, const struct vt_evidence_context *context)
{
    m->status = VT_STATUS_OK;
    if (m->c->needs & VT_NEED_HOST)
        judge_host(m);
    else if (m->form && !vt_counters_has(&m->body_counters, VT_SIGNALS))
        judge_paravirtual(m);
    else if (vt_counters_has(&m->body_counters, VT_EXITS) ||
             vt_counters_has(&m->body_counters, VT_USER_EXITS))
        judge_exits(m, context);
    else if (m->path == VT_PATH_NATIVE)
        judge_native(m, context);
    else
        judge_software(m);
}
