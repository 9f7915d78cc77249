#include "base/process/watchdog.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <poll.h>

enum { LIMIT_NS = 20 * 1000 * 1000, LONG_MS = 10000 };

/* Sleeps until the watchdog says that it is over. */
static void sleep_until_fired(const struct vt_watchdog *watchdog)
{
    while (!watchdog->fired) {
        ck_assert_int_eq(poll(NULL, 0, LONG_MS), -1);
        ck_assert_int_eq(errno, EINTR);
    }
}

static uint64_t cpu_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

START_TEST(an_expired_limit_interrupts_a_blocking_call)
{
    struct vt_watchdog watchdog = {0};
    uint8_t kick = 0;
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    watchdog.kick = &kick;
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    sleep_until_fired(&watchdog);
    ck_assert_int_eq(kick, 1);
    vt_watchdog_close(&watchdog);
}
END_TEST

START_TEST(code_that_runs_has_its_limit_in_cpu_time)
{
    struct vt_watchdog watchdog = {0};
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    uint64_t before = cpu_time();
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    while (!watchdog.fired)
        ;
    ck_assert_uint_ge(cpu_time() - before, LIMIT_NS);
    vt_watchdog_close(&watchdog);
}
END_TEST

/* Waiting, for the CPU as for anything else, uses up the limit more slowly than running. */
START_TEST(a_thread_that_waits_is_not_over_at_once)
{
    struct vt_watchdog watchdog = {0};
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    ck_assert_int_eq(poll(NULL, 0, LONG_MS), -1);
    ck_assert_int_eq(watchdog.fired, 0);
    vt_watchdog_close(&watchdog);
}
END_TEST

START_TEST(it_keeps_interrupting_until_disarmed)
{
    struct vt_watchdog watchdog = {0};
    ck_assert_int_eq(vt_watchdog_open(&watchdog, NULL), 0);
    vt_watchdog_arm(&watchdog, LIMIT_NS);
    sleep_until_fired(&watchdog);
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
    sleep_until_fired(&watchdog);
    vt_watchdog_arm(&watchdog, UINT64_C(3600) * 1000000000);
    ck_assert_int_eq(watchdog.fired, 0);
    ck_assert_int_eq(poll(NULL, 0, 50), 0);
    vt_watchdog_close(&watchdog);
}
END_TEST

VT_SUITE(an_expired_limit_interrupts_a_blocking_call, it_keeps_interrupting_until_disarmed,
         code_that_runs_has_its_limit_in_cpu_time, a_thread_that_waits_is_not_over_at_once,
         arming_anew_forgets_the_last_expiry)
