#include "bench/tick.h"
#include "base/process/clock.h"

#include <time.h>

#define PATIENCE 3 /* periods */

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
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
    uint64_t last = last_tick(), begun = vt_clock_now();

    clock_getres(CLOCK_MONOTONIC_COARSE, &period);
    if (!vt_tick_is_in_the_way(begun - last, nanoseconds(&period), needed))
        return;
    while (last_tick() == last && vt_clock_now() - begun < PATIENCE * nanoseconds(&period))
        ;
}
