/*
 * The translator against the processor: random programs run natively and translated,
 * at the same address with the same registers, must leave the same registers, flags and memory.
 *
 * VT_SEED and VT_ROUNDS choose other programs than the usual ones. A program that fails is made
 * smaller and written to a file in tests/data/translator, where the test finds it from then on.
 */
#include "tests/difference/program.h"
#include "tests/unit/suite.h"
#include "tests/unit/translate/translated.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer looks for stray accesses, which the first programs make as the last. */
#define ROUNDS   (VT_ADDRESS_SANITIZER ? 8000 : 20000)
#define DATA_DIR "tests/data/translator"

static struct translated world;
static struct outcome native, translated;
static uint8_t code[PROGRAM_SIZE];
static char difference[256];

static bool differs(const char *what, uint64_t a, uint64_t b)
{
    snprintf(difference, sizeof difference, "%s is 0x%llx natively, 0x%llx translated", what,
             (unsigned long long)a, (unsigned long long)b);
    return true;
}

static bool compare(void)
{
    static const char *const names[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                        "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};

    for (int i = 0; i < VT_GPRS; i++)
        if (native.gpr[i] != translated.gpr[i])
            return differs(names[i], native.gpr[i], translated.gpr[i]);
    if (native.flags != translated.flags)
        return differs("RFLAGS", native.flags, translated.flags);
    if (memcmp(native.memory, translated.memory, sizeof native.memory) == 0)
        return false;
    size_t i = 0;
    while (native.memory[i] == translated.memory[i])
        i++;
    char what[32];
    snprintf(what, sizeof what, "byte 0x%zx", i);
    return differs(what, native.memory[i], translated.memory[i]);
}

static bool fails(const struct program *program)
{
    size_t size = program_generate(program, code);

    vt_translate_flush(world.translate);
    memcpy(world.window + TRANSLATED_CODE, code, size);
    translated_registers(&world, program->seed);
    translated_native(&world, &native);
    translated_registers(&world, program->seed);
    enum vt_translate_end end = translated_run(&world, code, size, 1000000);
    if (end != VT_TRANSLATE_RETURNED)
        return differs("how it ended", VT_TRANSLATE_RETURNED, end);
    translated_outcome(&world, &translated);
    return compare();
}

static void keep(const struct program *program, char *path, size_t size)
{
    snprintf(path, size, DATA_DIR "/seed-%llu", (unsigned long long)program->seed);
    FILE *file = fopen(path, "w");
    if (!file) {
        snprintf(path, size, "nowhere: %s is not there", DATA_DIR);
        return;
    }
    program_write(program, file);
    fclose(file);
}

static void try(struct program program)
{
    char path[300];

    if (!fails(&program))
        return;
    program_minimize(&program, fails);
    fails(&program);
    keep(&program, path, sizeof path);
    ck_abort_msg("seed %llu: %s; smallest program kept in %s", (unsigned long long)program.seed, difference,
                 path);
}

static uint64_t setting(const char *name, uint64_t standard)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : standard;
}

static void try_all(size_t cache, uint64_t first)
{
    uint64_t rounds = setting("VT_ROUNDS", ROUNDS), seed = setting("VT_SEED", first);

    translated_open(&world, cache);
    for (uint64_t i = 0; i < rounds; i++)
        try((struct program){.seed = seed + i});
    printf("# seeds %llu to %llu\n", (unsigned long long)seed, (unsigned long long)(seed + rounds - 1));
    fflush(stdout);
    translated_close(&world);
}

START_TEST(programs_do_the_same_translated)
{
    try_all(0, 1);
}
END_TEST

START_TEST(programs_do_the_same_while_they_are_counted)
{
    translated_open(&world, 0);
    vt_translate_count(world.translate, true);
    for (uint64_t seed = 1; seed <= 200; seed++)
        try((struct program){.seed = seed});
    ck_assert_uint_gt(vt_translate_counts(world.translate).inline_hits, 0);
    translated_close(&world);
}
END_TEST

/* A cache for a few blocks at a time: it is emptied in the middle of programs. */
START_TEST(programs_do_the_same_in_a_small_cache)
{
    try_all(160 << 10, 1000000);
}
END_TEST

static int replay(const char *name)
{
    struct program program;
    char path[512];

    snprintf(path, sizeof path, DATA_DIR "/%s", name);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    bool read = program_read(&program, file);
    fclose(file);
    ck_assert_msg(read, "%s: not a program", path);
    ck_assert_msg(!fails(&program), "%s: %s", path, difference);
    return 1;
}

START_TEST(programs_that_once_failed_do_the_same)
{
    DIR *directory = opendir(DATA_DIR);
    struct dirent *entry;
    int count = 0;

    if (!directory)
        vt_skip("%s is not there", DATA_DIR);
    translated_open(&world, 0);
    while ((entry = readdir(directory)))
        if (strncmp(entry->d_name, "seed-", 5) == 0)
            count += replay(entry->d_name);
    closedir(directory);
    translated_close(&world);
    if (count == 0)
        vt_skip("no program has failed so far");
}
END_TEST

VT_SUITE(programs_do_the_same_translated, programs_do_the_same_while_they_are_counted,
         programs_do_the_same_in_a_small_cache, programs_that_once_failed_do_the_same)
