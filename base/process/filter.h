/*
 * seccomp(2): the system calls that a process which reads files and writes an answer needs, and no others.
 * The filter is made here and not by libseccomp, which asks for memory some 1500 times and crashes where
 * there is none.
 */
#ifndef VT_BASE_PROCESS_FILTER_H
#define VT_BASE_PROCESS_FILTER_H

#include <stdbool.h>

/*
 * For the rest of this process and what it forks: files, memory, threads. What is not allowed looks as if the
 * kernel lacked it (ENOSYS): libraries then take the older way (clone3 to clone). Wants no_new_privs. Asks
 * for no memory. False where this kernel or this build has no filters.
 */
bool vt_filter_calls(void);

#endif
