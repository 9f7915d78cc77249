/* Which of the batches that were recorded are a row's, and which of them its profile is of. */
#include "tests/unit/lab/machine.h"

/* Pairs as labs run them: the row's are found behind those of another one, and the interrupted one is
 * avoided. */
START_TEST(a_row_finds_its_batches)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;
    static const double bodies[] = {16, 18, 16}, baselines[] = {4, 4, 4};
    struct vt_profile_row row = {.body = BODY,
                                 .baseline = BASELINE,
                                 .alternates = true,
                                 .iterations = 10,
                                 .bodies = bodies,
                                 .baselines = baselines,
                                 .pairs = 3,
                                 .toll = 12};
    size_t cursor = 0;

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
    const struct vt_profile_row row = {
        .body = BODY,
        .baseline = BASELINE,
        .iterations = 10,
        .bodies = bodies,
        .baselines = baselines,
        .pairs = 3,
        .toll = 15.5, /* (12 + 19) / 2 */
    };
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
 * clock and not in the recording, and the other way round where it begins: wanted is a pair whose recording
 * is the toll, and of those one whose clock is.
 */
START_TEST(a_pair_that_adds_up_is_preferred)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;
    static const double last_adds_up[] = {23, 16, 23}, none_does[] = {23, 16, 24}, baselines[] = {4, 4, 4};
    struct vt_profile_row row = {
        .body = BODY,
        .baseline = BASELINE,
        .iterations = 10,
        .bodies = last_adds_up,
        .baselines = baselines,
        .pairs = 3,
        .toll = 19,
    };
    size_t cursor = 0;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, longer_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, longer_answer);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.sum, 190);
    ck_assert_int_eq(profile.operations, 10);
    vt_profile_release(&profile);
    row.bodies = none_does;
    cursor = 0;
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.sum, 190);
    vt_profile_release(&profile);
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

VT_SUITE(a_row_finds_its_batches, two_pairs_in_the_middle_are_one_profile, a_pair_that_adds_up_is_preferred,
         two_recordings_follow_one_another)
