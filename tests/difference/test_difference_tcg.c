/*
 * The emulator against QEMU's processor (TCG) at CPL 0 and CPL 3, faults delivered through the IDT:
 * registers, flags, segments with their hidden parts, tables, MSRs and memory after each state must be equal.
 * Thousands of states are judged in one start of QEMU, each as an SVM guest (tests/judge).
 *
 * beside others
 */
#include "tests/difference/compare.h"
#include "tests/difference/course.h"
#include "tests/unit/suite.h"
#include "tests/difference/tcg.h"
#include "tests/difference/tcg_errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS         (JUDGE_HALVES * JUDGE_HALF)
#define MOST_FAILURES 4096
#define MOST_TO_KEEP  16

_Static_assert(JUDGE_PAGES * 4096 == WORLD_SIZE, "one world in every slot");

static const struct difference_ignored ignored = {
    .judge = "QEMU", .pat = true, .dr6 = 0x1000, .dr7 = 0xd800 /* reserved, and kept */};

static struct tcg tcg;
static struct emulator base;
static uint32_t stale[SLOTS];

static struct difference_course course;

/* States under way, one per slot; what the emulator makes of each is known before QEMU runs it. */
struct task {
    struct difference d;
    size_t form;
    enum difference_level level;
    bool used;
    enum vt_step step;
    struct tcg_first first;
};
static struct task tasks[SLOTS];

/* States that failed, to be judged again alone. */
static struct {
    size_t form;
    uint64_t seed;
    enum difference_level level;
} failed[MOST_FAILURES];
static unsigned failures;

static bool memory_differs(const struct difference *d, unsigned slot)
{
    long at = difference_memory(d, tcg.slots[slot].world, &stale[slot]);
    char where[64];

    snprintf(where, sizeof where, "memory at 0x%lx", WORLD_MEMORY + at);
    return at >= 0 && difference_value(&ignored, where, d->world.memory[at], tcg.slots[slot].world[at]);
}

/* QEMU leaves before the HLT. */
static bool outcome_differs(const struct difference *d, enum vt_step step, const struct vt_vcpu *theirs,
                            unsigned slot)
{
    const struct vt_vcpu *ours = &d->world.vcpu;
    struct difference_ignored qemu = ignored;

    if (d->instruction.operation == VT_OP_SYSCALL)
        qemu.rflags = VT_FLAGS_STATUS | VT_FLAG_DF; /* cleared there, whatever IA32_FMASK says */
    return difference_value(&qemu, "rip", step == VT_STEP_HALT ? WORLD_CODE : ours->rip, theirs->rip) ||
           difference_value(&qemu, "cpl", ours->cpl, theirs->cpl) ||
           difference_registers(&qemu, ours, theirs) || difference_segments(&qemu, ours, theirs) ||
           difference_control(&qemu, ours, theirs) ||
           difference_value(&qemu, "xcr0", ours->xcr0, theirs->xcr0) ||
           difference_value(&qemu, "pkru", ours->pkru, theirs->pkru) || memory_differs(d, slot);
}

/* CR3 is another in every slot. */
static void lead_to_tables(struct difference *d, unsigned slot)
{
    const struct vt_instruction *i = &d->instruction;
    struct vt_vcpu *vcpu = &d->world.vcpu;

    if (i->operation == VT_OP_MOV_TO_CR && i->reg == 3)
        vcpu->gpr[i->rm] ^= vcpu->cr[3] ^ tcg_tables(&tcg.slots[slot]);
    vcpu->cr[3] = tcg_tables(&tcg.slots[slot]);
}

static void emulate(struct task *task)
{
    struct difference *d = &task->d;

    task->step = difference_emulate(d);
    task->first = (struct tcg_first){
        .level = task->level,
        .fault = task->step == VT_STEP_FAULT ? d->world.vcpu.fault.vector : -1,
        .error = d->world.vcpu.fault.error,
    };
    if (task->step == VT_STEP_FAULT)
        task->step = vt_vcpu_deliver(&d->world.vcpu, &d->world.environment);
    else
        task->step = difference_go_on(d, task->step);
}

/* Into the slot; false: QEMU is no judge of what comes of it, and need not run it. */
static bool put(struct task *task, unsigned slot)
{
    struct difference *d = &task->d;

    difference_lay(d, tcg.slots[slot].world, &stale[slot]);
    lead_to_tables(d, slot);
    tcg_put(&tcg.slots[slot], &d->world.vcpu, d->world.memory);
    emulate(task);
    if (!tcg_lets_through(d, &task->first) &&
        (task->step == VT_STEP_FAULT || difference_is_comparable(&d->world)))
        return true;
    tcg.slots[slot].registers.used = 0;
    stale[slot] = d->world.touched;
    return false;
}

enum result { SAME, DIFFERENT, REFUSED, IGNORED };

static enum result judge(struct task *task, unsigned slot)
{
    static struct vt_vcpu theirs;
    uint64_t exit = tcg_get(&tcg.slots[slot], &theirs);
    struct difference *d = &task->d;

    if (exit == SVM_EXIT_INTR) /* QEMU was too slow */
        return REFUSED;
    if (task->step == VT_STEP_FAULT)
        return difference_value(&ignored, "exit", SVM_EXIT_SHUTDOWN, exit) ? DIFFERENT : SAME;
    if (exit != SVM_EXIT_HLT)
        return REFUSED;
    tcg_forget_rf(&d->world, tcg.slots[slot].world);
    tcg_mark_null(&theirs);
    if (d->instruction.operation == VT_OP_LTR && task->first.fault < 0)
        theirs.segment[VT_TR].rights |= 2; /* marked busy in memory alone: Intel SDM 3C 27.3.1.2 has both */
    if (tcg_loses_stack(d, &task->first) && theirs.segment[VT_SS].selector < 4)
        theirs.segment[VT_SS] = d->world.vcpu.segment[VT_SS];
    if (tcg_shows_legacy(d, &theirs))
        return IGNORED;
    return outcome_differs(d, task->step, &theirs, slot) ? DIFFERENT : SAME;
}

/* Alone, in slot 0. */
static bool fails(const struct difference *before)
{
    static struct task task;

    task.d = *before;
    task.d.world.environment.context = &task.d.world;
    task.d.world.touched = DIFFERENCE_ALL;
    task.level = before->world.vcpu.cpl ? LEVEL_USER : LEVEL_KERNEL;
    for (unsigned i = 0; i < SLOTS; i++)
        tcg.slots[i].registers.used = 0;
    if (!put(&task, 0))
        return false;
    tcg_start(&tcg, 0);
    return tcg_wait(&tcg, 0) && judge(&task, 0) == DIFFERENT;
}

static void note(const struct task *task)
{
    if (failures == MOST_FAILURES)
        return;
    failed[failures].form = task->form;
    failed[failures].seed = task->d.seed;
    failed[failures++].level = task->level;
}

static void finish(unsigned slot)
{
    struct task *task = &tasks[slot];
    struct difference_tally *tally = &course.tallies[task->form];

    if (!task->used)
        return;
    switch (judge(task, slot)) {
    case REFUSED:
        tally->refused++;
        return;
    case IGNORED:
        tally->ignored++;
        return;
    case DIFFERENT:
        note(task);
        break;
    case SAME:
        break;
    }
    tally->judged++;
}

/* One state in four is at CPL 3. */
static bool next(struct task *task, unsigned slot)
{
    uint64_t seed;

    while (difference_course_next(&course, &task->form, &seed)) {
        task->level = seed >> 20 & 3 ? LEVEL_KERNEL : LEVEL_USER;
        if (!difference_make(&task->d, &base, &difference_forms[task->form], task->level, seed))
            continue;
        if (!tcg_errs(&task->d) && put(task, slot))
            return true;
        course.tallies[task->form].ignored++;
    }
    return false;
}

static bool fill(unsigned half)
{
    bool any = false;

    for (unsigned i = half * JUDGE_HALF; i < (half + 1) * JUDGE_HALF; i++) {
        tcg.slots[i].registers.used = 0;
        tasks[i].used = next(&tasks[i], i);
        any |= tasks[i].used;
    }
    return any;
}

/* In seconds: a processor of its own needs about half of it. */
#define LIMIT 100

/* While QEMU runs one half the other is compared and filled anew. */
static void compare_all(void)
{
    bool more = true;

    for (unsigned half = 0; half < JUDGE_HALVES; half++) {
        fill(half);
        tcg_start(&tcg, half);
    }
    for (unsigned half = 0; more; half = (half + 1) % JUDGE_HALVES) {
        ck_assert_msg(tcg_wait(&tcg, half), "QEMU is gone, or does not answer");
        for (unsigned i = half * JUDGE_HALF; i < (half + 1) * JUDGE_HALF; i++)
            finish(i);
        more = fill(half);
        tcg_start(&tcg, half);
    }
    for (unsigned half = 0; half < JUDGE_HALVES; half++) {
        ck_assert(tcg_wait(&tcg, half));
        for (unsigned i = half * JUDGE_HALF; i < (half + 1) * JUDGE_HALF; i++)
            finish(i);
    }
}

/* A QEMU that has run nothing yet. */
static void start_afresh(void)
{
    char reason[160];

    tcg_close(&tcg);
    ck_assert_msg(tcg_open(&tcg, reason, sizeof reason), "%s", reason);
    for (unsigned i = 0; i < SLOTS; i++)
        stale[i] = DIFFERENCE_ALL;
}

/*
 * One answer in some 100000 QEMU does not repeat, or repeats only in the process that
 * gave it first: it depends on what ran there before. What it answers when it has run
 * nothing else counts.
 */
static unsigned confirm_failures(void)
{
    static struct difference d;
    unsigned confirmed = 0;

    if (failures)
        start_afresh();

    for (unsigned i = 0; i < failures; i++)
        if (difference_make(&d, &base, &difference_forms[failed[i].form], failed[i].level, failed[i].seed) &&
            fails(&d)) {
            if (confirmed < MOST_TO_KEEP)
                printf("# %s: %s\n", difference_describe(&d), difference_verdict());
            course.tallies[failed[i].form].different++;
            failed[confirmed++] = failed[i];
        }
    if (failures)
        printf("# %u states differed at first, %u of them again\n", failures, confirmed);
    return confirmed;
}

/* Last, for what is made smaller may be too odd for QEMU. */
static void keep_failures(unsigned confirmed)
{
    static struct difference d;

    for (unsigned i = 0; i < confirmed && i < MOST_TO_KEEP; i++)
        if (difference_make(&d, &base, &difference_forms[failed[i].form], failed[i].level, failed[i].seed))
            difference_keep(&d, &base, fails);
}

static void open_base(void)
{
    char reason[160];

    emulator_open(&base);
    if (!tcg_open(&tcg, reason, sizeof reason))
        vt_skip("%s", reason);
    tcg_fill_cpuid(&tcg, &base.vcpu);
    vt_vcpu_apply_cpuid(&base.vcpu);
    base.vcpu.limits.vendor = VT_VENDOR_INTEL; /* its instructions are Intel's, whatever CPUID says */
    vt_vcpu_reset(&base.vcpu);
    base.vcpu.rip = WORLD_CODE;
    base.vcpu.segment[VT_TR] = (struct vt_segment){WORLD_TSS_SEL, 0x8b, 0x67, WORLD_TSS};
    base.vcpu.gdtr = (struct vt_table_register){WORLD_GDT, WORLD_GDT_LIMIT, {0}};
    base.vcpu.idtr = (struct vt_table_register){WORLD_IDT, 0xfff, {0}};
    for (unsigned i = 0; i < SLOTS; i++)
        stale[i] = DIFFERENCE_ALL;
}

START_TEST(emulator_and_qemu_agree)
{
    unsigned total = 0, different = 0, confirmed;

    open_base();
    different += difference_replay(&base, JUDGE_TCG, fails, &total);
    difference_course_open(&course, JUDGE_TCG, "QEMU", NULL, LIMIT);
    compare_all();
    confirmed = confirm_failures();
    keep_failures(confirmed);
    total += difference_course_say(&course);
    tcg_close(&tcg);
    ck_assert_uint_eq(different + confirmed, 0);
    ck_assert_uint_eq(difference_course_given_up(&course), 0);
    ck_assert_uint_gt(total, 0);
}
END_TEST

VT_SUITE(emulator_and_qemu_agree)
