#include "base/watchdog.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <poll.h>

enum { LIMIT_NS = 20 * 1000 * 1000, LONG_MS = 10000 };

START_TEST(an_expired_limit_interrupts_a_blocking_call)
{
    struct vt_watchdog watchdog = {0};
    uint8_t kick = 0;
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    watchdog.kick = &kick;
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    ck_assert_int_eq(poll(NULL, 0, LONG_MS), -1);
    ck_assert_int_eq(errno, EINTR);
    ck_assert_int_eq(watchdog.fired, 1);
    ck_assert_int_eq(kick, 1);
    vt_watchdog_close(&watchdog);
}
END_TEST

START_TEST(it_keeps_interrupting_until_disarmed)
{
    struct vt_watchdog watchdog = {0};
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(poll(NULL, 0, LONG_MS), -1);
    vt_watchdog_arm(&watchdog, 0);
    ck_assert_int_eq(poll(NULL, 0, 50), 0);
    vt_watchdog_close(&watchdog);
}
END_TEST

START_TEST(arming_anew_forgets_the_last_expiry)
{
    struct vt_watchdog watchdog = {0};
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    ck_assert_int_eq(poll(NULL, 0, LONG_MS), -1);
    vt_watchdog_arm(&watchdog, UINT64_C(3600) * 1000000000);
    ck_assert_int_eq(watchdog.fired, 0);
    ck_assert_int_eq(poll(NULL, 0, 50), 0);
    vt_watchdog_close(&watchdog);
}
END_TEST

VT_SUITE(an_expired_limit_interrupts_a_blocking_call, it_keeps_interrupting_until_disarmed,
         arming_anew_forgets_the_last_expiry)
