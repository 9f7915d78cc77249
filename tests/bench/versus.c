#include "tests/bench/versus.h"
#include "bench/sampler.h"
#include "base/statistics.h"
#include "base/process/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATIENCE_NS 3000000

double vt_versus_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void vt_versus_wait(struct vt_quiet *quiet)
{
    static const volatile int stop;
    vt_quiet_wait(quiet, vt_clock_now() + PATIENCE_NS, &stop);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double vt_versus_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return vt_statistics_quantile(values, count, 0.5);
}

int vt_versus_report(const char *what, const char *unit, double *ours, double *theirs, size_t count,
                     double limit)
{
    double *ratios = calloc(2 * count, sizeof *ratios);
    if (!ratios)
        return 1;
    for (size_t i = 0; i < count; i++)
        ratios[i] = ours[i] / theirs[i];
    struct vt_summary s = vt_statistics_summarize(ratios, count, ratios + count);
    printf("%s: %.4g %s against %.4g %s, ratio %.3f [%.3f, %.3f] (at most %.2f): %s\n", what,
           vt_versus_median(ours, count), unit, vt_versus_median(theirs, count), unit, s.median, s.ci_low,
           s.ci_high, limit, s.median <= limit ? "kept" : "NOT KEPT");
    free(ratios);
    return s.median <= limit ? 0 : 1;
}
