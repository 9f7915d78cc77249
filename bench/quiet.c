#include "bench/quiet.h"
#include "bench/sampler.h"
#include "guest/abi.h"
#include "guest/catalogue.h"

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

static bool is_quiet(struct vt_quiet *quiet)
{
    double now = time_control();
    if (quiet->best == 0 || now < quiet->best)
        quiet->best = now;
    return now <= SLOWER * quiet->best;
}

bool vt_quiet_wait(struct vt_quiet *quiet, uint64_t until_ns, const volatile int *stop)
{
    uint64_t started = vt_sampler_clock();
    bool quiet_now = is_quiet(quiet);

    while (!quiet_now && !*stop && vt_sampler_clock() < until_ns) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        quiet_now = is_quiet(quiet);
    }
    quiet->waited_ns += vt_sampler_clock() - started;
    return quiet_now;
}
