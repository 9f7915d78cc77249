/*
 * A monitor that says what it is told to, as QEMU's would: lines of a script, the first as the greeting, each
 * other as the answer to one question. The socket closes behind the last.
 */
#ifndef VT_TESTS_PRICE_MONITOR_H
#define VT_TESTS_PRICE_MONITOR_H

#include <stddef.h>
#include <sys/types.h>

/* In a child process; it listens at `path` when this returns. */
pid_t monitor_start(const char *path, const char *const *lines, size_t count);

/* The questions it was asked, one after the other; ends it. */
void monitor_end(pid_t monitor);

/* The lines of a recording in tests/data/price; count receives how many. They live as long as the test. */
const char *const *monitor_recorded(const char *name, size_t *count);

#endif
