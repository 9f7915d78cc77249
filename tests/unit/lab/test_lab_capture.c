/* What a machine may hand over: names and recordings that make sense, and those that do not. */
#include "base/error.h"
#include "lab/profile/row.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST UINT64_C(0xffff0000)

static const char *name_at(struct vt_symbols *symbols, uint64_t address)
{
    uint64_t start;
    int32_t function = vt_symbols_find(symbols, address, &start);
    return function < 0 ? NULL : symbols->functions[function].name;
}

START_TEST(symbols_are_functions_and_nothing_else)
{
    struct vt_symbols symbols;
    uint64_t start;
    static const char text[] = "10 T known\n20 d data\n30 t local\n30 T global\n30 W weak\n40 t other.cold\n"
                               "50 T not\x01"
                               "a name\n60 T\nnonsense\n70 t other\n80 T  [vmtoll]\n";

    ck_assert_int_eq(vt_symbols_read(&symbols, strdup(text)), 0);
    ck_assert_int_eq(vt_symbols_find(&symbols, 0xf, &start), VT_SYMBOLS_NONE);
    ck_assert_str_eq(name_at(&symbols, 0x2f), "known");
    ck_assert_str_eq(name_at(&symbols, 0x30), "global");
    ck_assert_int_eq(vt_symbols_find(&symbols, 0x41, &start), vt_symbols_find(&symbols, 0x71, &start));
    ck_assert_str_eq(name_at(&symbols, 0x71), "other");
    int32_t other = vt_symbols_find(&symbols, 0x71, &start);
    ck_assert_str_eq(symbols.functions[other].module, "kernel");
    ck_assert_int_eq(vt_symbols_find(&symbols, 0x81, &start), VT_SYMBOLS_NONE);
    vt_symbols_release(&symbols);
}
END_TEST

START_TEST(a_capture_that_makes_no_sense_is_refused)
{
    static const char *const bad[] = {
        "x\n",
        "i 10 1\n",
        "i 10 16 0\n",
        "i 10 1 99\n",
        "s\n",
        "s 1:1\n",
        "i 10 1 0\ns 2:1\n",
        "i 10 1 0\ns 1:0\n",
        "i 10 1 0\ns 1\n",
        "b 10 0 1:0:1\n",
        "b 10 2 1:-1:1\n",
        "b 10 0 -1:-1:1\n",
        "b 10 0 10000000000000000000:-1:1\n",
        "r\ni 10 1 0\nr\ns 1:1\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vt_capture capture;
        struct vt_error error;
        char *text = strdup(bad[i]);
        ck_assert_msg(vt_capture_read(&capture, text, &error) != 0, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error.text, "line"));
        vt_capture_release(&capture);
        free(text);
    }
}
END_TEST

START_TEST(a_batch_without_end_is_not_walked_through)
{
    static const char *const long_ones[] = {
        "b 10 0 1000000001:-1:1\n",
        "i 10 1 0\ns 1:4000000000\nb 10 0 0:0:1\n",
        "i 10 1 0\ns 1:1000\nb 10 0 0:0:400000\n",
        "b 10 0 100000:-1:4000000000\n",
        "b 10 0 90000000:-1:1 90000000:-1:1\n",
    };

    for (size_t i = 0; i < sizeof long_ones / sizeof long_ones[0]; i++) {
        struct vt_capture capture;
        struct vt_error error;
        char *text = strdup(long_ones[i]);
        ck_assert_msg(vt_capture_read(&capture, text, &error) == 0, "%s: %s", long_ones[i], error.text);
        ck_assert_uint_eq(capture.batch_count, 1);
        ck_assert_msg(capture.batches[0].failed, "%s", long_ones[i]);
        vt_capture_release(&capture);
        free(text);
    }
}
END_TEST

/* Each of WIDE functions calls each of as many others. */
enum { WIDE = 100 };

static char *wide_symbols(void)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    for (int i = 0; i < 2 * WIDE; i++)
        fprintf(stream, "%llx T f%d\n", (unsigned long long)(HOST + (uint64_t)i * 16), i);
    fclose(stream);
    return text;
}

/* Of a function that calls: the call and its return, and of one that is called: its return. */
static char *wide_capture(int callers)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    fputs("r\n", stream);
    for (int i = 0; i < 2 * WIDE; i++)
        fprintf(stream, "i %llx %s\n", (unsigned long long)(HOST + (uint64_t)i * 16),
                i < WIDE ? "5 2" : "1 3");
    for (int i = 0; i < WIDE; i++)
        fprintf(stream, "i %llx 1 3\n", (unsigned long long)(HOST + (uint64_t)i * 16 + 5));
    fputs("s 1:1", stream);
    for (int i = 0; i < callers; i++)
        for (int k = 0; k < WIDE; k++)
            fprintf(stream, " %d:1 %d:1 %d:1", i + 1, WIDE + k + 1, 2 * WIDE + i + 1);
    fputs("\nb 2000 0 1:0:1 1:-1:1\nb 3000 0 1:-1:1\n", stream);
    fclose(stream);
    return text;
}

/* As many chains as a machine can make up would fill documents: its row has no profile. */
START_TEST(chains_without_end_are_no_profile)
{
    static const int callers[] = {WIDE / 2, WIDE};

    for (size_t i = 0; i < 2; i++) {
        struct vt_capture capture;
        struct vt_symbols symbols;
        struct vt_replay replay;
        struct vt_error error;
        struct vt_profile profile;
        char *text = wide_capture(callers[i]);
        ck_assert_int_eq(vt_capture_read(&capture, text, &error), 0);
        ck_assert_int_eq(vt_symbols_read(&symbols, wide_symbols()), 0);
        ck_assert_int_eq(vt_replay_open(&replay, &capture, &symbols, 0), 0);
        const struct vt_profile_pair pair = {&capture.batches[0], &capture.batches[1]};
        int status = vt_profile_subtract(&profile, &replay, &pair, 1);
        ck_assert_int_eq(status, callers[i] == WIDE ? -ENOENT : 0);
        if (status == 0)
            ck_assert_uint_eq(profile.stack_count, 1 + WIDE / 2 * (WIDE + 1));
        vt_profile_release(&profile);
        vt_replay_release(&replay);
        vt_symbols_release(&symbols);
        vt_capture_release(&capture);
        free(text);
    }
}
END_TEST

VT_SUITE(symbols_are_functions_and_nothing_else, a_capture_that_makes_no_sense_is_refused,
         a_batch_without_end_is_not_walked_through, chains_without_end_are_no_profile)
