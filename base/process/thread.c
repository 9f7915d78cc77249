#include "base/process/thread.h"

#include <signal.h>

int vt_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    sigset_t blocked, before;

    sigfillset(&blocked);
    sigdelset(&blocked, SIGRTMIN);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int number = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}
