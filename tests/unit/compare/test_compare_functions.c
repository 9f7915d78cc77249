/* Functions behind a difference: they add up to it, whatever came, went or was renamed. */
#include "compare/functions.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

static struct vt_profile_function before_functions[] = {
    {"run", "kvm", 1000, 10000},    {"emulate_cpuid", "kvm", 3900, 3900}, {"trigger", "kvm", 1100, 1100},
    {"old_name", "kvm", 500, 2000}, {"same", "kernel", 3500, 3500},
};
static struct vt_profile_function after_functions[] = {
    {"same", "kernel", 1750, 1750}, {"run", "kvm", 500, 60000}, {"emulate_cpuid", "kvm", 1950 + 50000, 51950},
    {"new_name", "kvm", 300, 1000}, {"come", "kvm", 40, 40},
};

static struct vt_profile profile_of(struct vt_profile_function *functions, size_t count, int64_t operations)
{
    struct vt_profile profile = {.operations = operations, .functions = functions, .function_count = count};
    for (size_t i = 0; i < count; i++)
        profile.sum += functions[i].self;
    return profile;
}

static const struct vt_function_change *find(const struct vt_function_changes *changes, const char *name)
{
    for (size_t i = 0; i < changes->count; i++)
        if (strcmp(changes->list[i].name, name) == 0)
            return &changes->list[i];
    return NULL;
}

START_TEST(they_add_up_to_the_difference)
{
    struct vt_profile before = profile_of(before_functions, 5, 100),
                      after = profile_of(after_functions, 5, 50);
    struct vt_result_row rows[2] = {{.profile = &before}, {.profile = &after}};
    struct vt_compared row = {.before = &rows[0], .after = &rows[1]};
    struct vt_function_changes changes;
    char text[300];
    double sum = 0;

    ck_assert_int_eq(vt_compare_functions(&row, &changes), 0);
    for (size_t i = 0; i < changes.count; i++)
        sum += changes.list[i].difference;
    ck_assert_double_eq_tol(sum, (double)after.sum / 50 - (double)before.sum / 100, 1e-9);
    /* Batches of another length: what did not change is not there. */
    ck_assert_ptr_null(find(&changes, "same"));
    ck_assert_ptr_null(find(&changes, "run"));
    ck_assert_str_eq(changes.list[0].name, "emulate_cpuid");
    ck_assert_double_eq(changes.list[0].difference, 1000);
    ck_assert(isnan(find(&changes, "trigger")->after) && isnan(find(&changes, "come")->before));
    ck_assert_str_eq(find(&changes, "new_name")->was, "old_name");
    ck_assert_double_eq_tol(find(&changes, "new_name")->difference, 1, 1e-9);
    vt_compare_release_functions(&changes);
    vt_compare_print_functions(&row, 2, text, sizeof text);
    ck_assert_str_eq(text, "emulate_cpuid +1000, trigger -11 (gone), 2 others +1.80");
}
END_TEST

/* Two that went and two that came alike: who became whom is not known. */
START_TEST(a_guess_is_no_renaming)
{
    struct vt_profile_function old[] = {{"a", "kvm", 600, 600}, {"b", "kvm", 600, 600}};
    struct vt_profile_function new[] = {{"c", "kvm", 600, 600}, {"d", "kernel", 600, 600}};
    struct vt_profile before = profile_of(old, 2, 100), after = profile_of(new, 2, 100);
    struct vt_result_row rows[2] = {{.profile = &before}, {.profile = &after}};
    struct vt_compared row = {.before = &rows[0], .after = &rows[1]};
    struct vt_function_changes changes;

    ck_assert_int_eq(vt_compare_functions(&row, &changes), 0);
    ck_assert_uint_eq(changes.count, 4);
    for (size_t i = 0; i < changes.count; i++)
        ck_assert_ptr_null(changes.list[i].was);
    vt_compare_release_functions(&changes);
}
END_TEST

START_TEST(without_profiles_nothing_is_said)
{
    struct vt_profile profile = profile_of(before_functions, 5, 100);
    struct vt_result_row rows[2] = {{.profile = &profile}, {.profile = NULL}};
    struct vt_compared row = {.before = &rows[0], .after = &rows[1]};
    struct vt_function_changes changes;
    char text[10];

    ck_assert(!vt_compare_has_functions(&row));
    ck_assert_int_eq(vt_compare_functions(&row, &changes), 0);
    ck_assert_uint_eq(changes.count, 0);
    vt_compare_print_functions(&row, 3, text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

VT_SUITE(they_add_up_to_the_difference, a_guess_is_no_renaming, without_profiles_nothing_is_said)
