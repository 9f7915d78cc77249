/*
 * The emulator against this processor, for what ring 3 may execute: loads and stores
 * with their arithmetic, string instructions, and LAR, LSL, VERR and VERW on a local descriptor table.
 * Registers, flags, memory, vectors, error codes and fault addresses must be equal.
 */
#include "tests/difference/compare.h"
#include "tests/difference/course.h"
#include "tests/difference/local_table.h"
#include "tests/difference/ring3.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

static const struct ring3_state *seen; /* of the last state */
static struct ring3_fault caught;

static bool differs(const char *what, uint64_t ours, uint64_t theirs)
{
    return difference_value(&(struct difference_ignored){.judge = "processor"}, what, ours, theirs);
}

static bool faults_differ(const struct vt_fault *fault, enum vt_step step)
{
    if (differs("vector", step == VT_STEP_FAULT ? fault->vector : (uint64_t)-1,
                (uint64_t)(int64_t)caught.vector))
        return true;
    if (step != VT_STEP_FAULT)
        return false;
    /* The kernel reports every fault on its own half as a protection fault (arch/x86/mm/fault.c). */
    if (fault->vector == VT_EXCEPTION_PF && fault->address >> 47)
        caught.error &= ~UINT64_C(1);
    return differs("error code", fault->error, caught.error) ||
           (fault->vector == VT_EXCEPTION_PF && differs("address", fault->address, caught.address));
}

static bool memory_differs(const struct difference *d)
{
    uint8_t theirs = 0;
    long at = ring3_memory(d, &theirs);

    return at >= 0 && differs("memory", d->world.memory[at], theirs);
}

static bool outcome_differs(const struct difference *d, enum vt_step step)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;

    if (faults_differ(&vcpu->fault, step))
        return true;
    for (unsigned i = 0; i < 16; i++) {
        uint64_t defined = i == d->instruction.reg ? ~difference_undefined(d) : UINT64_MAX;

        if (differs("register", vcpu->gpr[i] & defined, seen->gpr[i] & defined))
            return true;
    }
    return differs("rflags", vt_vcpu_rflags(vcpu), seen->rflags & ~VT_FLAG_RF) || memory_differs(d);
}

static struct emulator base;

/* What ring 3 of this process is: interrupts on, IOPL 0, alignment checks as AC says, bases 0. */
static void adopt_process(struct vt_vcpu *vcpu)
{
    vcpu->interrupt_flag = VT_FLAG_IF;
    vcpu->system_flags = 0;
    vcpu->rflags &= ~(VT_FLAG_NT | VT_FLAG_TF);
    vcpu->segment[VT_GS].base = 0;
    vcpu->cpl = 3;
}

static bool uses_fs(const struct difference *d)
{
    for (size_t i = 0; i < d->length && i < 4; i++)
        if (d->code[i] == 0x64)
            return true;
    return false;
}

/* LAR, LSL, VERR and VERW. */
static bool asks_of_selector(const struct form *form)
{
    return form->opcode[0] == 0x0f && form->opcode[1] <= 3;
}

static bool asks_of_nothing(const struct form *form)
{
    return !asks_of_selector(form);
}

static void give_selector(struct difference *d, uint16_t selector)
{
    const struct vt_instruction *i = &d->instruction;
    uint64_t address = vt_vcpu_linear_address(&d->world.vcpu, i);

    if (!(i->flags & VT_INSN_MEMORY))
        d->world.vcpu.gpr[i->rm] = selector;
    else if (address >= WORLD_DATA && address < WORLD_MEMORY + WORLD_SIZE - 2)
        memcpy(emulator_at(&d->world, address), &selector, 2);
}

static bool fails(const struct difference *before)
{
    static struct difference d;

    d = *before;
    d.world.environment.context = &d.world;
    d.world.touched = DIFFERENCE_ALL;
    adopt_process(&d.world.vcpu);
    seen = ring3_run(&d, &caught);
    return outcome_differs(&d, difference_emulate(&d));
}

static bool make(struct difference *d, size_t form, uint64_t seed)
{
    if (!difference_make(d, &base, &difference_forms[form], LEVEL_USER, seed) || uses_fs(d))
        return false;
    if (asks_of_selector(d->form))
        give_selector(d, (uint16_t)((seed >> 16) % (LOCAL_ENTRIES + 2) << 3 | 7));
    adopt_process(&d->world.vcpu);
    return true;
}

static void compare(struct difference *d, size_t form, struct difference_tally *tally)
{
    enum vt_step step;

    seen = ring3_run(d, &caught);
    step = difference_emulate(d);
    if (step == VT_STEP_AGAIN)
        return;
    tally->judged++;
    if (outcome_differs(d, step) && tally->different++ < 3) {
        printf("# %s: %s\n", difference_describe(d), difference_verdict());
        make(d, form, d->seed);
        difference_keep(d, &base, fails);
    }
}

/* Every form this judge knows that is taken. Returns how many states differ. */
static unsigned compare_forms(bool (*takes)(const struct form *form), unsigned *total)
{
    static struct difference d;
    static struct difference_course course;
    unsigned different = 0, round = 0;
    uint64_t seed, random;
    size_t form;

    difference_course_open(&course, JUDGE_NATIVE, "processor", takes, 0);
    random = course.seed;
    while (difference_course_next(&course, &form, &seed)) {
        if (takes == asks_of_selector && round++ % 64 == 0) {
            ck_assert(local_table_fill(&base, &random));
            d.world.touched = DIFFERENCE_ALL;
            ring3_forget();
        }
        if (make(&d, form, seed))
            compare(&d, form, &course.tallies[form]);
    }
    for (size_t i = 0; i < difference_form_count; i++)
        different += course.tallies[i].different;
    *total += difference_course_say(&course);
    ck_assert_uint_eq(difference_course_given_up(&course), 0);
    return different;
}

START_TEST(loads_stores_and_arithmetic_agree_with_the_processor)
{
    unsigned total = 0, different;

    ring3_open(&base);
    different = compare_forms(asks_of_nothing, &total);
    different += difference_replay(&base, JUDGE_NATIVE, fails, &total);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_gt(total, 0);
}
END_TEST

START_TEST(questions_about_selectors_agree_with_the_processor)
{
    uint64_t random = 1;
    unsigned total = 0, different;

    ring3_open(&base);
    if (!local_table_fill(&base, &random))
        vt_skip("modify_ldt is not available here, or the processor never sees its table");
    different = compare_forms(asks_of_selector, &total);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_gt(total, 0);
}
END_TEST

VT_SUITE(loads_stores_and_arithmetic_agree_with_the_processor,
         questions_about_selectors_agree_with_the_processor)
