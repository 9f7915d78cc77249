/*
 * What a machine's vCPU threads spent, as the host's kernel keeps it under /proc.
 */
#ifndef VT_PRICE_THREADS_H
#define VT_PRICE_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { VT_PRICE_VCPUS = 4096 };

/* The threads of one process that run vCPUs. */
struct vt_price_threads {
    pid_t process;
    pid_t *list; /* owned */
    size_t count;
};

/* Sums over threads, in nanoseconds, since each began. */
struct vt_price_times {
    double run;   /* on a CPU (schedstat(5): sched-stats.rst, /proc/PID/schedstat) */
    double wait;  /* runnable, without a CPU */
    double guest; /* in the guest, as the kernel samples it (proc(5), guest_time) */
};

/*
 * The vCPU threads of a process, found by the names that virtual machine monitors give them, by guest time,
 * or, where `lone`, because there is but one thread. Returns 0; -ESRCH: none can be told from the others, or
 * the process is not ours to see (threads->process stays all the same); -ENOMEM. `root` is "/proc".
 */
int vt_price_threads_find(const char *root, pid_t process, bool lone, struct vt_price_threads *threads);

/* Are all of `threads` threads of their process? */
bool vt_price_threads_are_there(const char *root, const struct vt_price_threads *threads);

/* False: one has ended, or cannot be read. */
bool vt_price_threads_read(const char *root, const struct vt_price_threads *threads,
                           struct vt_price_times *times);

/* When the process began, in clock ticks since boot: another process of that number began at another time. 0:
 * there is none. */
unsigned long long vt_price_threads_began(const char *root, pid_t process);

void vt_price_threads_release(struct vt_price_threads *threads);

#endif
