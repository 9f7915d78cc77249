/* What pairs of turns would show so far: ab takes turns until it is little enough. */
#include "compare/paired.h"
#include "tests/unit/suite.h"

#include <math.h>

enum { ROWS = 3, PAIRS = 40 };

/* Quantiles of a logistic distribution, in an order that says nothing, of a spread that each row has of its
 * own. */
static void invent(struct vt_compare_pairs *pairs, double *shifts, size_t count)
{
    *pairs = (struct vt_compare_pairs){shifts, ROWS, count};
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < count; i++) {
            double share = ((double)(i * 7 % count) + 0.5) / (double)count;
            shifts[r * count + i] = 0.001 * (double)(r + 1) * log(share / (1 - share));
        }
}

START_TEST(more_pairs_see_less)
{
    double few[ROWS * 11], many[ROWS * PAIRS];
    struct vt_compare_pairs pairs;
    invent(&pairs, few, 11);
    double before = vt_compare_pairs_reach(&pairs);
    invent(&pairs, many, PAIRS);
    double after = vt_compare_pairs_reach(&pairs);
    ck_assert_double_gt(before, after);
    ck_assert_double_gt(after, 0.001);
    ck_assert_double_lt(after, 0.02);
}
END_TEST

/* The row that sees least decides. */
START_TEST(each_row_must_see)
{
    double shifts[ROWS * PAIRS];
    struct vt_compare_pairs pairs;
    invent(&pairs, shifts, PAIRS);
    double all = vt_compare_pairs_reach(&pairs);
    pairs.rows = 1;
    ck_assert_double_gt(all, 2 * vt_compare_pairs_reach(&pairs));
}
END_TEST

START_TEST(a_row_of_too_few_sees_nothing)
{
    double shifts[ROWS * PAIRS];
    struct vt_compare_pairs pairs;
    invent(&pairs, shifts, PAIRS);
    for (size_t i = 3; i < PAIRS; i++)
        shifts[PAIRS + i] = NAN;
    ck_assert(isinf(vt_compare_pairs_reach(&pairs)));
}
END_TEST

/* What no turn measured holds nobody up; nothing at all is no success. */
START_TEST(a_row_without_figures_does_not_count)
{
    double shifts[ROWS * PAIRS];
    struct vt_compare_pairs pairs;
    invent(&pairs, shifts, PAIRS);
    for (size_t i = 0; i < PAIRS; i++)
        shifts[(ROWS - 1) * PAIRS + i] = NAN;
    ck_assert(isfinite(vt_compare_pairs_reach(&pairs)));
    for (size_t i = 0; i < (size_t)ROWS * PAIRS; i++)
        shifts[i] = NAN;
    ck_assert(isinf(vt_compare_pairs_reach(&pairs)));
}
END_TEST

VT_SUITE(more_pairs_see_less, each_row_must_see, a_row_of_too_few_sees_nothing,
         a_row_without_figures_does_not_count)
