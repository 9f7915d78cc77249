/*
 * Every instruction the emulator takes has a judge, or a reason why none can be had. What the judges have
 * seen is printed by their own tests; tests/judges makes a table of it.
 */
#include "tests/difference/course.h"
#include "tests/unit/suite.h"
#include "vcpu/emulate/internal.h"

#include <stdio.h>
#include <string.h>

#define ROW(operation, function) [VT_OP_##operation] = #operation,
static const char *const names[VT_OPERATIONS] = {VT_EMULATE_FUNCTIONS(ROW)};
#undef ROW

/* Where no judge shows a value that could be compared. Tests of their own stand in:
 * tests/unit/test_emulate_*.c and, for the cases among them, test_effects.c. */
static const struct {
    uint16_t operation;
    const char *reason;
} excepted[] = {
    {VT_OP_RDTSC, "the time is another on either side"},
    {VT_OP_RDTSCP, "the time is another on either side"},
    {VT_OP_RDPMC, "no judge has performance counters: QEMU and Unicorn raise #UD"},
    {VT_OP_VMCALL, "its effect is the hypervisor's, whose guest every judge's state is"},
    {VT_OP_VMMCALL, "its effect is the hypervisor's, whose guest every judge's state is"},
    {VT_OP_INT1, "QEMU and Unicorn stop at it as at a breakpoint of their debugger"},
};

static uint8_t judges_of[VT_OPERATIONS];

static const char *reason_of(unsigned operation)
{
    for (size_t i = 0; i < sizeof excepted / sizeof excepted[0]; i++)
        if (excepted[i].operation == operation)
            return excepted[i].reason;
    return NULL;
}

/* Encodings differ in what they decode to: a memory operand, another register file. */
static void find_judges(void)
{
    static struct emulator base;
    static struct difference d;

    emulator_open(&base);
    for (size_t i = 0; i < difference_form_count; i++)
        for (uint64_t seed = 0; seed < 64; seed++)
            if (difference_make(&d, &base, &difference_forms[i], LEVEL_KERNEL, seed) &&
                d.instruction.operation < VT_OPERATIONS)
                judges_of[d.instruction.operation] |= difference_forms[i].judges;
}

/* What tests/judges adds up to, and for what. */
static void say_promise(void)
{
    printf("# promised: %u\n", difference_promise());
    for (size_t i = 0; i < difference_form_count; i++)
        printf("# form: %s\n", difference_forms[i].name);
}

START_TEST(every_emulated_instruction_has_a_judge)
{
    say_promise();
    find_judges();
    for (unsigned i = 0; i < VT_OPERATIONS; i++) {
        const char *name = names[i], *reason = reason_of(i);

        if (!name)
            continue;
        ck_assert_msg(judges_of[i] || reason, "%s: no judge, and no reason why", name);
        ck_assert_msg(!judges_of[i] || !reason, "%s: has a judge, and a reason why not", name);
        if (reason)
            printf("# no judge for %s: %s\n", name, reason);
    }
}
END_TEST

/* Two that do not share code: the kernel's interpreter may err where QEMU does not. */
START_TEST(most_instructions_have_two_judges)
{
    unsigned two = 0, all = 0;

    find_judges();
    for (unsigned i = 0; i < VT_OPERATIONS; i++) {
        all += names[i] && judges_of[i];
        two += names[i] && __builtin_popcount(judges_of[i]) > 1;
    }
    printf("# %u of %u instructions have two judges or more\n", two, all);
    ck_assert_uint_ge(two * 10, all * 9);
}
END_TEST

VT_SUITE(every_emulated_instruction_has_a_judge, most_instructions_have_two_judges)
