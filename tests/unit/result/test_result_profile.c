/* The profile of a row: kept, written and read back; what does not add up is refused, or marks its row. */
#include "result/load/load.h"
#include "result/profile.h"
#include "result/save.h"
#include "tests/unit/result/loaded.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(toll, profile)                                                                                   \
    "{\"schema\": \"vmtoll.result/1\", \"measurements\": [{\"case\": \"cpuid\", \"engine\": \"svm\", "       \
    "\"status\": "                                                                                           \
    "\"ok\", \"unit\": \"instructions\", \"simulated\": true, \"toll\": {\"median\": " toll                  \
    ", \"ci95\": null}" profile "}]}"
#define FUNCTIONS                                                                                            \
    "\"functions\": [{\"name\": \"f\", \"module\": \"kvm\", \"self\": 300, \"inclusive\": 1000}, "           \
    "{\"name\": \"g\", \"module\": \"kernel\", \"self\": 700, \"inclusive\": 700}]"
#define PROFILE(sum, stacks)                                                                                 \
    ", \"profile\": {\"unit\": \"instructions\", \"operations\": 100, \"sum\": " sum                         \
    ", \"unattributed\": 0, "                                                                                \
    "\"interrupts_dropped\": 1, " FUNCTIONS ", \"stacks\": [" stacks "]}"

START_TEST(it_is_read_and_written)
{
    struct vt_result *result, *again;
    struct vt_error error;
    char *text = NULL;
    size_t size;

    ck_assert_int_eq(vt_test_load(ROW("10", PROFILE("1000", "-1,0,300,0,1,700")), &result, &error), 0);
    const struct vt_profile *profile = result->rows[0].profile;
    ck_assert_int_eq(profile->operations, 100);
    ck_assert_int_eq(profile->interrupts_dropped, 1);
    ck_assert_uint_eq(profile->function_count, 2);
    ck_assert_str_eq(profile->functions[1].name, "g");
    ck_assert_int_eq(profile->functions[0].inclusive, 1000);
    ck_assert_uint_eq(profile->stack_count, 2);
    ck_assert_int_eq(profile->stacks[1].parent, 0);
    ck_assert_int_eq(profile->stacks[1].self, 700);
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(vt_result_print(result, false, stream), 0);
    fclose(stream);
    ck_assert_int_eq(vt_test_load(text, &again, &error), 0);
    ck_assert_int_eq(again->rows[0].profile->stacks[1].self, 700);
    ck_assert_str_eq(again->rows[0].profile->functions[0].module, "kvm");
    free(text);
    vt_result_free(result);
    vt_result_free(again);
}
END_TEST

START_TEST(what_does_not_add_up_is_refused)
{
    static const char *const bad[] = {
        ROW("10", PROFILE("1001", "-1,0,300,0,1,700")),
        ROW("10", PROFILE("1000", "-1,0,300,0,1,701")),
        ROW("10", PROFILE("1000", "-1,0,300,1,1,700")),
        ROW("10", PROFILE("1000", "-1,0,300,0,2,700")),
        ROW("10", PROFILE("1000", "-1,0,300,0,-1,700")),
        ROW("10", PROFILE("1000", "-2,0,300,0,1,700")),
        ROW("10", PROFILE("1000", "-1,0,300.5,0,1,699.5")),
        ROW("10", PROFILE("1000", "-1,0,300,0,1,\"x\"")),
        ROW("10", PROFILE("1e300", "-1,0,300,0,1,700")),
        ROW("10", PROFILE("null", "-1,0,300,0,1,700")),
        ROW("10", ", \"profile\": {\"operations\": 0}"),
        ROW("10", ", \"profile\": {\"operations\": 1, \"sum\": 0, \"functions\": [{\"module\": \"kvm\"}]}"),
        ROW("10", ", \"profile\": {\"operations\": 1, \"functions\": [1]}"),
        ROW("10", ", \"profile\": []"),
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vt_result *result;
        struct vt_error error;
        ck_assert_msg(vt_test_load(bad[i], &result, &error) != 0, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error.text, "profile"));
        vt_result_free(result);
    }
}
END_TEST

START_TEST(a_sum_that_is_not_the_toll_marks_its_row)
{
    struct vt_profile_function function = {.name = "f", .module = "kvm", .self = 1000, .inclusive = 1000};
    struct vt_profile_stack stack = {.parent = -1, .function = 0, .self = 1000};
    const struct vt_profile profile = {.operations = 100,
                                       .sum = 1000,
                                       .functions = &function,
                                       .function_count = 1,
                                       .stacks = &stack,
                                       .stack_count = 1};
    struct vt_result *right, *wrong;
    struct vt_error error;

    ck_assert_int_eq(vt_test_load(ROW("10", ""), &right, &error), 0);
    ck_assert_int_eq(vt_test_load(ROW("12.5", ""), &wrong, &error), 0);
    ck_assert_int_eq(vt_result_set_profile(right, &right->rows[0], &profile), 0);
    ck_assert_int_eq(vt_result_set_profile(wrong, &wrong->rows[0], &profile), 0);
    ck_assert_int_eq(right->rows[0].status, VT_STATUS_OK);
    ck_assert_int_eq(wrong->rows[0].status, VT_STATUS_UNVERIFIED);
    ck_assert_ptr_nonnull(strstr(wrong->rows[0].reason, "2.5 less than the toll"));
    vt_result_free(right);
    vt_result_free(wrong);
}
END_TEST

/* A tenth of an instruction in a thousand is not a rounding: the toll may be the mean of two pairs. */
START_TEST(no_more_than_six_digits_round_away_is_forgiven)
{
    static const struct {
        int64_t operations, sum;
        enum vt_status status;
    } all[] = {{200, 725785, VT_STATUS_OK},
               {100, 362892, VT_STATUS_OK},
               {100, 362895, VT_STATUS_UNVERIFIED},
               {100, 362890, VT_STATUS_UNVERIFIED}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct vt_profile_function function = {.name = "f", .module = "kvm", .self = all[i].sum};
        struct vt_profile_stack stack = {.parent = -1, .self = all[i].sum};
        const struct vt_profile profile = {.operations = all[i].operations,
                                           .sum = all[i].sum,
                                           .functions = &function,
                                           .function_count = 1,
                                           .stacks = &stack,
                                           .stack_count = 1};
        struct vt_result *result;
        struct vt_error error;
        ck_assert_int_eq(vt_test_load(ROW("3628.92", ""), &result, &error), 0);
        ck_assert_int_eq(vt_result_set_profile(result, &result->rows[0], &profile), 0);
        ck_assert_int_eq(result->rows[0].status, all[i].status);
        vt_result_free(result);
    }
}
END_TEST

/* Of a domain of Xen's, whose clock is Xen's arithmetic. */
START_TEST(a_tick_is_no_gap_where_the_clock_is_computed)
{
    static const struct {
        const char *engine;
        int64_t sum;
        enum vt_status status;
    } all[] = {{"xen-pvh", 592200, VT_STATUS_OK},
               {"xen-pvh", 592203, VT_STATUS_UNVERIFIED},
               {"svm", 592200, VT_STATUS_UNVERIFIED}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct vt_profile_function function = {.name = "f", .module = "xen", .self = all[i].sum};
        struct vt_profile_stack stack = {.parent = -1, .self = all[i].sum};
        const struct vt_profile profile = {.operations = 100,
                                           .sum = all[i].sum,
                                           .functions = &function,
                                           .function_count = 1,
                                           .stacks = &stack,
                                           .stack_count = 1};
        struct vt_result *result;
        struct vt_error error;
        ck_assert_int_eq(vt_test_load(ROW("5921.99", ""), &result, &error), 0);
        result->rows[0].engine = all[i].engine;
        ck_assert_int_eq(vt_result_set_profile(result, &result->rows[0], &profile), 0);
        ck_assert_int_eq(result->rows[0].status, all[i].status);
        vt_result_free(result);
    }
}
END_TEST

VT_SUITE(it_is_read_and_written, what_does_not_add_up_is_refused, a_sum_that_is_not_the_toll_marks_its_row,
         no_more_than_six_digits_round_away_is_forgiven, a_tick_is_no_gap_where_the_clock_is_computed)
