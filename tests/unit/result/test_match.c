/* What counts as the same measurement in two results. */
#include "result/match.h"
#include "tests/unit/suite.h"

#include <math.h>

static struct vt_result_row row(const char *name, double vcpus)
{
    return (struct vt_result_row){.name = name, .engine = "kvm", .path = "hardware", .vcpus = vcpus};
}

START_TEST(as_many_vcpus_are_like_and_others_are_not)
{
    struct vt_result_row rows[] = {row("cpuid", 1), row("cpuid", 2), row("cpuid", 4)};
    const struct vt_result result = {.rows = rows, .count = 3};
    const struct vt_result_row two = row("cpuid", 2), three = row("cpuid", 3), old = row("cpuid", NAN);
    struct vt_result_matcher matcher;

    ck_assert_int_eq(vt_result_match_start(&matcher, &result), 0);
    ck_assert_ptr_eq(vt_result_match(&matcher, &two), &rows[1]);
    ck_assert_ptr_null(vt_result_match(&matcher, &three));
    /* Documents that do not say are of one. */
    ck_assert_ptr_eq(vt_result_match(&matcher, &old), &rows[0]);
    vt_result_match_end(&matcher);
}
END_TEST

START_TEST(another_depth_is_another_road)
{
    struct vt_result_row rows[] = {row("cpuid", 1), row("cpuid", 1)};
    const struct vt_result result = {.rows = rows, .count = 2};
    struct vt_result_row deep = row("cpuid", 1), old = row("cpuid", 1), deeper = row("cpuid", 1);
    struct vt_result_matcher matcher;

    rows[0].depth = deep.depth = 2;
    rows[1].depth = 1;
    old.depth = NAN;
    deeper.depth = 3;
    ck_assert_int_eq(vt_result_match_start(&matcher, &result), 0);
    ck_assert_ptr_eq(vt_result_match(&matcher, &deep), &rows[0]);
    ck_assert_ptr_eq(vt_result_match(&matcher, &old), &rows[1]);
    ck_assert_ptr_null(vt_result_match(&matcher, &deeper));
    vt_result_match_end(&matcher);
}
END_TEST

START_TEST(what_no_machine_has_is_one)
{
    const struct vt_result_row wild[] = {row("cpuid", 0), row("cpuid", -3), row("cpuid", 1e17)};

    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++)
        ck_assert_int_eq(vt_result_vcpus(&wild[i]), 1);
    const struct vt_result_row eight = row("cpuid", 8);
    ck_assert_int_eq(vt_result_vcpus(&eight), 8);
}
END_TEST

VT_SUITE(another_depth_is_another_road, as_many_vcpus_are_like_and_others_are_not, what_no_machine_has_is_one)
