/* Statistics against hand-computed values and published tables. */
#include "base/statistics.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>

#define NEAR 1e-9

/* Exact binomial tails by summing the Pascal triangle, independent of the logarithms under test. */
static double tail(size_t n, size_t below)
{
    double row[64] = {1}, sum = 0;
    for (size_t i = 1; i <= n; i++)
        for (size_t k = i; k > 0; k--)
            row[k] += row[k - 1];
    for (size_t k = 0; k < below; k++)
        sum += row[k];
    return sum / pow(2, (double)n);
}

START_TEST(ranks_of_small_samples_match_the_tables)
{
    /* Conover, table of binomial intervals of the median at 95 %; one-based ranks n: (low, high). */
    static const size_t table[][3] = {{6, 1, 6},   {8, 1, 8},   {9, 2, 8},   {10, 2, 9},   {12, 3, 10},
                                      {15, 4, 12}, {20, 6, 15}, {25, 8, 18}, {30, 10, 21}, {50, 18, 33}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t low, high;
        double confidence = vt_statistics_median_ranks(table[i][0], &low, &high);
        ck_assert_uint_eq(low + 1, table[i][1]);
        ck_assert_uint_eq(high + 1, table[i][2]);
        ck_assert_double_ge(confidence, 0.95);
        ck_assert_double_eq_tol(confidence, 1 - 2 * tail(table[i][0], table[i][1]), NEAR);
    }
}
END_TEST

START_TEST(ranks_are_the_narrowest_with_that_confidence)
{
    for (size_t n = VT_STATISTICS_MIN; n < 60; n++) {
        size_t low, high;
        vt_statistics_median_ranks(n, &low, &high);
        ck_assert_uint_eq(low + high, n - 1);
        ck_assert_double_ge(1 - 2 * tail(n, low + 1), 0.95);
        if (2 * (low + 2) <= n)
            ck_assert_double_lt(1 - 2 * tail(n, low + 2), 0.95);
    }
}
END_TEST

START_TEST(too_few_samples_give_the_whole_range_and_say_so)
{
    for (size_t n = 1; n < VT_STATISTICS_MIN; n++) {
        size_t low, high;
        double confidence = vt_statistics_median_ranks(n, &low, &high);
        ck_assert_uint_eq(low, 0);
        ck_assert_uint_eq(high, n - 1);
        ck_assert_double_lt(confidence, 0.95);
    }
}
END_TEST

START_TEST(quantiles_interpolate_between_ranks)
{
    /* R: quantile(c(1, 2, 4, 8), c(0, .25, .5, .75, .9, 1), type = 7) */
    static const double sorted[] = {1, 2, 4, 8};
    static const double wanted[][2] = {{0, 1}, {0.25, 1.75}, {0.5, 3}, {0.75, 5}, {0.9, 6.8}, {1, 8}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        ck_assert_double_eq_tol(vt_statistics_quantile(sorted, 4, wanted[i][0]), wanted[i][1], NEAR);
    ck_assert_double_eq(vt_statistics_quantile(sorted, 1, 0.99), 1);
}
END_TEST

START_TEST(a_summary_by_hand)
{
    static const double samples[] = {9, 1, 7, 3, 5, 2, 8, 100, 4, 6, 0};
    double work[11];
    struct vt_summary s = vt_statistics_summarize(samples, 11, work);
    ck_assert_double_eq_tol(s.median, 5, NEAR);
    ck_assert_double_eq_tol(s.min, 0, NEAR);
    ck_assert_double_eq_tol(s.ci_low, 1, NEAR); /* ranks 2 and 10 of 11 */
    ck_assert_double_eq_tol(s.ci_high, 9, NEAR);
    ck_assert_double_eq_tol(s.p05, 0.5, NEAR);
    ck_assert_double_eq_tol(s.p25, 2.5, NEAR);
    ck_assert_double_eq_tol(s.p75, 7.5, NEAR);
    ck_assert_double_eq_tol(s.p95, 54.5, NEAR);
    ck_assert_double_eq_tol(s.p99, 90.9, NEAR);
    ck_assert_double_eq_tol(s.mad, 3, NEAR); /* |x - 5| sorted: 0 1 1 2 2 3 3 4 4 5 95 */
    ck_assert_double_eq(samples[0], 9);
}
END_TEST

START_TEST(the_interval_covers_the_median_as_often_as_promised)
{
    unsigned seed = 12345;
    int covered = 0, rounds = 4000;
    for (int r = 0; r < rounds; r++) {
        double samples[25], work[25];
        for (int i = 0; i < 25; i++)
            samples[i] = -log((rand_r(&seed) + 1.0) / (RAND_MAX + 2.0));
        struct vt_summary s = vt_statistics_summarize(samples, 25, work);
        covered += s.ci_low <= M_LN2 && M_LN2 <= s.ci_high;
    }
    /* The exact coverage at n = 25 is 0.9567; four standard errors either way. */
    ck_assert_double_gt(covered / (double)rounds, 0.9567 - 0.013);
    ck_assert_double_lt(covered / (double)rounds, 0.9567 + 0.013);
}
END_TEST

START_TEST(scaling_scales_everything)
{
    static const double samples[] = {1, 2, 3, 4, 5, 6};
    double work[6];
    struct vt_summary s = vt_statistics_summarize(samples, 6, work), t = vt_statistics_scale(&s, 2);
    ck_assert_double_eq_tol(t.median, 2 * s.median, NEAR);
    ck_assert_double_eq_tol(t.ci_high, 2 * s.ci_high, NEAR);
    ck_assert_double_eq_tol(t.mad, 2 * s.mad, NEAR);
    ck_assert_double_eq_tol(t.p99, 2 * s.p99, NEAR);
}
END_TEST

START_TEST(a_median_sorts)
{
    double values[] = {3, -1, 8, 2};
    ck_assert_double_eq_tol(vt_statistics_median(values, 4), 2.5, NEAR);
    for (int i = 1; i < 4; i++)
        ck_assert_double_ge(values[i], values[i - 1]);
    ck_assert_double_eq_tol(vt_statistics_median(values, 3), 2, NEAR);
    ck_assert_double_eq_tol(vt_statistics_median(values, 0), 0, NEAR);
}
END_TEST

VT_SUITE(ranks_of_small_samples_match_the_tables, ranks_are_the_narrowest_with_that_confidence,
         too_few_samples_give_the_whole_range_and_say_so, quantiles_interpolate_between_ranks,
         a_summary_by_hand, the_interval_covers_the_median_as_often_as_promised, scaling_scales_everything,
         a_median_sorts)
