/* Wilcoxon's signed ranks against a textbook and by hand. */
#include "compare/signed_rank.h"
#include "tests/unit/suite.h"

#include <math.h>

/* Hollander and Wolfe, Nonparametric Statistical Methods, example 3.1: Hamilton's depression scale. */
static const double differences[] = {-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010};

START_TEST(agrees_with_the_textbook)
{
    struct vt_signed_rank ranks;
    double low, high;
    ck_assert_int_eq(vt_signed_rank_start(&ranks, differences, 9), 0);
    ck_assert_double_eq_tol(vt_signed_rank_p(&ranks), 2 * 10.0 / 512, 1e-12); /* T+ = 5 */
    ck_assert_double_eq_tol(vt_signed_rank_middle(&ranks), -0.46, 1e-9);
    vt_signed_rank_interval(&ranks, 0.04, &low, &high);
    ck_assert_double_eq_tol(low, -0.786, 1e-9);
    ck_assert_double_eq_tol(high, -0.010, 1e-9);
    vt_signed_rank_end(&ranks);
}
END_TEST

START_TEST(few_values_prove_nothing)
{
    static const double ones[] = {1, 1, 1, 1, 1, 1};
    struct vt_signed_rank ranks;
    double low, high;
    ck_assert_int_eq(vt_signed_rank_start(&ranks, ones, 6), 0);
    ck_assert_double_eq_tol(vt_signed_rank_p(&ranks), 2.0 / 64, 1e-12);
    vt_signed_rank_interval(&ranks, 0.01, &low, &high);
    ck_assert(isinf(low) && low < 0 && isinf(high) && high > 0);
    vt_signed_rank_end(&ranks);
}
END_TEST

START_TEST(no_difference_is_none)
{
    static const double none[] = {0, 0, 0, 0, 0, 0, 0};
    struct vt_signed_rank ranks;
    ck_assert_int_eq(vt_signed_rank_start(&ranks, none, 7), 0);
    ck_assert_double_eq(vt_signed_rank_p(&ranks), 1);
    ck_assert_double_eq(vt_signed_rank_middle(&ranks), 0);
    vt_signed_rank_end(&ranks);
}
END_TEST

/* The exact distribution and the approximation of larger samples meet. */
START_TEST(large_samples_are_judged_alike)
{
    double values[61], p[2], low[2], high[2];
    for (int i = 0; i < 61; i++)
        values[i] = i % 3 == 0 ? -0.3 - i * 0.01 : 0.5 + i * 0.01;
    for (int k = 0; k < 2; k++) {
        struct vt_signed_rank ranks;
        ck_assert_int_eq(vt_signed_rank_start(&ranks, values, 60 + (size_t)k), 0);
        p[k] = vt_signed_rank_p(&ranks);
        vt_signed_rank_interval(&ranks, 0.01, &low[k], &high[k]);
        vt_signed_rank_end(&ranks);
    }
    ck_assert_double_eq_tol(log(p[0]), log(p[1]), 2);
    ck_assert_double_eq_tol(low[0], low[1], 0.05);
    ck_assert_double_eq_tol(high[0], high[1], 0.05);
}
END_TEST

VT_SUITE(agrees_with_the_textbook, few_values_prove_nothing, no_difference_is_none,
         large_samples_are_judged_alike)
