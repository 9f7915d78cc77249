#include "audit/audit.h"
#include "audit/catalogue.h"
#include "audit/descriptor.h"
#include "audit/guest_view.h"
#include "audit/judge/judge.h"
#include "audit/verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct vt_audit_stub vt_audit_stub_cpuid;

static const int OUT_REGISTER[] = {VT_FRAME_RAX, VT_FRAME_RBX, VT_FRAME_RCX, VT_FRAME_RDX};
static const uint32_t hypervisor_bit = UINT32_C(1) << 31; /* CPUID.1:ECX */

/* CPUID as a trial, because it may fault here; false: it did. */
static bool ask_cpuid(struct vt_audit_arena *arena, uint32_t leaf, uint32_t subleaf, uint32_t answer[4])
{
    struct vt_error error;
    struct vt_audit_run *run = arena->run;
    vt_audit_trial_begin(arena, &vt_audit_stub_cpuid);
    run->frame.in[VT_FRAME_RAX] = leaf;
    run->frame.in[VT_FRAME_RCX] = subleaf;
    if (vt_audit_trial_run(arena, &vt_audit_stub_cpuid, VT_AUDIT_NO_ASSIST, &error) < 0 ||
        run->end != VT_AUDIT_COMPLETED)
        return false;
    for (int i = 0; i < 4; i++)
        answer[i] = (uint32_t)run->frame.out[OUT_REGISTER[i]];
    return true;
}

/* Does the CPU say that it does not have the instruction? Leaves above the highest one hold nothing. */
static bool is_absent(struct vt_audit_arena *arena, const struct vt_audit_feature *feature)
{
    uint32_t highest[4], answer[4];
    if (feature->leaf == 0 || !ask_cpuid(arena, feature->leaf & 0x80000000, 0, highest))
        return false;
    if (highest[0] < feature->leaf)
        return true;
    return ask_cpuid(arena, feature->leaf, feature->subleaf, answer) &&
           !(answer[feature->reg] >> feature->bit & 1);
}

static void begin(struct vt_audit_arena *arena, const struct vt_audit_trial *trial,
                  const struct vt_audit_stub *stub)
{
    vt_audit_trial_begin(arena, stub);
    arena->run->frame.in[VT_FRAME_RAX] = trial->rax;
    arena->run->frame.in[VT_FRAME_RCX] = trial->rcx;
    arena->run->frame.in[VT_FRAME_RDX] = trial->rdx;
    if (trial->prepare)
        trial->prepare(arena, arena->run);
}

/*
 * Who stored the operand? To a page that is present and read-only the CPU's own store faults as a protection
 * violation (SEGV_ACCERR); Linux, answering under UMIP in the CPU's place, reports SEGV_MAPERR whatever it
 * was (arch/x86/kernel/umip.c).
 */
static int find_who_stores(struct vt_audit_arena *arena, struct vt_audit_finding *finding,
                           struct vt_error *error)
{
    const struct vt_audit_stub *witness = finding->trial->witness;
    begin(arena, finding->trial, witness);
    arena->run->frame.in[VT_FRAME_RDI] = (uintptr_t)arena->readonly;
    int status = vt_audit_trial_run(arena, witness, VT_AUDIT_NO_ASSIST, error);
    if (status < 0)
        return status;
    if (arena->run->end != VT_AUDIT_FAULTED || arena->run->signal != SIGSEGV)
        return 0;
    if (arena->run->signal_code == SEGV_MAPERR) {
        finding->outcome = VT_AUDIT_EMULATED;
        snprintf(finding->note, sizeof finding->note,
                 "the kernel's answer: with a read-only page it is SEGV_MAPERR, which the CPU's own store "
                 "never is");
    } else if (arena->run->signal_code == SEGV_ACCERR) {
        snprintf(finding->note, sizeof finding->note,
                 "the CPU's answer: with a read-only page its store is SEGV_ACCERR, error 0x%lx",
                 arena->run->error);
    }
    return 0;
}

static void describe_assisted(struct vt_audit_finding *finding, const struct vt_audit_run *run, bool traps)
{
    char fault[64];
    enum vt_audit_assist assist = finding->trial->assist;
    finding->assisted = traps ? VT_AUDIT_TRAPS : VT_AUDIT_UNKNOWN;
    if (run->end == VT_AUDIT_REFUSED) {
        snprintf(finding->assisted_note, sizeof finding->assisted_note, "%s",
                 vt_audit_assist_refusal(assist, -run->refusal));
    } else if (run->end == VT_AUDIT_FAULTED) {
        vt_audit_describe_fault(run, fault, sizeof fault);
        snprintf(finding->assisted_note, sizeof finding->assisted_note, "%s", fault);
    } else if (run->end == VT_AUDIT_COMPLETED) {
        finding->assisted = VT_AUDIT_SILENT;
        snprintf(finding->assisted_note, sizeof finding->assisted_note, "it runs all the same");
    }
}

static int try_assist(struct vt_audit_arena *arena, struct vt_audit_finding *finding, struct vt_error *error)
{
    const struct vt_audit_trial *trial = finding->trial;
    finding->assisted = finding->outcome;
    if (finding->outcome == VT_AUDIT_EMULATED)
        finding->assisted = VT_AUDIT_TRAPS;
    if (finding->outcome != VT_AUDIT_SILENT || !vt_audit_assist_is_switchable(trial->assist))
        return 0;
    begin(arena, trial, trial->stub);
    int status = vt_audit_trial_run(arena, trial->stub, trial->assist, error);
    if (status == 0)
        describe_assisted(
            finding, arena->run,
            vt_audit_is_trap(trial, arena->run, vt_audit_arena_address(arena, trial->stub->code)));
    return status;
}

static void leave_out(struct vt_audit_finding *finding)
{
    finding->outcome = finding->assisted = VT_AUDIT_UNKNOWN;
    snprintf(finding->expected, sizeof finding->expected, "%s", finding->trial->effect);
    snprintf(finding->note, sizeof finding->note,
             "not encodable in 64-bit mode, and this process sees no 32-bit code segment to try it in");
}

static int try(struct vt_audit_arena *arena, struct vt_audit_finding *finding, struct vt_error *error)
{
    const struct vt_audit_trial *trial = finding->trial;
    if (trial->stub->mode != VT_AUDIT_64 && arena->code32_selector == 0) {
        leave_out(finding);
        return 0;
    }
    begin(arena, trial, trial->stub);
    int status = vt_audit_trial_run(arena, trial->stub, VT_AUDIT_NO_ASSIST, error);
    if (status < 0)
        return status;
    finding->run = *arena->run;
    bool absent = finding->run.end == VT_AUDIT_FAULTED && is_absent(arena, &trial->feature);
    vt_audit_judge_end(finding, vt_audit_arena_address(arena, trial->stub->code), absent);
    if (trial->witness && finding->run.end == VT_AUDIT_COMPLETED)
        status = find_who_stores(arena, finding, error);
    return status < 0 ? status : try_assist(arena, finding, error);
}

static int try_all(struct vt_audit *audit, struct vt_audit_arena *arena, struct vt_error *error)
{
    size_t count;
    const struct vt_audit_trial *trials = vt_audit_trials(&count);
    bool any = false;
    audit->findings = calloc(count, sizeof *audit->findings);
    audit->instructions = calloc(count, sizeof *audit->instructions);
    if (!audit->findings || !audit->instructions)
        return vt_error_memory(error, "the audit");
    for (; audit->finding_count < count; audit->finding_count++) {
        struct vt_audit_finding *finding = &audit->findings[audit->finding_count];
        finding->trial = &trials[audit->finding_count];
        int status = try(arena, finding, error);
        if (status < 0)
            return status;
        any |= finding->run.end == VT_AUDIT_COMPLETED || finding->run.end == VT_AUDIT_FAULTED;
    }
    return any ? 0
               : vt_error_set(error, VT_EXIT_ENVIRONMENT, EPERM,
                              "audit: none of %zu instructions came back: something ends the processes they "
                              "are tried in; try outside the sandbox or tracer",
                              count);
}

static void ask_for_hypervisor(struct vt_audit *audit, struct vt_audit_arena *arena)
{
    uint32_t answer[4];
    audit->hypervisor_known = ask_cpuid(arena, 1, 0, answer);
    audit->under_hypervisor = audit->hypervisor_known && (answer[2] & hypervisor_bit);
}

int vt_audit_run(struct vt_audit *audit, struct vt_error *error)
{
    struct vt_audit_arena arena;
    *audit = (struct vt_audit){0};
    int status = vt_audit_arena_open(&arena, error);
    if (status < 0)
        return status;
    status = try_all(audit, &arena, error);
    if (status == 0) {
        ask_for_hypervisor(audit, &arena);
        vt_audit_conclude(audit);
    } else {
        vt_audit_free(audit);
    }
    vt_audit_arena_close(&arena);
    return status;
}

void vt_audit_free(struct vt_audit *audit)
{
    free(audit->findings);
    free(audit->instructions);
    *audit = (struct vt_audit){0};
}
