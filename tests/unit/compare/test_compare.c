#include "compare/compare.h"
#include "compare/format/words.h"
#include "compare/counts.h"
#include "compare/statistics.h"
#include "base/statistics.h"
#include "result/pool.h"
#include "tests/unit/compare/invented.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void scale(struct vt_result *result, int i, double factor)
{
    struct vt_result_row *row = &result->rows[i];
    double work[VT_TEST_SAMPLES];
    for (size_t k = 0; k < row->samples.count; k++)
        ((double *)(size_t)row->samples.values)[k] *= factor;
    row->toll = vt_statistics_summarize(row->samples.values, row->samples.count, work);
}

static size_t changes_of(struct vt_result *before, struct vt_result *after, struct vt_comparison *comparison)
{
    struct vt_error error;
    ck_assert_msg(
        vt_compare(comparison, before, after, &(struct vt_compare_limits){0.02, NAN, NULL}, &error) == 0,
        "%s", error.text);
    return comparison->count - comparison->changes[VT_CHANGE_NONE] - comparison->changes[VT_CHANGE_UNCLEAR];
}

static int flagged_of_100(double between_runs)
{
    int flagged = 0;
    for (int i = 0; i < 100; i++) {
        struct vt_comparison comparison;
        struct vt_result *a = vt_test_run(0.02, between_runs), *b = vt_test_run(0.02, between_runs);
        flagged += changes_of(a, b, &comparison) > 0;
        vt_compare_release(&comparison);
        vt_result_free(a);
        vt_result_free(b);
    }
    return flagged;
}

START_TEST(steady_runs_of_one_machine_show_nothing)
{
    ck_assert_int_le(flagged_of_100(0), 5);
}
END_TEST

START_TEST(unsteady_runs_of_one_machine_show_nothing)
{
    ck_assert_int_le(flagged_of_100(0.02), 5);
}
END_TEST

START_TEST(a_true_shift_of_five_per_cent_is_found)
{
    int found = 0;
    for (int i = 0; i < 50; i++) {
        struct vt_comparison comparison;
        struct vt_result *a = vt_test_run(0.02, 0.002), *b = vt_test_run(0.02, 0.002);
        double width = (a->rows[7].toll.ci_high - a->rows[7].toll.ci_low) / a->rows[7].toll.median;
        ck_assert_double_lt(width, 0.02); /* half of it is the 1 % of the runner's precision */
        scale(b, 7, 1.05);
        changes_of(a, b, &comparison);
        found += comparison.rows[7].change == VT_CHANGE_SLOWER && comparison.rows[7].worse;
        vt_compare_release(&comparison);
        vt_result_free(a);
        vt_result_free(b);
    }
    ck_assert_msg(found >= 48, "found in %d of 50", found);
}
END_TEST

/* What compare says it could have seen it sees in 95 of 100, and half as much it does not. */
START_TEST(what_is_detectable_is_found)
{
    int found[2] = {0};
    for (int i = 0; i < 60; i++)
        for (int half = 0; half < 2; half++) {
            struct vt_comparison comparison;
            struct vt_result *a = vt_test_run(0.05, 0.004), *b = vt_test_run(0.05, 0.004);
            changes_of(a, b, &comparison);
            double detectable = comparison.rows[7].detectable;
            ck_assert(detectable > 0.02 && detectable < 0.2);
            vt_compare_release(&comparison);
            scale(b, 7, 1 + detectable / (1 + half));
            changes_of(a, b, &comparison);
            found[half] += comparison.rows[7].change == VT_CHANGE_SLOWER;
            vt_compare_release(&comparison);
            vt_result_free(a);
            vt_result_free(b);
        }
    ck_assert_msg(found[0] >= 54 && found[1] <= 30, "found in %d of 60, half as much in %d", found[0],
                  found[1]);
}
END_TEST

START_TEST(rows_measured_on_neither_side_are_in_no_count)
{
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.02, 0), *b = vt_test_run(0.02, 0);
    for (int i = 0; i < 10; i++)
        a->rows[i].status = b->rows[i].status = VT_STATUS_UNSUPPORTED;
    a->rows[10].status = b->rows[10].status = VT_STATUS_UNVERIFIED;
    changes_of(a, b, &comparison);
    ck_assert_uint_eq(comparison.measured, VT_TEST_CASES - 10);
    ck_assert_uint_eq(comparison.answers[VT_ANSWER_UNCHANGED], VT_TEST_CASES - 11);
    ck_assert_uint_eq(comparison.answers[VT_ANSWER_UNCLEAR], 1);
    ck_assert_int_eq(comparison.rows[10].unclear, VT_UNCLEAR_UNVERIFIED);
    ck_assert_int_eq(vt_compare_answer(&comparison.rows[0]), VT_ANSWER_NONE);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

START_TEST(a_group_that_moved_shows_its_own_p)
{
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.02, 0.002), *b = vt_test_run(0.02, 0.002);
    for (int i = 1; i < VT_TEST_CASES; i += 2)
        scale(b, i, 1.3);
    changes_of(a, b, &comparison);
    ck_assert(comparison.rows[1].with_group);
    ck_assert_double_gt(comparison.rows[1].p_runs, comparison.level);
    ck_assert_double_lt(vt_compare_p(&comparison, &comparison.rows[1]), comparison.level);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

enum { PAIRS = 40 };

/* Turns of two settings whose ratios scatter by `noise`, with some pairs that others' work spoiled. */
static size_t paired_changes(double noise, int shifted, double shift, struct vt_comparison *comparison)
{
    struct vt_error error;
    double shifts[VT_TEST_CASES * PAIRS];
    struct vt_compare_pairs pairs = {shifts, VT_TEST_CASES, PAIRS};
    struct vt_result *a = vt_test_run(0.02, 0), *b = vt_test_run(0.02, 0);
    for (int i = 0; i < VT_TEST_CASES; i++)
        for (int k = 0; k < PAIRS; k++)
            shifts[i * PAIRS + k] =
                noise * vt_test_normal() * (vt_test_uniform() < 0.1 ? 20 : 1) + (i == shifted ? shift : 0);
    ck_assert_int_eq(vt_compare(comparison, a, b, &(struct vt_compare_limits){NAN, NAN, &pairs}, &error), 0);
    size_t changes = comparison->answers[VT_ANSWER_CHANGED];
    vt_compare_release(comparison);
    vt_result_free(a);
    vt_result_free(b);
    return changes;
}

START_TEST(pairs_show_nothing_where_nothing_is)
{
    struct vt_comparison comparison;
    int flagged = 0;
    for (int i = 0; i < 200; i++)
        flagged += paired_changes(0.004, -1, 0, &comparison) > 0;
    ck_assert_msg(flagged <= 6, "flagged in %d of 200", flagged); /* 2 are expected */
}
END_TEST

START_TEST(pairs_show_a_small_change)
{
    struct vt_comparison comparison;
    int found = 0;
    for (int i = 0; i < 100; i++)
        found += paired_changes(0.004, 7, 0.007, &comparison) > 0;
    ck_assert_msg(found >= 90, "found in %d of 100", found);
}
END_TEST

static struct vt_result *turn(double level)
{
    struct vt_result *result = vt_test_run(0.01, 0);
    for (int i = 0; i < VT_TEST_CASES; i++)
        scale(result, i, level);
    return result;
}

START_TEST(pairs_are_those_of_the_runs)
{
    enum { RUNS = 3 };
    static const double drift[RUNS] = {1, 4, 2};
    struct vt_result *before[RUNS], *after[RUNS];
    struct vt_compare_pairs pairs;
    for (int i = 0; i < RUNS; i++) {
        before[i] = turn(drift[i]);
        after[i] = turn(drift[i] * 1.5);
    }
    after[1]->rows[5].status = VT_STATUS_FAILED;
    ck_assert_int_eq(vt_compare_collect_pairs(&pairs, before, after, RUNS), 0);
    ck_assert_uint_eq(pairs.rows, VT_TEST_CASES);
    for (int i = 0; i < RUNS; i++)
        ck_assert_double_eq_tol(pairs.shifts[7 * RUNS + i], log(1.5), 0.05);
    ck_assert(isnan(pairs.shifts[5 * RUNS + 1]) && isfinite(pairs.shifts[5 * RUNS + 2]));
    vt_compare_release_pairs(&pairs);
    for (int i = 0; i < RUNS; i++) {
        vt_result_free(before[i]);
        vt_result_free(after[i]);
    }
}
END_TEST

/* A turn during which somebody had the core says nothing of the setting; its pair is left out, whichever side
 * it is of. */
START_TEST(turns_apart_are_not_asked)
{
    enum { RUNS = 20, SPOILT_BEFORE = 4, SPOILT_AFTER = 9, LIKE_ALL = 6 };
    const double usual = 1, company = 1.3;
    struct vt_result *before[RUNS], *after[RUNS];
    struct vt_compare_pairs pairs;
    for (size_t i = 0; i < RUNS; i++) {
        double scatter = 1 + 0.004 * vt_test_uniform();
        before[i] = turn(scatter * (i == SPOILT_BEFORE ? company : usual));
        after[i] = turn(scatter * (i == SPOILT_AFTER ? company : usual));
    }
    ck_assert_int_eq(vt_compare_collect_pairs(&pairs, before, after, RUNS), 0);
    const double *shifts = pairs.shifts + (size_t)7 * RUNS;
    ck_assert(isnan(shifts[SPOILT_BEFORE]));
    ck_assert(isnan(shifts[SPOILT_AFTER]));
    ck_assert(isfinite(shifts[LIKE_ALL]));
    vt_compare_release_pairs(&pairs);
    for (size_t i = 0; i < RUNS; i++) {
        vt_result_free(before[i]);
        vt_result_free(after[i]);
    }
}
END_TEST

/* The first run of several may be the one in which a row came to nothing. */
START_TEST(a_run_that_failed_does_not_count_for_the_others)
{
    struct vt_error error;
    struct vt_result *runs[3] = {vt_test_run(0.01, 0), vt_test_run(0.01, 0), vt_test_run(0.01, 0)};
    runs[0]->rows[3].status = VT_STATUS_TIMEOUT;
    runs[0]->rows[3].crossing = NULL;
    runs[1]->rows[4].status = VT_STATUS_TIMEOUT;
    ck_assert_int_eq(vt_result_pool(runs, 3, &error), 0);
    vt_result_free(runs[1]);
    vt_result_free(runs[2]);
    ck_assert_int_eq(runs[0]->rows[3].status, VT_STATUS_OK);
    ck_assert_str_eq(runs[0]->rows[3].crossing, "exit-kernel");
    ck_assert_uint_eq(runs[0]->rows[3].samples.count, 2 * VT_TEST_SAMPLES);
    ck_assert_uint_eq(runs[0]->rows[4].samples.count, 2 * VT_TEST_SAMPLES);
    ck_assert_uint_eq(runs[0]->rows[5].samples.count, 3 * VT_TEST_SAMPLES);
    vt_result_free(runs[0]);
}
END_TEST

/* Nothing but the case itself says what noise is. */
START_TEST(a_case_alone_is_judged)
{
    int found = 0, flagged = 0;
    for (int i = 0; i < 50; i++) {
        struct vt_comparison comparison;
        struct vt_result *a = vt_test_run(0.02, 0.002), *b = vt_test_run(0.02, 0.002);
        a->count = b->count = 1;
        flagged += changes_of(a, b, &comparison) > 0;
        vt_compare_release(&comparison);
        scale(b, 0, 0.95);
        found += changes_of(a, b, &comparison) == 1 && comparison.rows[0].change == VT_CHANGE_FASTER;
        vt_compare_release(&comparison);
        vt_result_free(a);
        vt_result_free(b);
    }
    ck_assert_msg(found >= 48 && flagged <= 2, "found in %d of 50, flagged in %d", found, flagged);
}
END_TEST

/* A patch touches many cases, though not a whole group: that must not pass for the spread between runs. */
START_TEST(a_shift_of_every_third_case_is_found)
{
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.02, 0.002), *b = vt_test_run(0.02, 0.002);
    for (int i = 0; i < VT_TEST_CASES; i += 3)
        scale(b, i, 1.06);
    changes_of(a, b, &comparison);
    size_t found = 0;
    for (int i = 0; i < VT_TEST_CASES; i++) {
        found += i % 3 == 0 && comparison.rows[i].change == VT_CHANGE_SLOWER;
        ck_assert(i % 3 == 0 || comparison.rows[i].change == VT_CHANGE_NONE);
    }
    ck_assert_msg(found >= 18, "found %zu of 20", found);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

/* Take `count` pairs of a row from pair `first` on as shared with a neighbour, who makes them longer. */
static void share(struct vt_result *result, int i, size_t first, size_t count)
{
    struct vt_result_row *row = &result->rows[i];
    double *shared = vt_arena_take(&result->arena, count * sizeof *shared), work[VT_TEST_SAMPLES];
    for (size_t k = 0; k < count; k++) {
        shared[k] = (double)(first + k);
        ((double *)(size_t)row->samples.values)[first + k] *= 1.6;
    }
    row->shared = (struct vt_result_series){shared, count};
    row->toll = vt_statistics_summarize(row->samples.values, row->samples.count, work);
}

static struct vt_compared compare_shared(size_t first, size_t count, double factor)
{
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.01, 0.002), *b = vt_test_run(0.01, 0.002);
    scale(b, 7, factor);
    share(b, 7, first, count);
    changes_of(a, b, &comparison);
    struct vt_compared row = comparison.rows[7];
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
    return row;
}

START_TEST(what_a_neighbour_slowed_is_no_change)
{
    /* The median itself is of shared pairs. */
    struct vt_compared row = compare_shared(5, 60, 1);
    ck_assert_double_gt(row.ratio, 1.4);
    ck_assert_double_eq_tol(row.floor_ratio, 1, 0.02);
    ck_assert_int_eq(row.unclear, VT_UNCLEAR_PASSING);
    /* Hardly a quiet pair is left. */
    ck_assert_int_eq(compare_shared(1, VT_TEST_SAMPLES - 4, 1).unclear, VT_UNCLEAR_DISTURBED);
}
END_TEST

START_TEST(a_change_shows_beside_a_neighbour)
{
    ck_assert_int_eq(compare_shared(30, 20, 1.1).change, VT_CHANGE_SLOWER);
    /* Only the first quarter saw it quietly: it may have passed. */
    ck_assert_int_eq(compare_shared(30, VT_TEST_SAMPLES - 30, 1.1).unclear, VT_UNCLEAR_PASSING);
}
END_TEST

START_TEST(a_case_of_two_speeds_is_judged_by_both_sides)
{
    /* Ten rounds; one side met the slower speed in four of them, the other in eight. */
    enum { ROUNDS = 10 };
    static const double ends[ROUNDS] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.002, 0), *b = vt_test_run(0.002, 0);
    a->rows[7].rounds = b->rows[7].rounds = (struct vt_result_series){ends, ROUNDS};
    for (size_t i = 0; i < VT_TEST_SAMPLES; i++) {
        ((double *)(size_t)a->rows[7].samples.values)[i] *= i / 10 % 5 < 2 ? 1.06 : 1;
        ((double *)(size_t)b->rows[7].samples.values)[i] *= i / 10 % 5 < 4 ? 1.06 : 1;
    }
    scale(a, 7, 1);
    scale(b, 7, 1);
    changes_of(a, b, &comparison);
    ck_assert_int_eq(comparison.rows[7].unclear, VT_UNCLEAR_COARSE);
    ck_assert_double_gt(comparison.rows[7].ratio, 1.04);
    ck_assert_double_gt(comparison.rows[7].error, 0.02);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

START_TEST(a_whole_group_is_found)
{
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.02, 0.002), *b = vt_test_run(0.02, 0.002);
    for (int i = 1; i < VT_TEST_CASES; i += 2)
        scale(b, i, 1.3);
    ck_assert_uint_eq(changes_of(a, b, &comparison), VT_TEST_CASES / 2);
    ck_assert_uint_eq(comparison.changes[VT_CHANGE_SLOWER], VT_TEST_CASES / 2);
    ck_assert(comparison.rows[1].low > 1.2 && comparison.rows[1].high < 1.4);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

START_TEST(a_crossing_that_changed_is_a_finding_of_its_own)
{
    struct vt_comparison comparison;
    char text[256];
    struct vt_result *a = vt_test_run(0.02, 0), *b = vt_test_run(0.02, 0);
    b->rows[0].crossing = "exit-user";
    b->rows[1].crossing = "none";
    b->rows[2].status = VT_STATUS_FAILED;
    changes_of(a, b, &comparison);
    ck_assert_int_eq(comparison.rows[0].change, VT_CHANGE_CROSSING);
    ck_assert(comparison.rows[0].worse);
    vt_compare_explain(&comparison.rows[0], text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "this instruction exits now"));
    vt_compare_explain(&comparison.rows[1], text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "no longer exits"));
    ck_assert(!comparison.rows[1].worse);
    ck_assert_int_eq(comparison.rows[2].change, VT_CHANGE_STATUS);
    ck_assert_uint_eq(comparison.worse, 2);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

START_TEST(unlike_units_are_refused)
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = vt_test_run(0.02, 0), *b = vt_test_run(0.02, 0);
    for (int i = 0; i < VT_TEST_CASES; i++) {
        b->rows[i].unit = VT_UNIT_INSTRUCTIONS;
        b->rows[i].simulated = true;
    }
    ck_assert_int_ne(vt_compare(&comparison, a, b, &(struct vt_compare_limits){0.02, NAN, NULL}, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(error.text, "nothing to compare"));
    vt_result_free(a);
    vt_result_free(b);
}
END_TEST

START_TEST(a_result_equals_itself)
{
    struct vt_comparison comparison;
    struct vt_result *a = vt_test_run(0.02, 0);
    ck_assert_uint_eq(changes_of(a, a, &comparison), 0);
    ck_assert_double_eq(comparison.rows[0].ratio, 1);
    vt_compare_release(&comparison);
    vt_result_free(a);
}
END_TEST

static enum vt_change change_of_count(const char *engine, double more, double threshold, char text[64])
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = vt_test_lab(engine), *b = vt_test_lab(engine);
    b->rows[5].toll.median += more;
    ck_assert_int_eq(vt_compare(&comparison, a, b, &(struct vt_compare_limits){threshold, NAN, NULL}, &error),
                     0);
    enum vt_change change = comparison.rows[5].change;
    ck_assert_uint_eq(comparison.changes[VT_CHANGE_NONE], VT_TEST_CASES - (change != VT_CHANGE_NONE));
    ck_assert_uint_eq(comparison.worse, change == VT_CHANGE_LONGER);
    ck_assert_uint_eq(comparison.counts, VT_TEST_CASES);
    ck_assert_double_eq(comparison.rows[5].difference, more);
    vt_compare_print_difference(&comparison.rows[5], text, 64);
    vt_compare_release(&comparison);
    vt_result_free(a);
    vt_result_free(b);
    return change;
}

START_TEST(a_single_instruction_shows)
{
    char text[64];
    ck_assert_int_eq(change_of_count("svm", 0, NAN, text), VT_CHANGE_NONE);
    ck_assert_str_eq(text, "0");
    ck_assert_int_eq(change_of_count("svm", 1, NAN, text), VT_CHANGE_LONGER);
    ck_assert_str_eq(text, "+1 instruction (+0.1 %)");
    ck_assert_int_eq(change_of_count("xen-pv", -40, NAN, text), VT_CHANGE_SHORTER);
    ck_assert_str_eq(text, "-40 instructions (-4 %)");
    ck_assert_int_eq(change_of_count("tcg", 0.5, NAN, text), VT_CHANGE_LONGER);
    ck_assert_str_eq(text, "+0.50 instructions (+0.05 %)");
}
END_TEST

START_TEST(the_threshold_holds_for_counts)
{
    char text[64];
    ck_assert_int_eq(change_of_count("svm", 20, 0.02, text), VT_CHANGE_NONE);
    ck_assert_int_eq(change_of_count("svm", 21, 0.02, text), VT_CHANGE_LONGER);
    ck_assert_int_eq(change_of_count("vmx", 0.125, NAN, text), VT_CHANGE_NONE);
    ck_assert_str_eq(text, "+0.12 instructions (+0.013 %)");
    ck_assert_int_eq(change_of_count("vmx", 1, NAN, text), VT_CHANGE_LONGER);
    ck_assert_int_eq(change_of_count("vmx", 0.125, 0, text), VT_CHANGE_LONGER);
}
END_TEST

/* Batches that take memory differ among themselves; what two runs differ by within that is no finding. */
START_TEST(batches_that_differ_are_known_as_far_as_they_do)
{
    static const struct {
        double more, threshold;
        enum vt_change change;
    } trials[] = {{4, NAN, VT_CHANGE_NONE}, {40, NAN, VT_CHANGE_LONGER}, {4, 0, VT_CHANGE_LONGER}};
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        struct vt_comparison comparison;
        struct vt_error error;
        struct vt_result *results[2] = {vt_test_lab("svm"), vt_test_lab("svm")};
        for (int side = 0; side < 2; side++) {
            double median = 1000 + side * trials[i].more;
            results[side]->rows[5].toll =
                (struct vt_summary){.median = median, .p25 = median - 3, .p75 = median + 3};
        }
        ck_assert_int_eq(vt_compare(&comparison, results[0], results[1],
                                    &(struct vt_compare_limits){trials[i].threshold, NAN, NULL}, &error),
                         0);
        ck_assert_int_eq(comparison.rows[5].change, trials[i].change);
        vt_compare_release(&comparison);
        vt_result_free(results[0]);
        vt_result_free(results[1]);
    }
}
END_TEST

VT_SUITE(steady_runs_of_one_machine_show_nothing, unsteady_runs_of_one_machine_show_nothing,
         a_true_shift_of_five_per_cent_is_found, what_is_detectable_is_found,
         rows_measured_on_neither_side_are_in_no_count, a_group_that_moved_shows_its_own_p,
         pairs_show_nothing_where_nothing_is, pairs_show_a_small_change, pairs_are_those_of_the_runs,
         turns_apart_are_not_asked, a_run_that_failed_does_not_count_for_the_others, a_case_alone_is_judged,
         a_shift_of_every_third_case_is_found, what_a_neighbour_slowed_is_no_change,
         a_change_shows_beside_a_neighbour, a_case_of_two_speeds_is_judged_by_both_sides,
         a_whole_group_is_found, a_crossing_that_changed_is_a_finding_of_its_own, unlike_units_are_refused,
         a_result_equals_itself, a_single_instruction_shows, the_threshold_holds_for_counts,
         batches_that_differ_are_known_as_far_as_they_do)
