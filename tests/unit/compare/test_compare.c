#include "compare/compare.h"
#include "compare/format/words.h"
#include "compare/counts.h"
#include "compare/statistics.h"
#include "base/statistics.h"
#include "result/pool.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 60, SAMPLES = 100 };

static uint64_t seed = 88172645463325252ULL;

static double uniform(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/*
 * A run of an invented machine: CASES cases on two roads, each with noise between
 * samples, a drift of its own between runs, and now and then an outlier.
 */
static struct vt_result *run(double noise, double between_runs)
{
    static char names[CASES][24];
    struct vt_result *result = vt_result_new();
    result->rows = calloc(CASES, sizeof *result->rows);
    result->count = CASES;
    for (int i = 0; i < CASES; i++) {
        double level = 100 * (i + 1) * exp(between_runs * normal()), work[SAMPLES];
        double *samples = vt_arena_take(&result->arena, SAMPLES * sizeof *samples);
        snprintf(names[i], sizeof names[i], "case-%d", i);
        for (int k = 0; k < SAMPLES; k++)
            samples[k] = level * (1 + noise * normal() + (uniform() < 0.05 ? uniform() : 0));
        result->rows[i] = (struct vt_result_row){.name = names[i],
                                                 .engine = i % 2 ? "kvm" : "native",
                                                 .crossing = i % 2 ? "exit-kernel" : "none",
                                                 .unit = VT_UNIT_NS,
                                                 .cpl = 3,
                                                 .status = VT_STATUS_OK,
                                                 .batches = SAMPLES,
                                                 .marked = 0,
                                                 .toll = vt_statistics_summarize(samples, SAMPLES, work),
                                                 .samples = {samples, SAMPLES}};
    }
    return result;
}

static void scale(struct vt_result *result, int i, double factor)
{
    struct vt_result_row *row = &result->rows[i];
    double work[SAMPLES];
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

static int flagged_of_100(double between_runs)
{
    int flagged = 0;
    for (int i = 0; i < 100; i++) {
        struct vt_comparison comparison;
        struct vt_result *a = run(0.02, between_runs), *b = run(0.02, between_runs);
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
        struct vt_result *a = run(0.02, 0.002), *b = run(0.02, 0.002);
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
            struct vt_result *a = run(0.05, 0.004), *b = run(0.05, 0.004);
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
    struct vt_result *a = run(0.02, 0), *b = run(0.02, 0);
    for (int i = 0; i < 10; i++)
        a->rows[i].status = b->rows[i].status = VT_STATUS_UNSUPPORTED;
    a->rows[10].status = b->rows[10].status = VT_STATUS_UNVERIFIED;
    changes_of(a, b, &comparison);
    ck_assert_uint_eq(comparison.measured, CASES - 10);
    ck_assert_uint_eq(comparison.answers[VT_ANSWER_UNCHANGED], CASES - 11);
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
    struct vt_result *a = run(0.02, 0.002), *b = run(0.02, 0.002);
    for (int i = 1; i < CASES; i += 2)
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

START_TEST(limits_agree_with_the_tables)
{
    ck_assert_double_eq_tol(vt_compare_normal_limit(0.05), 1.95996, 1e-4);
    ck_assert_double_eq_tol(vt_compare_normal_limit(0.0005), 3.4808, 1e-3);
    ck_assert_double_eq_tol(vt_compare_student_limit(0.05, 10), 2.228, 0.02);
    ck_assert_double_eq_tol(vt_compare_student_limit(0.001, 28), 3.674, 0.02);
}
END_TEST

enum { PAIRS = 40 };

/* Turns of two settings whose ratios scatter by `noise`, with some pairs that others' work spoiled. */
static size_t paired_changes(double noise, int shifted, double shift, struct vt_comparison *comparison)
{
    struct vt_error error;
    double shifts[CASES * PAIRS];
    struct vt_compare_pairs pairs = {shifts, CASES, PAIRS};
    struct vt_result *a = run(0.02, 0), *b = run(0.02, 0);
    for (int i = 0; i < CASES; i++)
        for (int k = 0; k < PAIRS; k++)
            shifts[i * PAIRS + k] =
                noise * normal() * (uniform() < 0.1 ? 20 : 1) + (i == shifted ? shift : 0);
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
    struct vt_result *result = run(0.01, 0);
    for (int i = 0; i < CASES; i++)
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
    ck_assert_uint_eq(pairs.rows, CASES);
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

/* The first run of several may be the one in which a row came to nothing. */
START_TEST(a_run_that_failed_does_not_count_for_the_others)
{
    struct vt_error error;
    struct vt_result *runs[3] = {run(0.01, 0), run(0.01, 0), run(0.01, 0)};
    runs[0]->rows[3].status = VT_STATUS_TIMEOUT;
    runs[0]->rows[3].crossing = NULL;
    runs[1]->rows[4].status = VT_STATUS_TIMEOUT;
    ck_assert_int_eq(vt_result_pool(runs, 3, &error), 0);
    vt_result_free(runs[1]);
    vt_result_free(runs[2]);
    ck_assert_int_eq(runs[0]->rows[3].status, VT_STATUS_OK);
    ck_assert_str_eq(runs[0]->rows[3].crossing, "exit-kernel");
    ck_assert_uint_eq(runs[0]->rows[3].samples.count, 2 * SAMPLES);
    ck_assert_uint_eq(runs[0]->rows[4].samples.count, 2 * SAMPLES);
    ck_assert_uint_eq(runs[0]->rows[5].samples.count, 3 * SAMPLES);
    vt_result_free(runs[0]);
}
END_TEST

/* Nothing but the case itself says what noise is. */
START_TEST(a_case_alone_is_judged)
{
    int found = 0, flagged = 0;
    for (int i = 0; i < 50; i++) {
        struct vt_comparison comparison;
        struct vt_result *a = run(0.02, 0.002), *b = run(0.02, 0.002);
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
    struct vt_result *a = run(0.02, 0.002), *b = run(0.02, 0.002);
    for (int i = 0; i < CASES; i += 3)
        scale(b, i, 1.06);
    changes_of(a, b, &comparison);
    size_t found = 0;
    for (int i = 0; i < CASES; i++) {
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
    double *shared = vt_arena_take(&result->arena, count * sizeof *shared), work[SAMPLES];
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
    struct vt_result *a = run(0.01, 0.002), *b = run(0.01, 0.002);
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
    ck_assert_int_eq(compare_shared(1, SAMPLES - 4, 1).unclear, VT_UNCLEAR_DISTURBED);
}
END_TEST

START_TEST(a_change_shows_beside_a_neighbour)
{
    ck_assert_int_eq(compare_shared(30, 20, 1.1).change, VT_CHANGE_SLOWER);
    /* Only the first quarter saw it quietly: it may have passed. */
    ck_assert_int_eq(compare_shared(30, SAMPLES - 30, 1.1).unclear, VT_UNCLEAR_PASSING);
}
END_TEST

START_TEST(a_case_of_two_speeds_is_judged_by_both_sides)
{
    /* Ten rounds; one side met the slower speed in four of them, the other in eight. */
    enum { ROUNDS = 10 };
    static const double ends[ROUNDS] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
    struct vt_comparison comparison;
    struct vt_result *a = run(0.002, 0), *b = run(0.002, 0);
    a->rows[7].rounds = b->rows[7].rounds = (struct vt_result_series){ends, ROUNDS};
    for (size_t i = 0; i < SAMPLES; i++) {
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

START_TEST(a_whole_group_is_found)
{
    struct vt_comparison comparison;
    struct vt_result *a = run(0.02, 0.002), *b = run(0.02, 0.002);
    for (int i = 1; i < CASES; i += 2)
        scale(b, i, 1.3);
    ck_assert_uint_eq(changes_of(a, b, &comparison), CASES / 2);
    ck_assert_uint_eq(comparison.changes[VT_CHANGE_SLOWER], CASES / 2);
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
    struct vt_result *a = run(0.02, 0), *b = run(0.02, 0);
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
    struct vt_result *a = run(0.02, 0), *b = run(0.02, 0);
    for (int i = 0; i < CASES; i++) {
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
    struct vt_result *a = run(0.02, 0);
    ck_assert_uint_eq(changes_of(a, a, &comparison), 0);
    ck_assert_double_eq(comparison.rows[0].ratio, 1);
    vt_compare_release(&comparison);
    vt_result_free(a);
}
END_TEST

/* Cases of an invented lab, every count 1000. */
static struct vt_result *lab(const char *engine)
{
    struct vt_result *result = run(0, 0);
    for (int i = 0; i < CASES; i++) {
        struct vt_result_row *row = &result->rows[i];
        row->engine = engine;
        row->unit = VT_UNIT_INSTRUCTIONS;
        row->simulated = true;
        row->samples = (struct vt_result_series){NULL, 0};
        row->toll = (struct vt_summary){.median = 1000, .ci_low = 1000, .ci_high = 1000};
    }
    return result;
}

static enum vt_change change_of_count(const char *engine, double more, double threshold, char text[64])
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = lab(engine), *b = lab(engine);
    b->rows[5].toll.median += more;
    ck_assert_int_eq(vt_compare(&comparison, a, b, &(struct vt_compare_limits){threshold, NAN, NULL}, &error),
                     0);
    enum vt_change change = comparison.rows[5].change;
    ck_assert_uint_eq(comparison.changes[VT_CHANGE_NONE], CASES - (change != VT_CHANGE_NONE));
    ck_assert_uint_eq(comparison.worse, change == VT_CHANGE_LONGER);
    ck_assert_uint_eq(comparison.counts, CASES);
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

START_TEST(a_run_in_company_is_named)
{
    struct vt_comparison comparison;
    struct vt_result *a = run(0.02, 0), *b = run(0.02, 0);
    a->settings = json_pack("{s:f}", "shared", 0.1);
    b->settings = json_pack("{s:f}", "shared", 0.44);
    changes_of(a, b, &comparison);
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
    struct vt_result *a = lab("svm"), *b = lab("svm");
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
        struct vt_result *results[2] = {lab("svm"), lab("svm")};
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

/* What two results of a lab differ in beside their counts; each has one of `warnings`, NULL: none. */
static void expect_unlike_labs(const char *old, const char *new, const char *warning)
{
    struct vt_comparison comparison;
    struct vt_error error;
    struct vt_result *a = lab("svm"), *b = lab("svm");
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
    struct vt_result *a = run(0.01, 0.001), *b = run(0.01, 0.001);
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

VT_SUITE(mann_whitney_agrees_with_the_textbook, holm_agrees_with_the_textbook,
         steady_runs_of_one_machine_show_nothing, unsteady_runs_of_one_machine_show_nothing,
         a_true_shift_of_five_per_cent_is_found, what_is_detectable_is_found,
         rows_measured_on_neither_side_are_in_no_count, a_group_that_moved_shows_its_own_p,
         limits_agree_with_the_tables, pairs_show_nothing_where_nothing_is, pairs_show_a_small_change,
         pairs_are_those_of_the_runs, a_run_that_failed_does_not_count_for_the_others, a_case_alone_is_judged,
         a_shift_of_every_third_case_is_found, what_a_neighbour_slowed_is_no_change,
         a_change_shows_beside_a_neighbour, a_case_of_two_speeds_is_judged_by_both_sides,
         student_agrees_with_the_tables, a_whole_group_is_found,
         a_crossing_that_changed_is_a_finding_of_its_own, unlike_units_are_refused, a_result_equals_itself,
         a_single_instruction_shows, the_threshold_holds_for_counts, a_run_in_company_is_named,
         another_kernel_is_named, another_tuning_of_a_lab_is_named,
         batches_that_differ_are_known_as_far_as_they_do, unlike_builds_are_named)
