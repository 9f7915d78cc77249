/*
 * Two things timed against one another in one run: alternating, so that what
 * drifts on a shared machine favours neither, and judged by their medians.
 */
#ifndef VT_TESTS_BENCH_VERSUS_H
#define VT_TESTS_BENCH_VERSUS_H

#include "bench/quiet.h"

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC_RAW in nanoseconds. */
double vt_versus_clock(void);

/* Wait a few milliseconds, at the longest, for the core to be quiet: others' work slows the two sides
 * unequally. */
void vt_versus_wait(struct vt_quiet *quiet);

/* Median of `count` values; sorts them. */
double vt_versus_median(double *values, size_t count);

/*
 * Print "WHAT: ours X, theirs Y, ratio R (at most LIMIT)" with the interval of the
 * paired ratios. Returns 0 when the median ratio keeps the limit, 1 when not.
 */
int vt_versus_report(const char *what, const char *unit, double *ours, double *theirs, size_t count,
                     double limit);

#endif
