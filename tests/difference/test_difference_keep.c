/* A failure is made small, written down, and fails again when it is read back; what was mended no longer
 * does. */
#include "tests/difference/difference.h"
#include "tests/difference/program.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CULPRIT UINT64_C(0x123456789abcdef0)
#define BYTE    (WORLD_DATA + 0x123)

/* An emulator that errs when RBX and one byte of memory have these values. */
static bool errs(const struct difference *d)
{
    return d->world.vcpu.gpr[VT_RBX] == CULPRIT && d->world.memory[BYTE - WORLD_MEMORY] == 0x77;
}

static bool never(const struct difference *d)
{
    (void)d;
    return false;
}

static unsigned differing_words(const void *a, const void *b, size_t size)
{
    unsigned count = 0;

    for (size_t i = 0; i + 8 <= size; i += 8)
        count += memcmp((const char *)a + i, (const char *)b + i, 8) != 0;
    return count;
}

static size_t form_named(const char *name)
{
    size_t i = 0;

    while (strcmp(difference_forms[i].name, name) != 0)
        i++;
    return i;
}

static void make_failure(struct difference *d, const struct emulator *base)
{
    uint64_t seed = 1;

    while (!difference_make(d, base, &difference_forms[form_named("lar")], LEVEL_KERNEL, seed))
        seed++;
    d->world.vcpu.gpr[VT_RBX] = CULPRIT;
    *(uint8_t *)emulator_at(&d->world, BYTE) = 0x77;
}

START_TEST(a_failing_state_becomes_small_and_stays_failing)
{
    static struct emulator base;
    static struct difference d;

    emulator_open(&base);
    make_failure(&d, &base);
    ck_assert(errs(&d));
    difference_minimize(&d, &base, errs);
    ck_assert(errs(&d));
    ck_assert_uint_eq(differing_words(d.world.vcpu.gpr, base.vcpu.gpr, sizeof base.vcpu.gpr), 1);
    ck_assert_uint_eq(differing_words(d.world.memory + 0x1000, base.memory + 0x1000, WORLD_SIZE - 0x1000), 1);
}
END_TEST

START_TEST(a_kept_state_is_replayed)
{
    static struct emulator base;
    static struct difference d;
    char folder[] = "/tmp/vmtoll-states-XXXXXX", command[64];
    unsigned count = 0;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("VT_FAILURES", folder, 1);
    setenv("VT_STATES", folder, 1);
    emulator_open(&base);
    ck_assert_uint_eq(difference_replay(&base, JUDGE_NATIVE, errs, &count), 0);
    make_failure(&d, &base);
    difference_keep(&d, &base, errs);
    ck_assert_uint_eq(difference_replay(&base, JUDGE_NATIVE, errs, &count), 1);
    ck_assert_uint_eq(difference_replay(&base, JUDGE_NATIVE, never, &count), 0);
    ck_assert_uint_eq(count, 2);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Items 3 and 5 together do it. */
static bool program_errs(const struct program *program)
{
    return !program->without[3] && !program->without[5];
}

START_TEST(a_program_becomes_small_and_comes_back_from_its_file)
{
    struct program program = {.seed = 42}, again = {0};
    FILE *file = tmpfile();
    unsigned left = 0;

    program_minimize(&program, program_errs);
    ck_assert(program_errs(&program));
    for (unsigned i = 0; i < PROGRAM_ITEMS; i++)
        left += !program.without[i];
    ck_assert_uint_le(left, 2);
    program_write(&program, file);
    rewind(file);
    ck_assert(program_read(&again, file));
    ck_assert_int_eq(memcmp(&program, &again, sizeof program), 0);
    fclose(file);
}
END_TEST

VT_SUITE(a_failing_state_becomes_small_and_stays_failing, a_kept_state_is_replayed,
         a_program_becomes_small_and_comes_back_from_its_file)
