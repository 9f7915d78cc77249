#include "base/process/affinity.h"
#include "tests/unit/suite.h"

START_TEST(a_mask_names_what_the_thread_may_use)
{
    struct vt_affinity affinity;
    ck_assert_int_eq(vt_affinity_get(&affinity), 0);
    ck_assert_uint_ge(vt_affinity_count(&affinity), 1);
    ck_assert(vt_affinity_has(&affinity, vt_affinity_last(&affinity)));
    ck_assert(!vt_affinity_has(&affinity, vt_affinity_last(&affinity) + 1));
    ck_assert(!vt_affinity_has(&affinity, -1));
    ck_assert(!vt_affinity_has(&affinity, VT_AFFINITY_CPUS));
}
END_TEST

START_TEST(pinning_leaves_one_and_setting_brings_the_others_back)
{
    struct vt_affinity before, pinned, after;
    ck_assert_int_eq(vt_affinity_get(&before), 0);
    int last = vt_affinity_last(&before);
    ck_assert_int_eq(vt_affinity_pin(last), 0);
    ck_assert_int_eq(vt_affinity_get(&pinned), 0);
    ck_assert_uint_eq(vt_affinity_count(&pinned), 1);
    ck_assert_int_eq(vt_affinity_last(&pinned), last);
    ck_assert_int_eq(vt_affinity_set(&before), 0);
    ck_assert_int_eq(vt_affinity_get(&after), 0);
    ck_assert_mem_eq(&before, &after, sizeof before);
}
END_TEST

/* cpu_set_t ends at 1024. */
START_TEST(large_machines_fit)
{
    struct vt_affinity affinity = {0};
    affinity.bits[5000 / 64] = 1UL << (5000 % 64);
    ck_assert_int_eq(vt_affinity_last(&affinity), 5000);
    ck_assert_uint_eq(vt_affinity_count(&affinity), 1);
    ck_assert_int_lt(vt_affinity_pin(VT_AFFINITY_CPUS - 1), 0); /* no such CPU here */
    ck_assert_int_lt(vt_affinity_pin(VT_AFFINITY_CPUS), 0);
    ck_assert_int_lt(vt_affinity_pin(-1), 0);
}
END_TEST

VT_SUITE(a_mask_names_what_the_thread_may_use, pinning_leaves_one_and_setting_brings_the_others_back,
         large_machines_fit)
