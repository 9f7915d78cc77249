/* What two results differ in beside their figures, and is said before any of them. */
#include "compare/compare.h"
#include "tests/unit/compare/invented.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

START_TEST(a_run_in_company_is_named)
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = vt_test_run(0.02, 0), *b = vt_test_run(0.02, 0);
    a->settings = json_pack("{s:f}", "shared", 0.1);
    b->settings = json_pack("{s:f}", "shared", 0.44);
    ck_assert_int_eq(vt_compare(&comparison, a, b, &(struct vt_compare_limits){0.02, NAN, NULL}, &error), 0);
    ck_assert_uint_eq(comparison.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(comparison.warnings[0], "44 % of the new run's batches"));
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

START_TEST(another_kernel_is_named)
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = vt_test_lab("svm"), *b = vt_test_lab("svm");
    a->settings = json_pack("{s:s, s:s}", "lab", "svm", "kernel", "Linux 6.1");
    b->settings = json_pack("{s:s, s:s}", "lab", "svm", "kernel", "Linux 6.2");
    ck_assert_int_eq(vt_compare(&comparison, a, b, &(struct vt_compare_limits){NAN, NAN, NULL}, &error), 0);
    ck_assert_uint_eq(comparison.warning_count, 1);
    ck_assert_str_eq(comparison.warnings[0], "the lab's kernel was \"Linux 6.1\" and is \"Linux 6.2\"");
    ck_assert_uint_eq(comparison.worse, 0);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

/* What two results of a lab differ in beside their counts; each has one of `warnings`, NULL: none. */
static void expect_unlike_labs(const char *old, const char *new, const char *warning)
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = vt_test_lab("svm"), *b = vt_test_lab("svm");
    a->settings = json_loads(old, 0, NULL);
    b->settings = json_loads(new, 0, NULL);
    ck_assert(a->settings && b->settings);
    ck_assert_int_eq(vt_compare(&comparison, a, b, &(struct vt_compare_limits){NAN, NAN, NULL}, &error), 0);
    ck_assert_uint_eq(comparison.warning_count, warning != NULL);
    if (warning)
        ck_assert_str_eq(comparison.warnings[0], warning);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}

START_TEST(another_tuning_of_a_lab_is_named)
{
    static const char *const pairs[][3] = {
        {"'kernel_command_line': 'quiet rdinit=/vmtoll'", "'kernel_command_line': 'quiet rdinit=/vmtoll'",
         NULL},
        {"'kernel_command_line': 'quiet rdinit=/vmtoll'",
         "'kernel_command_line': 'quiet rcu=1 rdinit=/vmtoll'",
         "the lab's kernel command line was \"... rdinit=/vmtoll\" and is \"... rcu=1 rdinit=/vmtoll\""},
        {"'kernel_command_line': 'quiet'", "'kernel_command_line': 'quiet rcu=1'",
         "the lab's kernel command line was \"quiet\" and is \"quiet rcu=1\""},
        {"'processors': 1", "'processors': 2", "the lab's machine had 1 processors and has 2"},
        {"'processors': 1", "'levels': '0'", NULL},
        {"'module_parameters': {'kvm_amd.npt': 'Y', 'kvm.old': '1'}",
         "'module_parameters': {'kvm_amd.npt': 'N', 'kvm.new': '1'}",
         "unlike parameters of KVM: kvm_amd.npt was \"Y\" and is \"N\""},
        {"'module_parameters': {'kvm_amd.npt': 1}", "'module_parameters': ['kvm_amd.npt']", NULL},
        {"'module_parameters': {'kvm_amd.npt': 'Y'}", "'levels': '0'", NULL},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[2][256];
        for (int side = 0; side < 2; side++) {
            snprintf(text[side], sizeof text[side], "{'lab': 'svm', %s}", pairs[i][side]);
            for (char *quote = text[side]; (quote = strchr(quote, '\''));)
                *quote = '"';
        }
        expect_unlike_labs(text[0], text[1], pairs[i][2]);
    }
}
END_TEST

static void expect_warnings(const struct vt_result *old, const struct vt_result *new, size_t count,
                            const char *first, const char *last)
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = vt_test_run(0.01, 0.001), *b = vt_test_run(0.01, 0.001);
    a->version = old->version, a->compiler = old->compiler, a->flags = old->flags,
    a->build_id = old->build_id;
    b->version = new->version, b->compiler = new->compiler, b->flags = new->flags,
    b->build_id = new->build_id;
    ck_assert_int_eq(vt_compare(&comparison, a, b, &(struct vt_compare_limits){NAN, NAN, NULL}, &error), 0);
    ck_assert_uint_eq(comparison.warning_count, count);
    if (count) {
        ck_assert_ptr_nonnull(strstr(comparison.warnings[0], first));
        ck_assert_ptr_nonnull(strstr(comparison.warnings[count - 1], last));
    }
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}

START_TEST(unlike_builds_are_named)
{
    struct vt_result a = {.version = "0.2.0", .compiler = "gcc 12.2.0", .flags = "-O2 -g", .build_id = "aa"},
                     b = a;
    expect_warnings(&a, &b, 0, NULL, NULL);
    b.build_id = "bb";
    expect_warnings(&a, &b, 1, "build id \"aa\" before, \"bb\" now", "one build");
    b.compiler = "gcc 14.2.0";
    expect_warnings(&a, &b, 1, ": compiler \"gcc 12.2.0\" before", "\"gcc 14.2.0\"");
    b.flags = "-O0 -g";
    expect_warnings(&a, &b, 3, ": compiler \"gcc 12.2.0\" before",
                    "the new result is of a vmtoll built without optimization");
    expect_warnings(&b, &b, 2, "the old result", "the new result");
    b.compiler = b.flags = b.build_id = NULL; /* a result of before */
    expect_warnings(&b, &a, 0, NULL, NULL);
    b.version = "0.1.0";
    expect_warnings(&b, &a, 1, "version \"0.1.0\" before, \"0.2.0\" now", "one build");
}
END_TEST

VT_SUITE(a_run_in_company_is_named, another_kernel_is_named, another_tuning_of_a_lab_is_named,
         unlike_builds_are_named)
