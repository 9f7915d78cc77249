/* A machine that may end before its run does: rows are handed out as they are measured, and those of an
 * earlier run are not asked again. */
#include "bench/runner.h"
#include "bench/watch.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 4, TICKS = 2 };

struct seen {
    const char *names[CASES];
    double medians[CASES];
    size_t count;
};

static void keep(void *context, const struct vt_measurement *row)
{
    struct seen *seen = context;
    ck_assert_uint_lt(seen->count, CASES);
    ck_assert_str_eq(row->engine, "lab");
    ck_assert_double_eq_tol(row->toll.median * TICKS, row->toll_cycles.median, 1e-9);
    seen->names[seen->count] = row->c->name;
    seen->medians[seen->count++] = row->toll.median;
}

static struct seen run(struct vt_run *result, size_t before, const struct vt_lost_row *lost)
{
    static const volatile int never;
    const struct vt_engine *engine = vt_bench_find_engine("native");
    const struct vt_case *cases[CASES] = {vt_guest_find_case("empty"), vt_guest_find_case("nop"),
                                          vt_guest_find_case("thousand"), vt_guest_find_case("cpuid")};
    struct seen seen = {.count = 0};
    struct vt_simulation simulation = {
        .engine = "lab",
        .iterations = 100,
        .pairs = 7,
        .ticks_per_instruction = TICKS,
        .lost = lost,
        .lost_count = lost != NULL,
        .before = before,
        .made = keep,
        .context = &seen,
    };
    struct vt_plan plan = {.engines = &engine,
                           .engine_count = 1,
                           .cases = cases,
                           .case_count = CASES,
                           .levels = 1 << 3,
                           .paths = ~0u,
                           .budget = 5,
                           .simulation = &simulation,
                           .cpu = -1,
                           .stop = &never};
    struct vt_error error;
    ck_assert_msg(vt_bench_run(result, &plan, &error) == 0, "%s", error.text);
    ck_assert_uint_eq(result->count, CASES);
    return seen;
}

START_TEST(each_row_is_handed_out_as_it_will_be_at_the_end)
{
    struct vt_run result;
    struct seen seen = run(&result, 0, NULL);
    ck_assert_uint_eq(seen.count, CASES);
    for (size_t i = 0; i < CASES; i++) {
        ck_assert_str_eq(seen.names[i], result.measurements[i].c->name);
        ck_assert_double_eq(seen.medians[i], result.measurements[i].toll.median);
        ck_assert_str_eq(result.measurements[i].engine, "lab");
    }
    vt_run_release(&result);
}
END_TEST

START_TEST(rows_of_an_earlier_run_are_not_asked_again)
{
    const struct vt_lost_row lost = {2, VT_STATUS_TIMEOUT, "nothing came"};
    struct vt_run result;
    struct seen seen = run(&result, 2, &lost);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_str_eq(seen.names[0], "thousand");
    ck_assert_str_eq(result.measurements[0].reason, VT_MADE_BEFORE);
    ck_assert_int_ne(result.measurements[0].status, VT_STATUS_OK);
    ck_assert_str_eq(result.measurements[1].reason, "nothing came");
    ck_assert_int_eq(result.measurements[1].status, VT_STATUS_TIMEOUT);
    ck_assert_uint_gt(result.measurements[3].batches, 0);
    vt_run_release(&result);
}
END_TEST

VT_SUITE(each_row_is_handed_out_as_it_will_be_at_the_end, rows_of_an_earlier_run_are_not_asked_again)
