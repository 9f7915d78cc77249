#include "base/provenance.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

START_TEST(this_program_knows_how_it_was_built)
{
    struct vt_provenance provenance = vt_provenance();
    ck_assert(strncmp(provenance.compiler, "gcc ", 4) == 0 || strncmp(provenance.compiler, "clang ", 6) == 0);
    ck_assert_ptr_null(strstr(provenance.flags, "-prefix-map="));
    ck_assert_uint_eq(strspn(provenance.build_id, "0123456789abcdef"), strlen(provenance.build_id));
}
END_TEST

/* Flags may give it up without a macro that says so, as clang's -fno-honor-nans does. */
START_TEST(what_is_not_known_is_seen_to_be_unknown)
{
    volatile double unknown = NAN;
    double value = unknown;
    ck_assert(isnan(value));
    ck_assert(value != value);
}
END_TEST

START_TEST(what_slows_code_is_named)
{
    static const struct {
        const char *flags, *burden;
    } rows[] = {
        {"-O2 -g", NULL},
        {"-O3 -march=native -flto=auto", NULL},
        {"-Os", NULL},
        {"-O", NULL},
        {"-Og -g", NULL},
        {"-O0 -g -O2", NULL},
        {"-O0", "without optimization"},
        {"-O2 -g -O0", "without optimization"},
        {"-g", "without optimization"},
        {"", "without optimization"},
        {"-fsanitize=address,undefined -O1", "with -fsanitize=address,undefined"},
        {"-O2 --coverage -g", "with --coverage"},
        {"-O2 -pg", "with -pg"},
        {"-O2 -fprofile-generate=/tmp", "with -fprofile-generate=/tmp"},
        {"-O2 -fprofile-instr-generate -fcoverage-mapping", "with -fprofile-instr-generate"},
        {"-O2 -fsanitize-coverage=trace-pc", "with -fsanitize-coverage=trace-pc"},
        {"-coverage -O2", "with -coverage"},
        {"-O2 -fprofile-use=/tmp/p", NULL},
        {"-O2 -fno-sanitize=all", NULL},
    };
    char text[96];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *burden = vt_provenance_burden(rows[i].flags, text, sizeof text);
        ck_assert_msg(!burden == !rows[i].burden && (!burden || strcmp(burden, rows[i].burden) == 0),
                      "%s: %s", rows[i].flags, burden);
    }
    ck_assert_ptr_null(vt_provenance_burden(NULL, text, sizeof text));
}
END_TEST

START_TEST(long_flags_are_cut)
{
    char text[8];
    ck_assert_str_eq(vt_provenance_burden("-fsanitize=address -O2", text, sizeof text), "with -f");
    ck_assert_str_eq(vt_provenance_burden("", text, sizeof text), "without");
}
END_TEST

VT_SUITE(this_program_knows_how_it_was_built, what_is_not_known_is_seen_to_be_unknown,
         what_slows_code_is_named, long_flags_are_cut)
