/* The tests that compare decides by, against textbooks and tables. */
#include "compare/statistics.h"
#include "tests/unit/suite.h"

#include <math.h>

START_TEST(mann_whitney_agrees_with_the_textbook)
{
    /* U = 0 of 6 x 6: z = (18 - 0.5) / sqrt(36 * 13 / 12) = 2.8022, p = 0.00507 */
    static const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12};
    struct vt_result_series x = {a, 6}, y = {b, 6}, few = {a, 5};
    ck_assert_double_eq_tol(vt_compare_mann_whitney(&x, &y), 0.005075, 1e-5);
    ck_assert_double_eq_tol(vt_compare_mann_whitney(&y, &x), 0.005075, 1e-5);
    ck_assert_double_eq(vt_compare_mann_whitney(&x, &x), 1);
    ck_assert(isnan(vt_compare_mann_whitney(&x, &few)));
    /* Ties: all equal says nothing. */
    static const double same[] = {3, 3, 3, 3, 3, 3};
    struct vt_result_series equal = {same, 6};
    ck_assert_double_eq(vt_compare_mann_whitney(&equal, &equal), 1);
}
END_TEST

START_TEST(holm_agrees_with_the_textbook)
{
    double p[] = {0.01, NAN, 0.04, 0.03, 0.005};
    ck_assert_int_eq(vt_compare_holm(p, 5), 0);
    ck_assert_double_eq_tol(p[4], 0.02, 1e-12);
    ck_assert_double_eq_tol(p[0], 0.03, 1e-12);
    ck_assert_double_eq_tol(p[3], 0.06, 1e-12);
    ck_assert_double_eq_tol(p[2], 0.06, 1e-12); /* never below the one before */
    ck_assert(isnan(p[1]));
}
END_TEST

START_TEST(limits_agree_with_the_tables)
{
    ck_assert_double_eq_tol(vt_compare_normal_limit(0.05), 1.95996, 1e-4);
    ck_assert_double_eq_tol(vt_compare_normal_limit(0.0005), 3.4808, 1e-3);
    ck_assert_double_eq_tol(vt_compare_student_limit(0.05, 10), 2.228, 0.02);
    ck_assert_double_eq_tol(vt_compare_student_limit(0.001, 28), 3.674, 0.02);
}
END_TEST

START_TEST(student_agrees_with_the_tables)
{
    /* Two-sided 0.05 and 0.001. */
    static const struct {
        double freedom, t, p;
    } table[] = {
        {4, 2.776, 0.05}, {10, 2.228, 0.05}, {28, 2.048, 0.05}, {10, 4.587, 0.001}, {28, 3.674, 0.001}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        ck_assert_double_eq_tol(vt_compare_student_p(table[i].t, table[i].freedom) / table[i].p, 1, 0.05);
    ck_assert_double_eq(vt_compare_student_p(0, 28), 1);
    ck_assert_double_eq_tol(vt_compare_student_p(-2.048, 28), vt_compare_student_p(2.048, 28), 1e-15);
}
END_TEST

VT_SUITE(mann_whitney_agrees_with_the_textbook, holm_agrees_with_the_textbook, limits_agree_with_the_tables,
         student_agrees_with_the_tables)
