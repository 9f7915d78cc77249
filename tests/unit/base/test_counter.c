#include "base/counter.h"
#include "tests/unit/suite.h"

#include <string.h>

START_TEST(names_lead_back_to_their_counter)
{
    for (int i = 0; i < VT_COUNTERS; i++) {
        ck_assert_ptr_nonnull(vt_counter_name(i));
        ck_assert_int_eq(vt_counter_find(vt_counter_name(i)), i);
    }
    ck_assert_int_eq(vt_counter_find("no_such_counter"), -1);
    ck_assert_int_eq(vt_counter_find(""), -1);
}
END_TEST

START_TEST(a_difference_knows_what_both_know)
{
    struct vt_counters before = {0}, after = {0};
    vt_counters_put(&before, VT_EXITS, 10);
    vt_counters_put(&after, VT_EXITS, 25);
    vt_counters_put(&after, VT_HYPERCALLS, 7);
    struct vt_counters delta = vt_counters_since(&before, &after);
    ck_assert(vt_counters_has(&delta, VT_EXITS));
    ck_assert_uint_eq(delta.value[VT_EXITS], 15);
    ck_assert(!vt_counters_has(&delta, VT_HYPERCALLS));
    ck_assert(!vt_counters_has(&delta, VT_SIGNALS));
}
END_TEST

START_TEST(sums_gather_what_is_known)
{
    struct vt_counters sum = {0}, first = {0}, second = {0};
    vt_counters_put(&first, VT_EXITS, 3);
    vt_counters_put(&second, VT_EXITS, 4);
    vt_counters_put(&second, VT_SIGNALS, 0);
    second.value[VT_CALLOUTS] = 99; /* not known: must not count */
    vt_counters_add(&sum, &first);
    vt_counters_add(&sum, &second);
    ck_assert_uint_eq(sum.value[VT_EXITS], 7);
    ck_assert(vt_counters_has(&sum, VT_SIGNALS));
    ck_assert_uint_eq(sum.value[VT_CALLOUTS], 0);
    ck_assert(!vt_counters_has(&sum, VT_CALLOUTS));
}
END_TEST

VT_SUITE(names_lead_back_to_their_counter, a_difference_knows_what_both_know, sums_gather_what_is_known)
