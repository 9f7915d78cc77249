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

/* What is remembered of the control lasts for one to two of these, so that a core whose clock slowed down for
 * good does not count as shared for the rest of the run. */
#define VT_QUIET_MEMORY_NS UINT64_C(5000000000)

/* Zeroed: nothing is known. */
struct vt_quiet {
    double best, best_before; /* cycles per turn of the control when it ran fastest, since `since_ns` and in
                                 the memory before; 0: it did not run */
    uint64_t since_ns;        /* CLOCK_MONOTONIC */
    uint64_t waited_ns;       /* in all */
};

/* Remember what the control took at `now_ns`. Is that about as fast as it lately ran? */
bool vt_quiet_note(struct vt_quiet *quiet, uint64_t now_ns, double cycles);

/*
 * Wait until the control runs as fast as it lately did, at the longest to `until_ns`
 * (CLOCK_MONOTONIC) and not once *stop is set. Returns whether it is quiet.
 */
bool vt_quiet_wait(struct vt_quiet *quiet, uint64_t until_ns, const volatile int *stop);

/* Does the control run as fast as it lately did, now? */
bool vt_quiet_now(struct vt_quiet *quiet);

#endif
