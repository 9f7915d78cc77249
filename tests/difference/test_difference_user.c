/*
 * The emulator against this processor at ring 3, for what is refused there, and for what it may do there that
 * is not innocuous: loads of segment registers, far transfers, the bases of FS and GS, PUSHF and POPF.
 * Registers, flags, selectors, bases, memory, vectors, error codes and fault addresses must be equal.
 */
#include "tests/difference/compare.h"
#include "tests/difference/course.h"
#include "tests/difference/local_table.h"
#include "tests/difference/ring3.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static struct emulator base;
static const struct ring3_state *seen; /* of the last state */
static struct ring3_fault caught;

static bool differs(const char *what, uint64_t ours, uint64_t theirs)
{
    return difference_value(&(struct difference_ignored){.judge = "processor"}, what, ours, theirs);
}

static bool faults_differ(const struct vt_fault *fault)
{
    /* The kernel reports every fault on its own half as a protection fault (arch/x86/mm/fault.c). */
    uint64_t hidden = fault->vector == VT_EXCEPTION_PF && fault->address >> 47;

    return differs("error code", fault->error & ~hidden, caught.error & ~hidden) ||
           (fault->vector == VT_EXCEPTION_PF && differs("address", fault->address, caught.address));
}

static bool segments_differ(const struct vt_vcpu *vcpu)
{
    static const uint8_t names[] = {VT_ES, VT_SS, VT_DS, VT_FS, VT_GS};

    for (unsigned i = 0; i < sizeof names; i++)
        if (differs("selector", vcpu->segment[names[i]].selector, seen->selector[names[i]]))
            return true;
    return differs("fs base", vcpu->segment[VT_FS].base, seen->fs_base) ||
           differs("gs base", vcpu->segment[VT_GS].base, seen->gs_base);
}

static bool outcome_differs(const struct difference *d, enum vt_step step)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    int vector = step == VT_STEP_FAULT ? vcpu->fault.vector : -1;
    uint8_t theirs = 0;
    long at = ring3_memory(d, &theirs);

    if (differs("vector", (uint64_t)(int64_t)vector, (uint64_t)(int64_t)caught.vector) ||
        (step == VT_STEP_FAULT && faults_differ(&vcpu->fault)))
        return true;
    for (unsigned i = 0; i < VT_GPRS; i++)
        if (differs("register", vcpu->gpr[i], seen->gpr[i]))
            return true;
    return differs("rflags", vt_vcpu_rflags(vcpu) & ~VT_FLAG_RF, seen->rflags & ~VT_FLAG_RF) ||
           segments_differ(vcpu) || (at >= 0 && differs("memory", d->world.memory[at], theirs));
}

/* Ring 3 of a process: interrupts on, IOPL 0, null data segments, and what Linux sets in CR4. */
static void adopt_process(struct vt_vcpu *vcpu)
{
    static const struct vt_segment null;

    vcpu->interrupt_flag = VT_FLAG_IF;
    vcpu->system_flags = 0;
    vcpu->rflags &= ~(VT_FLAG_NT | VT_FLAG_TF);
    vcpu->segment[VT_DS] = vcpu->segment[VT_ES] = vcpu->segment[VT_FS] = vcpu->segment[VT_GS] = null;
    vcpu->segment[VT_FS].base = ring3_thread_base();
    vcpu->cr[4] = (vcpu->cr[4] & ~VT_CR4_TSD) | VT_CR4_DE | VT_CR4_FSGSBASE | VT_CR4_OSXSAVE;
    vt_vcpu_refresh(vcpu);
}

/* Selectors that mean the same in the world and in a process of Linux. */
static uint16_t pick_selector(uint64_t *random, bool code)
{
    uint64_t value = difference_random(random);

    switch (value % 8) {
    case 0:
        return value >> 8 & 3;
    case 1:
        return WORLD_DATA3;
    case 2:
    case 3:
    case 4:
        return (WORLD_CODE3 & ~3) | (value & 64 ? 3 : value >> 8 & 3);
    default:
        return code ? WORLD_CODE3
                    : (value >> 16) % (LOCAL_ENTRIES + 2) << 3 | 4 | (value & 64 ? 3 : value >> 8 & 3);
    }
}

/* Where the operand is told to lie; NULL: somewhere that faults. False: in a table. */
static bool find_operand(struct difference *d, uint8_t **at)
{
    uint64_t address = vt_vcpu_linear_address(&d->world.vcpu, &d->instruction);

    *at = NULL;
    if (!(d->instruction.flags & VT_INSN_MEMORY) || address - WORLD_MEMORY >= WORLD_SIZE)
        return true;
    if (address < WORLD_DATA || address > WORLD_MEMORY + WORLD_SIZE - 16)
        return false;
    *at = emulator_at(&d->world, address);
    return true;
}

static uint8_t *stack_at(struct difference *d)
{
    uint64_t rsp = d->world.vcpu.gpr[VT_RSP];

    return rsp - WORLD_MEMORY < WORLD_SIZE - 64 ? emulator_at(&d->world, rsp) : NULL;
}

/*
 * What IRET and far RET take, or a far pointer. Where AC is clear and IRET has just popped it, Intel's
 * processors check the alignment of what is left of the frame, and show AC clear: Linux takes such a fault
 * for a split lock and goes on with the instruction for ever (arch/x86/kernel/cpu/bus_lock.c).
 */
static void put_target(struct difference *d, uint8_t *at, uint64_t *random)
{
    uint64_t popped =
        d->world.vcpu.limits.vendor == VT_VENDOR_INTEL ? VT_FLAGS_USER & ~VT_FLAG_AC : VT_FLAGS_USER;
    unsigned size = d->instruction.size;
    uint64_t frame[5] = {RING3_TARGET, pick_selector(random, true),
                         difference_random(random) & popped & ~(VT_FLAG_TF | VT_FLAG_NT), WORLD_STACK - 0x80,
                         pick_selector(random, false)};
    unsigned words = d->instruction.operation == VT_OP_IRET ? 5 : 2;

    for (unsigned i = 0; at && i < words; i++)
        memcpy(at + (size_t)i * size, &frame[i], i == 1 && words == 2 ? 2 : size);
}

/* AMD's processors have no far pointers with offsets of 64 bits (APM 3, LxS, CALL and JMP far). */
static bool has_pointer(const struct difference *d)
{
    return d->instruction.size == 4 ||
           (d->instruction.size == 8 && d->world.vcpu.limits.vendor == VT_VENDOR_INTEL);
}

static bool suit_load(struct difference *d, uint64_t *random)
{
    uint16_t selector = pick_selector(random, false), operation = d->instruction.operation;
    uint8_t *at;

    if (!find_operand(d, &at))
        return false;
    if (operation == VT_OP_POP_SEGMENT)
        at = stack_at(d);
    else if (operation != VT_OP_MOV_TO_SEGMENT && at)
        at += d->instruction.size;
    if (at)
        memcpy(at, &selector, 2);
    else if (operation == VT_OP_MOV_TO_SEGMENT && !(d->instruction.flags & VT_INSN_MEMORY))
        d->world.vcpu.gpr[d->instruction.rm] = selector;
    return operation == VT_OP_POP_SEGMENT || operation == VT_OP_MOV_TO_SEGMENT || d->instruction.size == 2 ||
           has_pointer(d);
}

/* Gates for vectors 3, 4 and 0x80 are there for ring 3, and lead to the kernel. */
static bool is_refused_vector(const struct difference *d)
{
    uint8_t vector = (uint8_t)d->instruction.immediate;

    return vector != 3 && vector != 4 && vector != 0x80;
}

/* The others are not. */
static void close_gates(struct emulator *e)
{
    memcpy(emulator_at(e, WORLD_IDT), base.memory + (WORLD_IDT - WORLD_MEMORY), 0x1000);
    for (unsigned vector = 0; vector < 256; vector++)
        *(uint8_t *)emulator_at(e, WORLD_IDT + 16 * vector + 5) &= ~0x60;
}

/* AMD's processors read the stack pointer of another level before they look at the level (APM 3, RET far;
 * Intel SDM 2B RET asks the level first). */
static bool reads_outer_stack_first(struct difference *d)
{
    const uint8_t *at = stack_at(d);

    return d->instruction.immediate && at && (at[d->instruction.size] & 3) != 3;
}

/* Make the state one that means the same in a process; false: it cannot be. */
static bool suit(struct difference *d, uint64_t *random)
{
    uint64_t *gpr = d->world.vcpu.gpr;
    uint8_t *at;

    switch (d->instruction.operation) {
    case VT_OP_MOV_TO_SEGMENT:
    case VT_OP_POP_SEGMENT:
    case VT_OP_LSS:
    case VT_OP_LFS:
    case VT_OP_LGS:
        return suit_load(d, random);
    case VT_OP_IRET:
    case VT_OP_RET_FAR: /* an offset of 16 bits leads nowhere */
        put_target(d, stack_at(d), random);
        return d->instruction.size != 2 && !reads_outer_stack_first(d);
    case VT_OP_CALL_FAR:
    case VT_OP_JMP_FAR:
        if (!find_operand(d, &at) || !has_pointer(d))
            return false;
        put_target(d, at, random);
        return true;
    case VT_OP_POPF:
        at = stack_at(d);
        if (at)
            at[1] &= ~(VT_FLAG_TF >> 8);
        return true;
    case VT_OP_INS: /* whether a port is asked for that is not touched is told nowhere */
    case VT_OP_OUTS:
        return gpr[VT_RCX] != 0;
    case VT_OP_XGETBV: /* 1 is what is in use just now */
        return (uint32_t)gpr[VT_RCX] != 1;
    case VT_OP_INT:
        close_gates(&d->world);
        return is_refused_vector(d);
    case VT_OP_MOV_FROM_DR: /* which of #UD and #GP comes first differs */
    case VT_OP_MOV_TO_DR:
        return d->instruction.reg != 4 && d->instruction.reg != 5;
    default:
        return true;
    }
}

static bool has_prefix(const struct difference *d, uint8_t prefix)
{
    return memchr(d->code, prefix, d->length < 4 ? d->length : 4) != NULL;
}

static bool make(struct difference *d, size_t form, uint64_t seed)
{
    uint64_t random = ~seed;

    if (!difference_make(d, &base, &difference_forms[form], LEVEL_USER, seed) || has_prefix(d, 0x64))
        return false;
    adopt_process(&d->world.vcpu);
    return suit(d, &random);
}

static void compare(struct difference *d, struct difference_tally *tally)
{
    enum vt_step step;

    seen = ring3_run(d, &caught);
    step = difference_emulate(d);
    tally->judged++;
    if (outcome_differs(d, step) && tally->different++ < 3)
        printf("# %s: %s\n", difference_describe(d), difference_verdict());
}

static void open_base(void)
{
    unsigned eax, edx;

    ring3_open(&base);
    if (!ring3_has_segments())
        vt_skip("this kernel or processor has no FSGSBASE: the base of FS could not be put back");
    if (ring3_null_clears_base())
        base.vcpu.limits.features |= VT_FEATURE_NULL_BASE;
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    base.vcpu.xcr0 = eax | (uint64_t)edx << 32;
}

START_TEST(emulator_and_ring_3_agree)
{
    static struct difference_course course;
    static struct difference d;
    unsigned different = 0, round = 0;
    uint64_t seed, random = 1;
    size_t form;

    open_base();
    if (!local_table_fill(&base, &random))
        vt_skip("modify_ldt is not available here, or the processor never sees its table");
    difference_course_open(&course, JUDGE_USER, "processor", NULL, 0);
    random = course.seed;
    while (difference_course_next(&course, &form, &seed)) {
        if (round++ % 64 == 0) {
            ck_assert(local_table_fill(&base, &random));
            d.world.touched = DIFFERENCE_ALL;
            ring3_forget();
        }
        if (make(&d, form, seed))
            compare(&d, &course.tallies[form]);
    }
    for (size_t i = 0; i < difference_form_count; i++)
        different += course.tallies[i].different;
    ck_assert_uint_gt(difference_course_say(&course), 0);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_eq(difference_course_given_up(&course), 0);
}
END_TEST

VT_SUITE(emulator_and_ring_3_agree)
