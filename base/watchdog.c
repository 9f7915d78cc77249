#include "base/watchdog.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REPEAT_NS 5000000

static void handle(int number, siginfo_t *info, void *ucontext)
{
    int saved = errno;
    struct vt_watchdog *watchdog = info->si_value.sival_ptr;
    (void)number;
    if (info->si_code == SI_TIMER && watchdog) {
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
        .it_interval = {.tv_nsec = limit_ns ? REPEAT_NS : 0                                        },
    };
    timer_settime(watchdog->timer, 0, &limit, NULL);
    watchdog->fired = 0;
}

void vt_watchdog_close(struct vt_watchdog *watchdog)
{
    timer_delete(watchdog->timer);
    sigaction(SIGRTMIN, &watchdog->previous, NULL);
}
