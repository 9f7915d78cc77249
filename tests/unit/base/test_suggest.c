#include "base/suggest.h"
#include "tests/unit/suite.h"

#include <string.h>

START_TEST(distance_counts_edits)
{
    ck_assert_uint_eq(vt_suggest_distance("", ""), 0);
    ck_assert_uint_eq(vt_suggest_distance("cpuid", "cpuid"), 0);
    ck_assert_uint_eq(vt_suggest_distance("", "kvm"), 3);
    ck_assert_uint_eq(vt_suggest_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(vt_suggest_distance("sitting", "kitten"), 3);
}
END_TEST

START_TEST(swapped_neighbours_are_one_edit)
{
    ck_assert_uint_eq(vt_suggest_distance("cpuid", "cpiud"), 1);
    ck_assert_uint_eq(vt_suggest_distance("ca", "abc"), 3); /* no edit inside a swapped pair */
}
END_TEST

START_TEST(long_names_stay_in_bounds)
{
    char a[512], b[512];
    memset(a, 'a', sizeof a - 1);
    memset(b, 'b', sizeof b - 1);
    a[sizeof a - 1] = b[sizeof b - 1] = '\0';
    ck_assert_uint_eq(vt_suggest_distance(a, b), 64);
    ck_assert_uint_eq(vt_suggest_distance(a, a), 0);
    ck_assert_uint_eq(vt_suggest_distance("", b), 64);
}
END_TEST

START_TEST(nearest_name_wins)
{
    struct vt_suggestion suggestion = {.wanted = "mov-cr3"};
    vt_suggest_offer(&suggestion, "mov-from-dr7");
    vt_suggest_offer(&suggestion, "mov-to-cr3");
    vt_suggest_offer(&suggestion, "cpuid");
    ck_assert_str_eq(suggestion.nearest, "mov-to-cr3");
    ck_assert_str_eq(vt_suggest_text(&suggestion), "; did you mean 'mov-to-cr3'?");
}
END_TEST

START_TEST(capitals_are_small_letters)
{
    struct vt_suggestion suggestion = {.wanted = "CPUID"};
    ck_assert_uint_eq(vt_suggest_distance("CPIUD", "cpuid"), 1);
    vt_suggest_offer(&suggestion, "cpuid");
    vt_suggest_offer(&suggestion, "out");
    ck_assert_str_eq(vt_suggest_text(&suggestion), "; did you mean 'cpuid'?");
}
END_TEST

START_TEST(far_names_are_not_suggested)
{
    struct vt_suggestion suggestion = {.wanted = "bananas"};
    vt_suggest_offer(&suggestion, "cpuid");
    vt_suggest_offer(&suggestion, "kvm");
    ck_assert_ptr_null(suggestion.nearest);
    ck_assert_str_eq(vt_suggest_text(&suggestion), "");
}
END_TEST

VT_SUITE(distance_counts_edits, swapped_neighbours_are_one_edit, long_names_stay_in_bounds, nearest_name_wins,
         capitals_are_small_letters, far_names_are_not_suggested)
