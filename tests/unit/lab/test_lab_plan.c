/* What the outside tells the inside of a lab: nothing is lost, nonsense is refused. */
#include "guest/image/choice.h"
#include "lab/image.h"
#include "lab/plan.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct vt_lab_plan written = {
    .engine = "svm",
    .cases = "cpuid,mov-*",
    .levels = "0,3",
    .parameters = "kvm.a=1,kvm_amd.npt=0",
    .iterations = 500,
    .pairs = 7,
    .depth = 2,
    .starts = true,
    .pages = true,
    .lost = {{3, VT_STATUS_TIMEOUT, "nothing came for 30 s: it said a=b"}, {14, VT_STATUS_FAILED, ""}},
    .lost_count = 2,
    .before = 14};

static int parse(const char *text, struct vt_lab_plan *plan, struct vt_error *error)
{
    char copy[8192];
    ck_assert_int_lt(snprintf(copy, sizeof copy, "%s", text), sizeof copy);
    return vt_lab_plan_parse(plan, "/plan", copy, error);
}

START_TEST(what_is_printed_is_read_back)
{
    struct vt_lab_plan plan;
    struct vt_error error;
    char *text = vt_lab_plan_print(&written);

    ck_assert_int_eq(parse(text, &plan, &error), 0);
    ck_assert_str_eq(plan.engine, written.engine);
    ck_assert_str_eq(plan.cases, written.cases);
    ck_assert_str_eq(plan.levels, written.levels);
    ck_assert_str_eq(plan.parameters, written.parameters);
    ck_assert_uint_eq(plan.iterations, written.iterations);
    ck_assert_uint_eq(plan.pairs, written.pairs);
    ck_assert_uint_eq(plan.before, written.before);
    ck_assert_uint_eq(plan.depth, written.depth);
    ck_assert(plan.starts);
    ck_assert(plan.pages);
    ck_assert(!plan.profile);
    ck_assert_uint_eq(plan.lost_count, written.lost_count);
    for (size_t i = 0; i < plan.lost_count; i++) {
        ck_assert_uint_eq(plan.lost[i].number, written.lost[i].number);
        ck_assert_int_eq(plan.lost[i].status, written.lost[i].status);
        ck_assert_str_eq(plan.lost[i].reason, written.lost[i].reason);
    }
    free(text);
}
END_TEST

START_TEST(nonsense_is_refused_with_the_line)
{
    static const char *const bad[] = {
        "engine",          "engine=a name that is too long for it",
        "pairs=0",         "pairs=",
        "pairs=7x",        "iterations=-",
        "other=1",         "lost=",
        "lost=0 failed x", "lost=1 ok x",
        "lost=1",          "before=0",
        "depth=0",         "depth=3",
        "starts=x",        "pages=",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vt_lab_plan plan;
        struct vt_error error;
        ck_assert_int_lt(parse(bad[i], &plan, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.text, "/plan: cannot make sense of '"));
    }
}
END_TEST

START_TEST(an_incomplete_plan_is_refused)
{
    struct vt_lab_plan plan;
    struct vt_error error;

    ck_assert_int_lt(parse("engine=svm\npairs=7\n", &plan, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "incomplete"));
    ck_assert_int_lt(parse("", &plan, &error), 0);
}
END_TEST

/* Case i is bit i % 4 of digit i / 4. */
START_TEST(an_image_is_told_each_case_by_its_bit)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    ck_assert_uint_le(count, VT_IMAGE_CASES);
    for (size_t i = 0; i < count; i++) {
        char text[VT_LAB_IMAGE_CHOICE], expected[VT_LAB_IMAGE_CHOICE] = "cases=";
        struct vt_lab_request request = {.cases = cases[i].name};
        struct vt_error error;
        ck_assert_int_eq(vt_lab_image_choice(&request, text, &error), 0);
        memset(expected + 6, '0', (count + 3) / 4);
        expected[6 + i / 4] = "1248"[i % 4];
        ck_assert_str_eq(text, expected);
    }
}
END_TEST

START_TEST(an_image_is_told_nothing_of_all_cases)
{
    char text[VT_LAB_IMAGE_CHOICE];
    struct vt_lab_request request = {0};
    struct vt_error error;
    ck_assert_int_eq(vt_lab_image_choice(&request, text, &error), 0);
    ck_assert_str_eq(text, "");
}
END_TEST

VT_SUITE(what_is_printed_is_read_back, nonsense_is_refused_with_the_line, an_incomplete_plan_is_refused,
         an_image_is_told_each_case_by_its_bit, an_image_is_told_nothing_of_all_cases)
