/*
 * Is the core to ourselves? A busy sibling thread - of this machine or, unseen by
 * every counter here, of the machine below it - halves the speed of the barest
 * loop there is. That loop, the baseline of the control case `empty`, is timed
 * before a pair of batches, and sampling waits a while when it runs slow. The
 * decision rests on the control alone, never on the samples.
 */
#ifndef VT_BENCH_QUIET_H
#define VT_BENCH_QUIET_H

#include <stdbool.h>
#include <stdint.h>

struct vt_quiet {
    double best;        /* cycles per turn of the control when it ran fastest; 0: not yet run */
    uint64_t waited_ns; /* in all */
};

/*
 * Wait until the control runs as fast as it ever did, at the longest to `until_ns`
 * (CLOCK_MONOTONIC) and not once *stop is set. Returns whether it is quiet.
 */
bool vt_quiet_wait(struct vt_quiet *quiet, uint64_t until_ns, const volatile int *stop);

#endif
