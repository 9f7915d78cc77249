/* Which of the batches that were recorded are a row's, and which of them its profile is of. */
#include "tests/unit/lab/machine.h"

/* Of three pairs of batches of ten operations each. */
static struct vt_profile_row row_of(const double bodies[3], const double baselines[3], double toll,
                                    bool computed)
{
    return (struct vt_profile_row){
        .body = BODY,
        .baseline = BASELINE,
        .computed = computed,
        .iterations = 10,
        .bodies = bodies,
        .baselines = baselines,
        .pairs = 3,
        .toll = toll,
    };
}

/* Pairs as labs run them: the row's are found behind those of another one, and the interrupted one is
 * avoided. */
START_TEST(a_row_finds_its_batches)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;
    static const double bodies[] = {16, 18, 16}, baselines[] = {4, 4, 4};
    struct vt_profile_row row = row_of(bodies, baselines, 12, false);
    size_t cursor = 0;

    row.alternates = true;
    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, interrupted_answer);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_uint_eq(cursor, 7);
    ck_assert_int_eq(profile.sum, 120);
    ck_assert_int_eq(profile.interrupts_dropped, 10);
    ck_assert_int_eq(profile.operations, 10);
    vt_profile_release(&profile);
    ck_assert_int_lt(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    release(&read, &machine);
}
END_TEST

/* What a timer hit is left out of the toll: the median of the two pairs that are left is their mean. */
START_TEST(two_pairs_in_the_middle_are_one_profile)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;
    static const double bodies[] = {16, 24, 23}, baselines[] = {4, 4, 4};
    const struct vt_profile_row row = row_of(bodies, baselines, (12 + 19) / 2.0, false);
    size_t cursor = 0;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, interrupted_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, longer_answer);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.operations, 20);
    ck_assert_int_eq(profile.sum, 310);
    ck_function(&profile, "handle_exit", 10 * 4 + 10 * 11, 10 * 7 + 10 * 14);
    ck_assert_int_eq(profile.interrupts_dropped, 10);
    vt_profile_release(&profile);
    release(&read, &machine);
}
END_TEST

/*
 * What hits a hypervisor before it reads the clock that it computes, in the exit that ends a batch, is in the
 * clock and not in the recording, and the other way round where it begins: another pair's recording may be
 * the toll. Of a clock that nobody computes the recording must be right itself.
 */
START_TEST(a_clock_that_is_computed_may_be_anothers)
{
    static const double last_adds_up[] = {23, 16, 23}, none_does[] = {23, 16, 24}, baselines[] = {4, 4, 4};
    static const struct {
        const double *bodies;
        bool computed;
        int64_t sum;
    } rows[] = {{last_adds_up, true, 190}, {none_does, true, 190}, {last_adds_up, false, 120}};
    struct machine machine;
    struct read read;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, longer_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, longer_answer);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct vt_profile_row row = row_of(rows[i].bodies, baselines, 19, rows[i].computed);
        struct vt_profile profile;
        size_t cursor = 0;
        ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
        ck_assert_int_eq(profile.sum, rows[i].sum);
        ck_assert_int_eq(profile.operations, 10);
        vt_profile_release(&profile);
    }
    release(&read, &machine);
}
END_TEST

START_TEST(two_recordings_follow_one_another)
{
    struct machine machine, second;
    struct read read;
    struct vt_profile profile;
    char *both;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    close_machine(&machine);
    open_machine(&second);
    batch(&second, BASELINE, 0, NULL);
    batch(&second, BODY, 1, longer_answer);
    close_machine(&second);
    ck_assert_int_gt(asprintf(&both, "%s%s", machine.text, second.text), 0);
    free(machine.text);
    free(second.text);
    machine.text = both;
    struct vt_error error;
    ck_assert_int_eq(vt_capture_read(&read.capture, both, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&read.symbols, strdup(machine_symbols)), 0);
    ck_assert_int_eq(vt_replay_open(&read.replay, &read.capture, &read.symbols, VT_REPLAY_VIRTUALIZED), 0);
    ck_assert_uint_eq(read.capture.batch_count, 3);
    const struct vt_profile_pair pair = {&read.capture.batches[2], &read.capture.batches[1]};
    ck_assert_int_eq(vt_profile_subtract(&profile, &read.replay, &pair, 1), 0);
    ck_function(&profile, "handle_exit", 10 * 11, 10 * 14);
    vt_profile_release(&profile);
    release(&read, &machine);
}
END_TEST

VT_SUITE(a_row_finds_its_batches, two_pairs_in_the_middle_are_one_profile,
         a_clock_that_is_computed_may_be_anothers, two_recordings_follow_one_another)
