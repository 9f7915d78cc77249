/*
 * Why the kernel may not start a thread for this process: KVM starts one of its
 * own with the first KVM_RUN (Linux 6.13), and what stops a fork stops that.
 */
#ifndef VT_VMM_THREADS_H
#define VT_VMM_THREADS_H

#include <stdbool.h>
#include <stddef.h>

/* Which limit it is, as the end of a sentence, and what to do about it. */
void vt_vmm_explain_threads(char *limit, size_t limit_size, char *fix, size_t fix_size);

/*
 * The innermost cgroup on the way up from `cgroup`, below `mount`, whose pids.max is reached; false: none is,
 * or none can be read. For tests: both are folders.
 */
bool vt_vmm_full_cgroup(const char *mount, const char *cgroup, char *full, size_t size, unsigned long *most);

#endif
