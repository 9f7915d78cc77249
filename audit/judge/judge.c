#include "audit/judge/judge.h"
#include "guest/catalogue.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Exception vectors: Intel SDM 3A 6.3.1. */
enum { BREAKPOINT = 3, INVALID_OPCODE = 6, INVALID_TSS = 10, NOT_PRESENT, STACK_FAULT, PROTECTION };

static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"},   {SIGFPE, "SIGFPE"},
        {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"}, {SIGKILL, "SIGKILL"}, {SIGALRM, "SIGALRM"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == number)
            return names[i].name;
    return "another signal";
}

static bool has_error_code(int64_t vector)
{
    return vector == 8 || (vector >= INVALID_TSS && vector <= 14) || vector == 17 || vector == 21;
}

void vt_audit_describe_fault(const struct vt_audit_run *run, char *text, size_t size)
{
    const char *name = signal_name(run->signal);
    if (run->signal == SIGSYS || run->trap <= 0)
        snprintf(text, size, "%s", name);
    else if (has_error_code(run->trap) && run->error)
        snprintf(text, size, "%s(%#lx), %s", vt_guest_vector_name((uint64_t)run->trap), run->error, name);
    else if (has_error_code(run->trap))
        snprintf(text, size, "%s(0), %s", vt_guest_vector_name((uint64_t)run->trap), name);
    else
        snprintf(text, size, "%s, %s", vt_guest_vector_name((uint64_t)run->trap), name);
}

/* A kernel that does not tell the vector still tells SIGSEGV and SIGILL from the rest. */
bool vt_audit_is_trap(const struct vt_audit_trial *trial, const struct vt_audit_run *run,
                      uint32_t stub_address)
{
    if (run->end != VT_AUDIT_FAULTED || run->signal == SIGSYS)
        return false;
    if (run->trap == BREAKPOINT)
        return run->rip == stub_address + trial->stub->length;
    bool known = run->trap == INVALID_OPCODE || (run->trap >= INVALID_TSS && run->trap <= PROTECTION);
    bool plausible = run->trap <= 0 && (run->signal == SIGSEGV || run->signal == SIGILL);
    return run->rip == stub_address && (known || plausible);
}

void vt_audit_judge_ran(struct vt_audit_finding *finding)
{
    snprintf(finding->seen, sizeof finding->seen, "runs without a fault");
}

static void judge_fault(struct vt_audit_finding *finding, uint32_t stub_address, bool absent)
{
    const struct vt_audit_run *run = &finding->run;
    vt_audit_describe_fault(run, finding->seen, sizeof finding->seen);
    if (run->signal == SIGSYS) {
        finding->outcome = VT_AUDIT_SILENT;
        snprintf(finding->note, sizeof finding->note,
                 "a seccomp filter of the host answered: its kernel was entered");
    } else if (!vt_audit_is_trap(finding->trial, run, stub_address)) {
        finding->outcome = VT_AUDIT_UNKNOWN;
        snprintf(finding->note, sizeof finding->note,
                 "unknown, because this is not how the instruction itself faults: RIP %#lx, address %#lx",
                 run->rip, run->address);
    } else if (run->trap == INVALID_OPCODE && absent) {
        finding->outcome = VT_AUDIT_ABSENT;
        snprintf(finding->note, sizeof finding->note, "CPUID does not announce it");
    } else {
        finding->outcome = VT_AUDIT_TRAPS;
    }
}

static void judge_loss(struct vt_audit_finding *finding)
{
    const struct vt_audit_run *run = &finding->run;
    finding->outcome = VT_AUDIT_UNKNOWN;
    if (run->end == VT_AUDIT_STUCK)
        snprintf(finding->note, sizeof finding->note, "unknown, because it did not come back within 3 s");
    else if (run->end == VT_AUDIT_KILLED)
        snprintf(finding->note, sizeof finding->note, "unknown, because the process died of %s",
                 signal_name(run->signal));
    else if (!*finding->note)
        snprintf(finding->note, sizeof finding->note, "unknown, because the process ended without a word");
}

void vt_audit_judge_end(struct vt_audit_finding *finding, uint32_t stub_address, bool absent)
{
    const struct vt_audit_trial *trial = finding->trial;
    snprintf(finding->expected, sizeof finding->expected, "%s", trial->effect);
    finding->outcome = VT_AUDIT_SILENT;
    if (finding->run.end == VT_AUDIT_COMPLETED)
        (trial->judge ? trial->judge : vt_audit_judge_ran)(finding);
    else if (finding->run.end == VT_AUDIT_FAULTED)
        judge_fault(finding, stub_address, absent);
    else
        judge_loss(finding);
}
