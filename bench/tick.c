#include "bench/tick.h"
#include "base/process/clock.h"

#include <time.h>

#define NS        UINT64_C(1000000000) /* a second */
#define BEHIND_NS 20000                /* it has been served then */

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

void vt_tick_let_pass(uint64_t needed)
{
    struct timespec period = {0};
    uint64_t last = last_tick();

    clock_getres(CLOCK_MONOTONIC_COARSE, &period);
    if (!vt_tick_is_in_the_way(vt_clock_now() - last, nanoseconds(&period), needed))
        return;
    uint64_t next = last + nanoseconds(&period) + BEHIND_NS;
    const struct timespec until = {.tv_sec = (time_t)(next / NS), .tv_nsec = (long)(next % NS)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}
