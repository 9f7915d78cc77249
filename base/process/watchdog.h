/*
 * A time limit around code that may never return: guest code, translated code,
 * KVM_RUN. When it expires the calling thread receives a signal; the handler
 * writes the flags given here, and from then on the signal repeats until
 * disarmed, so that a blocking call entered a moment too late is interrupted too.
 *
 * The limit is CPU time of the thread: on a busy machine code that waits for its turn
 * has not failed to return. What sleeps is ended after ten times the limit, or a
 * second more than it; signals before that may interrupt a blocking call with
 * `fired` still 0: enter it again.
 */
#ifndef VT_BASE_PROCESS_WATCHDOG_H
#define VT_BASE_PROCESS_WATCHDOG_H

#include "base/error.h"

#include <signal.h>
#include <stdint.h>
#include <time.h>

struct vt_watchdog {
    timer_t timer;
    volatile sig_atomic_t fired; /* 1 once the limit was reached since the last arm */
    volatile uint8_t *kick;      /* set to 1 on expiry when not NULL (kvm_run.immediate_exit) */
    void (*expired)(void *context, siginfo_t *info, void *ucontext); /* called in the handler when not NULL */
    void *context;
    struct sigaction previous;
    uint64_t limit_ns, cpu_ns; /* of the last arm: the limit, and the thread's CPU time then */
    uint64_t looks;            /* signals since then that found the limit not reached */
};

/* For the calling thread. `watchdog` starts zeroed or with kick, expired and context set, and stays at its
 * address. */
int vt_watchdog_open(struct vt_watchdog *watchdog, struct vt_error *error);

/* (Re)start with a limit in nanoseconds of CPU time; 0 disarms. */
void vt_watchdog_arm(struct vt_watchdog *watchdog, uint64_t limit_ns);

void vt_watchdog_close(struct vt_watchdog *watchdog);

#endif
