/*
 * Threads that work for another one: signals meant for the process go to the thread
 * that waits for them, never to these.
 */
#ifndef VT_BASE_PROCESS_THREAD_H
#define VT_BASE_PROCESS_THREAD_H

#include <pthread.h>

/* As pthread_create, with every signal blocked but SIGRTMIN, which ends what the thread waits in
 * (base/process/watchdog.h). 0 or an errno. */
int vt_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
