/* When the core counts as shared. */
#include "bench/quiet.h"
#include "tests/unit/suite.h"

static const uint64_t second = 1000000000;

START_TEST(a_slower_control_means_company)
{
    struct vt_quiet quiet = {0};
    ck_assert(vt_quiet_note(&quiet, 100 * second, 1.0));
    ck_assert(vt_quiet_note(&quiet, 101 * second, 1.1)); /* the clock's own unrest */
    ck_assert(!vt_quiet_note(&quiet, 102 * second, 1.6));
    ck_assert(vt_quiet_note(&quiet, 103 * second, 1.0));
}
END_TEST

START_TEST(company_that_leaves_now_and_then_stays_company)
{
    struct vt_quiet quiet = {0};
    for (uint64_t i = 0; i < 60; i++)
        ck_assert(vt_quiet_note(&quiet, (100 + i) * second, i % 4 ? 1.6 : 1.0) == (i % 4 == 0));
}
END_TEST

START_TEST(a_clock_that_slowed_down_for_good_is_no_company)
{
    struct vt_quiet quiet = {0};
    ck_assert(vt_quiet_note(&quiet, 100 * second, 1.0));
    size_t shared = 0;
    for (uint64_t i = 1; i <= 20; i++)
        shared += !vt_quiet_note(&quiet, (100 + i) * second, 1.3);
    ck_assert_uint_gt(shared, 0);
    ck_assert_uint_le(shared, 2 * VT_QUIET_MEMORY_NS / second);
    ck_assert(vt_quiet_note(&quiet, 130 * second, 1.3));
}
END_TEST

START_TEST(a_faster_control_is_quiet)
{
    struct vt_quiet quiet = {0};
    ck_assert(vt_quiet_note(&quiet, 100 * second, 2.0));
    ck_assert(vt_quiet_note(&quiet, 101 * second, 1.0));
    ck_assert(!vt_quiet_note(&quiet, 102 * second, 2.0));
}
END_TEST

VT_SUITE(a_slower_control_means_company, company_that_leaves_now_and_then_stays_company,
         a_clock_that_slowed_down_for_good_is_no_company, a_faster_control_is_quiet)
