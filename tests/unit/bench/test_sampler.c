/* Batches are sized alike in every run, whatever a neighbour does; rounds are kept apart. */
#include "bench/sampler.h"
#include "bench/tick.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURN = 7, PER_OPERATION = 1000 };
static const double khz = 2e6;
static const uint64_t longest_batch = 400000; /* cycles: 200 us */

/* An engine whose operation takes PER_OPERATION cycles, times `slowness`; for the next `quick` batches a
 * third of it. */
struct invented {
    double slowness;
    uint64_t quick;
    uint64_t batches; /* that ran */
    uint64_t
        ticks_at; /* this batch is hit by the timer: longer, and an interrupt more in the file; 0: none */
    int own;      /* interrupts that each batch brings itself */
    int served;   /* all there were */
    const char *interrupts;
};

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    (void)state, (void)c, (void)cpl, (void)error;
    return 0;
}

static void serve(const char *path, int count)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "           CPU0       CPU2       \n  0:   9   7   IO-APIC   2-edge  timer\n"
            "LOC:   500   %d   Local timer interrupts\nERR:          0\n",
            count);
    fclose(file);
}

static enum vt_batch_end run_batch(void *state, enum vt_twin twin, uint64_t iterations,
                                   struct vt_batch *batch, struct vt_error *error)
{
    struct invented *machine = state;
    (void)error;
    double cycles = 300 + (double)iterations * (twin == VT_BODY ? PER_OPERATION : 1);
    batch->cycles = (uint64_t)(cycles * machine->slowness / (machine->quick ? 3 : 1));
    machine->quick -= machine->quick > 0;
    bool ticks = machine->ticks_at && ++machine->batches == machine->ticks_at;
    batch->cycles += ticks ? 9300 : 0;
    machine->served += machine->own + ticks;
    if (machine->interrupts)
        serve(machine->interrupts, 1000 + machine->served);
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

/* Seven pairs of a machine that counts instructions; one batch meets the timer. */
static void take_seven(struct vt_measurement *m, int own)
{
    char path[] = "/tmp/vmtoll-test-XXXXXX";
    static const volatile int stop;
    struct vt_error error;
    int fd = mkstemp(path);
    struct invented machine = {.slowness = 1, .ticks_at = 12, .own = own, .interrupts = path};
    struct vt_sampling sampling = {.engine = &engine,
                                   .state = &machine,
                                   .iterations = 100,
                                   .pairs = 7,
                                   .interrupts = path,
                                   .interrupted_cpu = 2,
                                   .deadline_ns = UINT64_MAX,
                                   .stop = &stop};

    ck_assert_int_ge(fd, 0);
    close(fd);
    serve(path, 1000);
    ck_assert_int_eq(vt_sampler_take(m, &sampling, &error), 0);
    vt_sampler_summarize(m);
    unlink(path);
}

static void check_one_is_hit(const struct vt_measurement *m)
{
    size_t hit = 0;
    ck_assert_uint_eq(m->batches, 7);
    ck_assert_uint_eq(m->marked, 1);
    while (hit < 6 && !m->marks[hit])
        hit++;
    ck_assert_uint_eq(m->marks[hit], VT_MARK_HIT);
    ck_assert_double_gt(fabs(m->body[hit] - m->baseline[hit] - (PER_OPERATION - 1)), 1);
    ck_assert_double_eq_tol(m->toll_cycles.median, PER_OPERATION - 1, 1e-9);
    ck_assert_double_eq_tol(m->toll_cycles.ci_low, PER_OPERATION - 1, 1e-9);
    ck_assert_double_eq_tol(m->toll_cycles.ci_high, PER_OPERATION - 1, 1e-9);
}

START_TEST(what_the_timer_hits_is_kept_and_not_in_the_count)
{
    struct vt_case c = {.name = "invented"};
    struct vt_measurement m = {.c = &c, .engine = "invented", .simulated = true};

    take_seven(&m, 0);
    check_one_is_hit(&m);
    m.simulated = false; /* of times nothing is left out */
    vt_sampler_summarize(&m);
    ck_assert_double_gt(m.toll_cycles.ci_high - m.toll_cycles.ci_low, 1);
    vt_measurement_release(&m);
}
END_TEST

START_TEST(a_case_with_a_timer_of_its_own_is_hit_by_what_comes_beside)
{
    struct vt_case c = {.name = "invented", .needs = VT_NEED_DEADLINE};
    struct vt_measurement m = {.c = &c, .engine = "invented", .simulated = true};

    take_seven(&m, 10);
    check_one_is_hit(&m);
    vt_measurement_release(&m);
}
END_TEST

/* How long the pairs were to take, as the sampler said it before each. */
static uint64_t announced[8];
static size_t announcements;

static void let_tick_pass(struct vt_tick *tick, uint64_t needed)
{
    (void)tick;
    if (announcements < sizeof announced / sizeof announced[0])
        announced[announcements] = needed;
    announcements++;
}

START_TEST(no_pair_begins_where_a_tick_would_fall_into_it)
{
    static const volatile int stop;
    struct vt_error error;
    struct vt_case c = {.name = "invented"};
    struct vt_measurement m = {.c = &c, .engine = "invented", .simulated = true};
    struct invented machine = {.slowness = 1};
    struct vt_sampling sampling = {.engine = &engine,
                                   .state = &machine,
                                   .iterations = 100,
                                   .pairs = 7,
                                   .let_tick_pass = let_tick_pass,
                                   .deadline_ns = UINT64_MAX,
                                   .stop = &stop};

    ck_assert_int_eq(vt_sampler_take(&m, &sampling, &error), 0);
    ck_assert_uint_eq(announcements, 7);
    ck_assert_uint_gt(announced[0], 1000000); /* nothing is known yet: two batches of the longest */
    for (size_t i = 1; i < 7; i++)
        ck_assert_uint_gt(announced[i], 0);
    for (size_t i = 2; i < 7; i++)
        ck_assert_uint_ge(announced[i], announced[i - 1]);
    vt_measurement_release(&m);
}
END_TEST

START_TEST(a_tick_is_in_the_way_if_it_comes_before_the_end)
{
    enum { PERIOD = 4000000 };

    ck_assert(!vt_tick_is_in_the_way(0, PERIOD, 1000000));
    ck_assert(!vt_tick_is_in_the_way(3000000, PERIOD, 1000000));
    ck_assert(vt_tick_is_in_the_way(3000001, PERIOD, 1000000));
    ck_assert(vt_tick_is_in_the_way(9000000, PERIOD, 1000000)); /* it is late */
    ck_assert(!vt_tick_is_in_the_way(3999999, PERIOD, PERIOD)); /* nothing would be won */
    ck_assert(!vt_tick_is_in_the_way(UINT64_MAX, 0, 0));        /* the kernel does not tell */
}
END_TEST

/* The clock that stands still between ticks has moved, or was far from moving; on a kernel without ticks it
 * comes back all the same. */
START_TEST(what_waits_for_a_tick_comes_back)
{
    struct vt_tick tick = {0};

    for (uint64_t needed = 1; needed < UINT64_C(100000000); needed *= 10)
        vt_tick_let_pass(&tick, needed);
    vt_tick_let_pass(&tick, UINT64_MAX);
}
END_TEST

VT_SUITE(batches_hold_a_power_of_two, a_case_may_have_a_limit_of_its_own,
         a_calibration_that_met_a_neighbour_is_made_again, a_calibration_made_again_in_vain_loses_nothing,
         rounds_are_kept_apart, what_the_timer_hits_is_kept_and_not_in_the_count,
         a_case_with_a_timer_of_its_own_is_hit_by_what_comes_beside,
         no_pair_begins_where_a_tick_would_fall_into_it, a_tick_is_in_the_way_if_it_comes_before_the_end,
         what_waits_for_a_tick_comes_back)
