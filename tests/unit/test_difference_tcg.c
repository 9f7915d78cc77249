/*
 * The emulator against QEMU's processor (TCG) at CPL 0 and CPL 3, faults delivered through the IDT:
 * registers, flags, segments with their hidden parts, tables, MSRs and memory after each state must be equal.
 * Thousands of states are judged in one start of QEMU, each as an SVM guest (tests/judge).
 */
#include "tests/unit/difference_compare.h"
#include "tests/unit/suite.h"
#include "tests/unit/tcg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS         (JUDGE_HALVES * JUDGE_HALF)
#define MOST_FAILURES 4096
#define MOST_TO_KEEP  16
#define CR0_BITS                                                                                             \
    (VT_CR0_PE | VT_CR0_MP | VT_CR0_EM | VT_CR0_TS | VT_CR0_ET | VT_CR0_NE | VT_CR0_WP | VT_CR0_AM |         \
     VT_CR0_NW | VT_CR0_CD | VT_CR0_PG)
/* SYSRET takes VIF and VIP from R11, and neither RF nor VM (Intel SDM 2B SYSRET); QEMU the other way round.
 */
#define ODD_FLAGS (VT_FLAG_RF | VT_FLAG_VM | VT_FLAG_VIF | VT_FLAG_VIP)
#define HANDLERS  (WORLD_CODE + 0x400)

_Static_assert(JUDGE_PAGES * 4096 == WORLD_SIZE, "one world in every slot");

static const struct difference_ignored ignored = {
    .judge = "QEMU", .pat = true, .dr6 = 0x1000, .dr7 = 0xd800 /* reserved, and kept */};

static struct tcg tcg;
static struct emulator base;
static uint32_t stale[SLOTS];

struct tally {
    unsigned run, refused, different, ignored;
};
static struct tally tallies[DIFFERENCE_FORMS];

/* States under way, one per slot. */
struct task {
    struct difference d;
    size_t form;
    enum difference_level level;
    bool used;
};
static struct task tasks[SLOTS];

/* States that failed, to be judged again alone. */
static struct {
    size_t form;
    uint64_t seed;
    enum difference_level level;
} failed[MOST_FAILURES];
static unsigned failures;

static int first_fault; /* vector the instruction itself raised, or -1 */
static uint32_t first_error;

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
           difference_value(&qemu, "xcr0", ours->xcr0, theirs->xcr0) || memory_differs(d, slot);
}

/* QEMU does not look at what is written to control registers, and would leave 64-bit mode. */
static bool is_safe_control(const struct vt_vcpu *vcpu, const struct vt_instruction *i)
{
    uint64_t value = vcpu->gpr[i->rm], paging = VT_CR0_PE | VT_CR0_PG | VT_CR0_ET;

    switch (i->reg) {
    case 0:
        return (value & paging) == paging && !(value & ~CR0_BITS) &&
               (value & VT_CR0_CD || !(value & VT_CR0_NW));
    case 3:
        return false;
    case 4:
        return value & VT_CR4_PAE && !(value & ~vcpu->limits.cr4);
    case 8:
        return value < 16;
    default:
        return true;
    }
}

/*
 * QEMU checks CPL before it looks whether DR4 and DR5 exist (SDM 3B 18.2.2 and KVM the other way round), and
 * dies of breakpoints that were set inside an SVM guest.
 */
static bool is_debug_excepted(const struct vt_vcpu *vcpu, const struct vt_instruction *i)
{
    if (vcpu->cpl == 3)
        return i->reg == 4 || i->reg == 5;
    return i->operation == VT_OP_MOV_TO_DR && (i->reg == 5 || i->reg == 7) && vcpu->gpr[i->rm] & 0xff;
}

static bool has_prefix(const struct difference *d, uint8_t prefix)
{
    return memchr(d->code, prefix, d->length) != NULL;
}

/* In an SVM guest EFER has SVME and PAT is the host's; of SYSENTER_CS 16 bits are kept. */
static bool is_odd_msr(uint32_t index)
{
    return index == 0xc0000080 || index == 0x277 || index == 0x174;
}

/* States QEMU is no judge of (target/i386/tcg): what it leaves out, and why. */
static bool qemu_errs(const struct difference *d)
{
    const struct vt_instruction *i = &d->instruction;
    const struct vt_vcpu *vcpu = &d->world.vcpu;

    /* Alignment checks do not exist there. */
    if (vcpu->cpl == 3 && vcpu->rflags & VT_FLAG_AC)
        return true;
    switch (i->operation) {
    case VT_OP_MOV_TO_CR:
        return !is_safe_control(vcpu, i);
    case VT_OP_MOV_FROM_DR:
    case VT_OP_MOV_TO_DR:
        return is_debug_excepted(vcpu, i);
    case VT_OP_WRFSBASE: /* an operand-size prefix makes it take 64 bits */
    case VT_OP_WRGSBASE:
        return has_prefix(d, 0x66);
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        return is_odd_msr((uint32_t)vcpu->gpr[VT_RCX]);
    case VT_OP_LSS: /* offsets have 32 bits, as on AMD's processors */
    case VT_OP_LFS:
    case VT_OP_LGS:
        return i->size == 8;
    case VT_OP_SYSRET: /* #GP behind the return, as on AMD's processors; compatibility mode is not the
                          emulator's */
        return i->size != 8 || !vt_vcpu_is_canonical(vcpu, vcpu->gpr[VT_RCX]) ||
               vcpu->gpr[VT_R11] & ODD_FLAGS;
    case VT_OP_XSETBV: /* CPL before OSXSAVE */
        return vcpu->cpl == 3;
    case VT_OP_INT: /* the error code of a gate it may not use has the vector doubled */
    case VT_OP_INT3:
        return vcpu->cpl == 3 && (i->operation == VT_OP_INT3 || d->code[d->length - 1] < 0x80);
    case VT_OP_RET_FAR: /* the immediate is taken as signed */
        return i->immediate & 0x8000;
    default:
        return false;
    }
}

/* A fault QEMU does not raise, or as another: seen when the emulator has raised it. */
static bool qemu_lets_through(const struct difference *d)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    bool refused = first_fault == VT_EXCEPTION_GP;

    /* Addresses through the stack that are not canonical, and a stack that is not present: #GP and #NP. */
    if (first_fault == VT_EXCEPTION_SS || vcpu->fault.vector == VT_EXCEPTION_DF)
        return true;
    switch (d->instruction.operation) {
    case VT_OP_LGDT: /* bases that are not canonical, reserved bits, unknown MSRs */
    case VT_OP_LIDT:
    case VT_OP_WRFSBASE:
    case VT_OP_WRGSBASE:
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        return refused;
    case VT_OP_LLDT: /* the second half of a descriptor */
    case VT_OP_LTR:
        return refused;
    case VT_OP_MOV_TO_SEGMENT: /* a null SS whose RPL is not CPL */
    case VT_OP_LSS:
    case VT_OP_IRET: /* and an address to return to that is not canonical: #GP behind the return */
    case VT_OP_RET_FAR:
        return refused && first_error == 0;
    case VT_OP_JMP_FAR: /* a target that is not canonical: #GP behind the jump (Intel SDM 2A, JMP and CALL) */
    case VT_OP_CALL_FAR:
        return refused && first_error == 0 && d->instruction.size == 8;
    default:
        return false;
    }
}

static void put(const struct difference *d, unsigned slot)
{
    struct vt_vcpu *vcpu = (struct vt_vcpu *)&d->world.vcpu;

    difference_lay(d, tcg.slots[slot].world, &stale[slot]);
    tcg_put(&tcg.slots[slot], vcpu, d->world.memory);
}

/* QEMU does not set RF in the flags it pushes for a fault (Intel SDM 3B 18.3.1.1 and APM 2 13.1.1 want it).
 */
static void forget_rf(struct emulator *e)
{
    unsigned offset = e->vcpu.fault.has_error ? 24 : 16;
    uint64_t flags, rsp = e->vcpu.gpr[VT_RSP];

    if (e->vcpu.rip - HANDLERS > 0x100 || rsp - WORLD_MEMORY > WORLD_SIZE - 64)
        return;
    memcpy(&flags, emulator_at(e, rsp + offset), sizeof flags);
    flags &= ~VT_FLAG_RF;
    memcpy(emulator_at(e, rsp + offset), &flags, sizeof flags);
}

/* LAR and LSL know 16-bit TSSs, call gates and task gates there, which do not exist in 64-bit mode. */
static bool is_legacy_descriptor(const struct difference *d, const struct vt_vcpu *theirs)
{
    bool asks = d->instruction.operation == VT_OP_LAR || d->instruction.operation == VT_OP_LSL;

    return asks && !(d->world.vcpu.rflags & VT_FLAG_ZF) && theirs->rflags & VT_FLAG_ZF;
}

enum result { SAME, DIFFERENT, REFUSED, IGNORED };

static enum result judge(struct difference *d, unsigned slot)
{
    static struct vt_vcpu theirs;
    uint64_t exit = tcg_get(&tcg.slots[slot], &theirs);
    enum vt_step step = difference_emulate(d, false);

    first_error = d->world.vcpu.fault.error;
    first_fault = step == VT_STEP_FAULT ? d->world.vcpu.fault.vector : -1;
    if (step == VT_STEP_FAULT)
        step = vt_vcpu_deliver(&d->world.vcpu, &d->world.environment);
    else
        step = difference_go_on(d, step);
    if (qemu_lets_through(d))
        return IGNORED;
    if (exit == SVM_EXIT_INTR) /* QEMU was too slow */
        return REFUSED;
    if (step == VT_STEP_FAULT)
        return difference_value(&ignored, "exit", SVM_EXIT_SHUTDOWN, exit) ? DIFFERENT : SAME;
    if (exit != SVM_EXIT_HLT)
        return REFUSED;
    forget_rf(&d->world);
    if (theirs.segment[VT_LDTR].selector < 4)
        theirs.segment[VT_LDTR].rights = 0; /* nothing there says that it is not valid */
    if (!difference_is_comparable(&d->world) || is_legacy_descriptor(d, &theirs))
        return IGNORED;
    return outcome_differs(d, step, &theirs, slot) ? DIFFERENT : SAME;
}

/* Alone, in slot 0. */
static bool fails(const struct difference *before)
{
    static struct difference d;

    d = *before;
    d.world.environment.context = &d.world;
    d.world.touched = DIFFERENCE_ALL;
    for (unsigned i = 0; i < SLOTS; i++)
        tcg.slots[i].registers.used = 0;
    put(&d, 0);
    tcg_start(&tcg, 0);
    return tcg_wait(&tcg, 0) && judge(&d, 0) == DIFFERENT;
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

    if (!task->used)
        return;
    switch (judge(&task->d, slot)) {
    case REFUSED:
        tallies[task->form].refused++;
        return;
    case IGNORED:
        tallies[task->form].ignored++;
        return;
    case DIFFERENT:
        note(task);
        break;
    case SAME:
        break;
    }
    tallies[task->form].run++;
}

/* Rounds of all forms in turn, as many as the time allows; one state in four is at CPL 3. */
#define SECONDS 45
#define TURN    100

struct course {
    uint64_t seed;
    time_t end;
    size_t form;
    unsigned turn, round; /* of this turn */
};

/* What Unicorn judges at CPL 0, too, needs fewer. */
static unsigned rounds_of(const struct form *form)
{
    unsigned usual = form->judges & JUDGE_UNICORN ? DIFFERENCE_ROUNDS / 5 : DIFFERENCE_ROUNDS;

    return form->judges & JUDGE_TCG ? difference_rounds(form, usual) : 0;
}

static bool advance(struct course *course)
{
    if (++course->round < TURN)
        return true;
    course->round = 0;
    if (++course->form < difference_form_count)
        return true;
    course->form = 0;
    course->turn++;
    return getenv("VT_ROUNDS") ? course->turn * TURN < difference_rounds(&difference_forms[0], 0)
                               : course->turn * TURN < DIFFERENCE_ROUNDS && time(NULL) < course->end;
}

static bool take(struct course *course, struct task *task)
{
    const struct form *form = &difference_forms[course->form];
    unsigned round = course->turn * TURN + course->round;

    task->form = course->form;
    task->level = round % 4 == 3 ? LEVEL_USER : LEVEL_KERNEL;
    if (round >= rounds_of(form) || !difference_make(&task->d, &base, form, task->level,
                                                     difference_seed_of(course->seed, course->form, round)))
        return false;
    tallies[course->form].ignored += qemu_errs(&task->d);
    return !qemu_errs(&task->d);
}

static bool next(struct course *course, struct task *task)
{
    bool taken = false, more = course->end != 0;

    while (more && !taken) {
        taken = take(course, task);
        more = advance(course);
    }
    if (!more)
        course->end = 0;
    return taken;
}

static bool fill(struct course *course, unsigned half)
{
    bool any = false;

    for (unsigned i = half * JUDGE_HALF; i < (half + 1) * JUDGE_HALF; i++) {
        tasks[i].used = next(course, &tasks[i]);
        tcg.slots[i].registers.used = 0;
        if (tasks[i].used)
            put(&tasks[i].d, i);
        any |= tasks[i].used;
    }
    return any;
}

/* While QEMU runs one half the other is compared and filled anew. */
static void compare_all(uint64_t seed)
{
    struct course course = {.seed = seed, .end = time(NULL) + SECONDS};
    bool more = true;

    for (unsigned half = 0; half < JUDGE_HALVES; half++) {
        fill(&course, half);
        tcg_start(&tcg, half);
    }
    for (unsigned half = 0; more; half = (half + 1) % JUDGE_HALVES) {
        ck_assert_msg(tcg_wait(&tcg, half), "QEMU is gone, or does not answer");
        for (unsigned i = half * JUDGE_HALF; i < (half + 1) * JUDGE_HALF; i++)
            finish(i);
        more = fill(&course, half);
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
            tallies[failed[i].form].different++;
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
    uint64_t seed = difference_seed();

    open_base();
    different += difference_replay(&base, JUDGE_TCG, fails, &total);
    compare_all(seed);
    confirmed = confirm_failures();
    keep_failures(confirmed);
    for (size_t i = 0; i < difference_form_count; i++) {
        const struct tally *tally = &tallies[i];

        difference_count(&difference_forms[i], "QEMU", tally->run);
        if (tally->different)
            printf("# %s: %u compared, %u different, %u not done by QEMU, %u not to be judged\n",
                   difference_forms[i].name, tally->run, tally->different, tally->refused, tally->ignored);
        total += tally->run;
    }
    printf("# %u states compared\n", total);
    tcg_close(&tcg);
    ck_assert_uint_eq(different + confirmed, 0);
    ck_assert_uint_gt(total, 0);
}
END_TEST

VT_SUITE(emulator_and_qemu_agree)
