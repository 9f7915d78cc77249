/* Batches are sized alike in every run, whatever a neighbour does; rounds are kept apart. */
#include "bench/sampler.h"
#include "tests/unit/suite.h"

enum { TURN = 7, PER_OPERATION = 1000 };
static const double khz = 2e6;
static const uint64_t longest_batch = 400000; /* cycles: 200 us */

/* An engine whose operation takes PER_OPERATION cycles, times `slowness`; for the next `quick` batches a
 * third of it. */
struct invented {
    double slowness;
    uint64_t quick;
};

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    (void)state, (void)c, (void)cpl, (void)error;
    return 0;
}

static enum vt_batch_end run_batch(void *state, enum vt_twin twin, uint64_t iterations,
                                   struct vt_batch *batch, struct vt_error *error)
{
    struct invented *machine = state;
    (void)error;
    double cycles = 300 + (double)iterations * (twin == VT_BODY ? PER_OPERATION : 1);
    batch->cycles = (uint64_t)(cycles * machine->slowness / (machine->quick ? 3 : 1));
    machine->quick -= machine->quick > 0;
    vt_counters_put(&batch->counters, VT_EXITS, twin == VT_BODY ? iterations : 0);
    return VT_BATCH_DONE;
}

static const struct vt_engine engine = {.name = "invented", .prepare = prepare, .batch = run_batch};

static void take(struct vt_measurement *m, struct invented *machine)
{
    static const volatile int stop;
    struct vt_error error;
    struct vt_sampling sampling = {
        .engine = &engine,
        .state = machine,
        .deadline_ns = UINT64_MAX,
        .share_ns = UINT64_C(1000000000),
        .tsc_khz = khz,
        .turn = TURN,
        .stop = &stop,
    };
    ck_assert_int_eq(vt_sampler_take(m, &sampling, &error), 0);
}

START_TEST(batches_hold_a_power_of_two)
{
    struct vt_case c = {.name = "invented"};
    struct vt_measurement m = {.c = &c, .engine = "invented"};
    struct invented machine = {.slowness = 1};
    take(&m, &machine);
    ck_assert_uint_eq(m.iterations, 256); /* 512 do not fit */
    ck_assert_uint_le(300 + m.iterations * PER_OPERATION, longest_batch);
    ck_assert_uint_eq(m.batches, TURN);
    vt_measurement_release(&m);
}
END_TEST

START_TEST(a_case_may_have_a_limit_of_its_own)
{
    struct vt_case c = {.name = "invented", .max_iterations = 100};
    struct vt_measurement m = {.c = &c, .engine = "invented"};
    struct invented machine = {.slowness = 1};
    take(&m, &machine);
    ck_assert_uint_eq(m.iterations, 100);
    vt_measurement_release(&m);
}
END_TEST

START_TEST(a_calibration_that_met_a_neighbour_is_made_again)
{
    struct vt_case c = {.name = "invented"};
    struct vt_measurement m = {.c = &c, .engine = "invented"};
    struct invented machine = {.slowness = 30};
    take(&m, &machine);
    ck_assert_uint_eq(m.iterations, 8);
    machine.slowness = 1;
    take(&m, &machine);
    ck_assert_uint_eq(m.iterations, 256);
    ck_assert_uint_eq(m.batches, TURN);
    ck_assert_uint_eq(m.round_count, 1);
    ck_assert_double_eq(m.body[0], (300.0 + 256 * PER_OPERATION) / 256);
    ck_assert_double_eq(vt_measurement_per_operation(&m, VT_EXITS), 1);
    vt_measurement_release(&m);
}
END_TEST

START_TEST(a_calibration_made_again_in_vain_loses_nothing)
{
    struct vt_case c = {.name = "invented"};
    struct vt_measurement m = {.c = &c, .engine = "invented"};
    struct invented machine = {.slowness = 1};
    take(&m, &machine);
    machine.quick = 2; /* what the second turn begins with, not what it calibrates with */
    take(&m, &machine);
    ck_assert_uint_eq(m.iterations, 256);
    ck_assert_uint_eq(m.batches, 2 * TURN);
    vt_measurement_release(&m);
}
END_TEST

START_TEST(rounds_are_kept_apart)
{
    struct vt_case c = {.name = "invented"};
    struct vt_measurement m = {.c = &c, .engine = "invented"};
    struct invented machine = {.slowness = 1};
    for (int i = 0; i < 3; i++)
        take(&m, &machine);
    ck_assert_uint_eq(m.round_count, 3);
    ck_assert_uint_eq(m.rounds[0], TURN);
    ck_assert_uint_eq(m.rounds[2], 3 * TURN);
    ck_assert_uint_eq(m.marks[0], 0);
    vt_measurement_release(&m);
}
END_TEST

VT_SUITE(batches_hold_a_power_of_two, a_case_may_have_a_limit_of_its_own,
         a_calibration_that_met_a_neighbour_is_made_again, a_calibration_made_again_in_vain_loses_nothing,
         rounds_are_kept_apart)
