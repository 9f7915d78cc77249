#include "base/process/watchdog.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REPEAT_NS 5000000

/* How often a thread that uses no CPU is looked at before it counts as stuck, and at most (a second). */
#define PATIENCE      9
#define PATIENCE_MOST (1000000000 / REPEAT_NS)

static uint64_t cpu_time(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * A thread that was kept from the CPU has not had its time yet. One that sleeps uses
 * none: it is given several times the limit, counted in signals, because those of a
 * thread that waits for the CPU merge into one.
 */
static bool is_over(struct vt_watchdog *watchdog)
{
    uint64_t patience = PATIENCE * watchdog->limit_ns / REPEAT_NS;
    if (patience > PATIENCE_MOST)
        patience = PATIENCE_MOST;
    return watchdog->looks++ >= patience || cpu_time() - watchdog->cpu_ns >= watchdog->limit_ns;
}

static void handle(int number, siginfo_t *info, void *ucontext)
{
    int saved = errno;
    struct vt_watchdog *watchdog = info->si_value.sival_ptr;
    (void)number;
    if (info->si_code == SI_TIMER && watchdog && (watchdog->fired || is_over(watchdog))) {
        watchdog->fired = 1;
        if (watchdog->kick)
            *watchdog->kick = 1;
        if (watchdog->expired)
            watchdog->expired(watchdog->context, info, ucontext);
    }
    errno = saved;
}

int vt_watchdog_open(struct vt_watchdog *watchdog, struct vt_error *error)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};

    watchdog->fired = 0;
    sigemptyset(&action.sa_mask);
    event.sigev_value.sival_ptr = watchdog;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (sigaction(SIGRTMIN, &action, &watchdog->previous) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, errno,
                            "cannot install the watchdog's signal handler: %s", strerror(errno));
    if (timer_create(CLOCK_MONOTONIC, &event, &watchdog->timer) != 0) {
        int number = errno;
        sigaction(SIGRTMIN, &watchdog->previous, NULL);
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, number,
                            "cannot create the watchdog's timer: %s (see ulimit -i)", strerror(number));
    }
    return 0;
}

void vt_watchdog_arm(struct vt_watchdog *watchdog, uint64_t limit_ns)
{
    struct itimerspec limit = {
        .it_value = {.tv_sec = (time_t)(limit_ns / 1000000000), .tv_nsec = (long)(limit_ns % 1000000000)},
        .it_interval = {.tv_nsec = REPEAT_NS},
    };
    timer_settime(watchdog->timer, 0, &limit, NULL);
    watchdog->limit_ns = limit_ns;
    watchdog->cpu_ns = limit_ns ? cpu_time() : 0;
    watchdog->looks = 0;
    watchdog->fired = 0;
}

void vt_watchdog_close(struct vt_watchdog *watchdog)
{
    timer_delete(watchdog->timer);
    sigaction(SIGRTMIN, &watchdog->previous, NULL);
}
