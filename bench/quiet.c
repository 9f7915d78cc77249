#include "bench/quiet.h"
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "base/process/clock.h"

#include <math.h>
#include <time.h>

/* About a microsecond; the fastest of a few leaves out what an interrupt hit. */
#define TURNS    4000
#define ATTEMPTS 3

/* A shared core is slower by half or more; less is the clock's own unrest. */
#define SLOWER 1.15

#define PAUSE_NS 200000

static double time_control(void)
{
    const struct vt_case *c = vt_guest_find_case("empty");
    struct vt_scratch scratch = {0};
    double best = INFINITY;

    for (int i = 0; i < ATTEMPTS; i++) {
        uint64_t tsc[2];
        vt_batch(c->baseline, TURNS, &scratch, tsc);
        best = fmin(best, (double)(tsc[1] - tsc[0]) / TURNS);
    }
    return best;
}

static double faster_of(double a, double b)
{
    return a > 0 && (b == 0 || a < b) ? a : b;
}

bool vt_quiet_note(struct vt_quiet *quiet, uint64_t now_ns, double cycles)
{
    if (now_ns - quiet->since_ns >= VT_QUIET_MEMORY_NS) {
        quiet->best_before = now_ns - quiet->since_ns < 2 * VT_QUIET_MEMORY_NS ? quiet->best : 0;
        quiet->best = 0;
        quiet->since_ns = now_ns;
    }
    quiet->best = faster_of(cycles, quiet->best);
    return cycles <= SLOWER * faster_of(quiet->best, quiet->best_before);
}

bool vt_quiet_now(struct vt_quiet *quiet)
{
    return vt_quiet_note(quiet, vt_clock_now(), time_control());
}

bool vt_quiet_wait(struct vt_quiet *quiet, uint64_t until_ns, const volatile int *stop)
{
    uint64_t started = vt_clock_now();
    bool quiet_now = vt_quiet_now(quiet);

    while (!quiet_now && !*stop && vt_clock_now() < until_ns) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        quiet_now = vt_quiet_now(quiet);
    }
    quiet->waited_ns += vt_clock_now() - started;
    return quiet_now;
}
