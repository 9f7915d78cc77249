/*
 * The emulator against QEMU's processor (TCG) at CPL 0 and CPL 3, faults delivered through the IDT:
 * registers, flags, segments with their hidden parts, tables, MSRs and memory after each state must be equal.
 * Thousands of states are judged in one start of QEMU, each as an SVM guest (tests/judge).
 */
#include "tests/unit/difference_compare.h"
#include "tests/unit/difference_course.h"
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

static struct difference_course course;

/* States under way, one per slot; what the emulator makes of each is known before QEMU runs it. */
struct task {
    struct difference d;
    size_t form;
    enum difference_level level;
    bool used;
    enum vt_step step;
    int fault; /* vector the instruction itself raised, or -1 */
    uint32_t error;
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
        return !((value ^ vcpu->cr[3]) & ~UINT64_C(0x18));
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

/* Of the selector in an error code, which lies in a table. */
static uint64_t descriptor_of(const struct difference *d, uint32_t error, unsigned half)
{
    uint64_t table = error & 4 ? WORLD_LDT : WORLD_GDT, descriptor = 0;

    if ((error & 0xfff8) + 8 * half < 0x1000)
        memcpy(&descriptor, d->world.memory + table - WORLD_MEMORY + (error & 0xfff8) + 8 * (size_t)half, 8);
    return descriptor;
}

/* LLDT and LTR do not look at the second half of a descriptor, and LTR takes a 16-bit TSS. */
static bool is_odd_system(const struct difference *d, uint32_t error)
{
    uint64_t low = descriptor_of(d, error, 0), high = descriptor_of(d, error, 1);
    uint64_t address = (low >> 32 & 0xff000000) | high << 32;

    return high >> 40 & 0x1f || !vt_vcpu_is_canonical(&d->world.vcpu, address) || (low >> 40 & 0x1f) == 1;
}

/* Code of 16 or 32 bits, which the emulator does not have. */
static bool is_legacy_code(const struct difference *d, uint32_t error)
{
    uint64_t low = descriptor_of(d, error, 0);

    return (low >> 43 & 3) == 3 && !(low >> 53 & 1);
}

/* A fault QEMU does not raise, or as another: seen when the emulator has raised it. */
static bool qemu_lets_through(const struct task *task)
{
    const struct difference *d = &task->d;
    bool refused = task->fault == VT_EXCEPTION_GP;

    /* Addresses through the stack that are not canonical, and a stack that is not present: #GP and #NP. */
    if (task->fault == VT_EXCEPTION_SS || d->world.vcpu.fault.vector == VT_EXCEPTION_DF)
        return true;
    switch (d->instruction.operation) {
    case VT_OP_LGDT: /* bases that are not canonical, reserved bits, unknown MSRs */
    case VT_OP_LIDT:
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        return refused && task->level == LEVEL_KERNEL;
    case VT_OP_WRFSBASE:
    case VT_OP_WRGSBASE:
        return refused;
    case VT_OP_LLDT:
        return refused && task->error && is_odd_system(d, task->error);
    case VT_OP_LTR: /* and a null selector */
        return refused && task->level == LEVEL_KERNEL && (!task->error || is_odd_system(d, task->error));
    case VT_OP_MOV_TO_SEGMENT: /* a null SS whose RPL is not CPL */
    case VT_OP_LSS:
        return refused && task->error == 0;
    case VT_OP_IRET: /* an address to return to that is not canonical: #GP behind the return */
    case VT_OP_RET_FAR:
        return refused && (task->error == 0 || is_legacy_code(d, task->error));
    case VT_OP_JMP_FAR: /* a target that is not canonical: #GP behind the jump (Intel SDM 2A, JMP and CALL) */
    case VT_OP_CALL_FAR:
        return refused && (task->error == 0 ? d->instruction.size == 8 : is_legacy_code(d, task->error));
    default:
        return false;
    }
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
    task->error = d->world.vcpu.fault.error;
    task->fault = task->step == VT_STEP_FAULT ? d->world.vcpu.fault.vector : -1;
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
    if (!qemu_lets_through(task) && (task->step == VT_STEP_FAULT || difference_is_comparable(&d->world)))
        return true;
    tcg.slots[slot].registers.used = 0;
    stale[slot] = d->world.touched;
    return false;
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
    forget_rf(&d->world);
    if (theirs.segment[VT_LDTR].selector < 4)
        theirs.segment[VT_LDTR].rights = 0; /* nothing there says that it is not valid */
    if (d->instruction.operation == VT_OP_LTR && task->fault < 0)
        theirs.segment[VT_TR].rights |= 2; /* marked busy in memory alone: Intel SDM 3C 27.3.1.2 has both */
    if (is_legacy_descriptor(d, &theirs))
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
        if (!qemu_errs(&task->d) && put(task, slot))
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
