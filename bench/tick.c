#include "bench/tick.h"
#include "base/process/clock.h"

#include <time.h>

#define NS        UINT64_C(1000000000) /* a second */
#define BEHIND_NS 20000 /* a tick, and it has been served; and before one, what was seen late */
#define PATIENCE  3     /* periods */

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * NS + (uint64_t)time->tv_nsec;
}

/* The coarse clock stands still between two ticks (clock_gettime(2), CLOCK_MONOTONIC_COARSE). */
static uint64_t last_tick(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return nanoseconds(&time);
}

bool vt_tick_is_in_the_way(uint64_t since, uint64_t period, uint64_t needed)
{
    return needed < period && since > period - needed;
}

static uint64_t find_period(void)
{
    struct timespec period = {0};

    clock_getres(CLOCK_MONOTONIC_COARSE, &period);
    return nanoseconds(&period);
}

/* Busily: that clock's value need not be a tick's time (kernel/time/timekeeping.c), and one that sleeps may
 * get none. */
static uint64_t watch(uint64_t period)
{
    uint64_t last = last_tick(), begun = vt_clock_now(), now = begun;

    while (last_tick() == last && now - begun < PATIENCE * period)
        now = vt_clock_now();
    return now;
}

static void sleep_until(uint64_t time)
{
    const struct timespec until = {.tv_sec = (time_t)(time / NS), .tv_nsec = (long)(time % NS)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

void vt_tick_let_pass(struct vt_tick *tick, uint64_t needed)
{
    uint64_t period = find_period();

    if (needed >= period)
        return;
    if (!tick->seen)
        tick->seen = watch(period);
    uint64_t now = vt_clock_now(), since = (now - tick->seen) % period;
    if (vt_tick_is_in_the_way(since, period, needed + BEHIND_NS))
        sleep_until(now - since + period + BEHIND_NS);
}
