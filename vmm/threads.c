#include "vmm/threads.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

/* False where the file holds no number: "max" is one. */
static bool read_number(const char *mount, const char *cgroup, const char *name, unsigned long *value)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s/%s", mount, cgroup, name);
    FILE *file = fopen(path, "re");
    bool read = file && fscanf(file, "%lu", value) == 1;
    if (file)
        fclose(file);
    return read;
}

bool vt_vmm_full_cgroup(const char *mount, const char *cgroup, char *full, size_t size, unsigned long *most)
{
    char at[PATH_MAX];
    snprintf(at, sizeof at, "%s", strcmp(cgroup, "/") == 0 ? "" : cgroup);
    for (;;) {
        unsigned long used;
        if (read_number(mount, at, "pids.max", most) && read_number(mount, at, "pids.current", &used) &&
            used >= *most) {
            snprintf(full, size, "%s", *at ? at : "/");
            return true;
        }
        char *slash = strrchr(at, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
}

/* This process's cgroup in the hierarchy that counts tasks: "5:pids:/a/b" (v1) or "0::/a/b" (cgroups(7)). */
static bool is_full(char *full, size_t size, unsigned long *most)
{
    char line[PATH_MAX];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        if (strcmp(controllers, ":pids") == 0)
            found = vt_vmm_full_cgroup("/sys/fs/cgroup/pids", path, full, size, most);
        else if (strcmp(controllers, ":") == 0)
            found = vt_vmm_full_cgroup("/sys/fs/cgroup", path, full, size, most);
    }
    if (file)
        fclose(file);
    return found;
}

void vt_vmm_explain_threads(char *limit, size_t limit_size, char *fix, size_t fix_size)
{
    char full[192];
    unsigned long most;
    struct rlimit tasks = {.rlim_cur = RLIM_INFINITY};
    int policy = sched_getscheduler(0);

    getrlimit(RLIMIT_NPROC, &tasks);
    if (policy >= 0 && (policy & ~SCHED_RESET_ON_FORK) == SCHED_DEADLINE && !(policy & SCHED_RESET_ON_FORK)) {
        snprintf(limit, limit_size, "it is scheduled as SCHED_DEADLINE without reset-on-fork");
        snprintf(fix, fix_size, "start it with reset-on-fork: chrt --reset-on-fork --deadline ...");
    } else if (is_full(full, sizeof full, &most)) {
        snprintf(limit, limit_size, "the cgroup %s has all tasks it may have (pids.max is %lu)", full, most);
        snprintf(fix, fix_size, "raise pids.max there (a service: TasksMax=, a container: --pids-limit)");
    } else if (geteuid() != 0 && tasks.rlim_cur != RLIM_INFINITY) {
        snprintf(limit, limit_size, "its user may have %llu tasks (ulimit -u)",
                 (unsigned long long)tasks.rlim_cur);
        snprintf(fix, fix_size, "end other programs of this user, or raise the limit: ulimit -u");
    } else {
        snprintf(limit, limit_size, "a limit on tasks is reached");
        snprintf(fix, fix_size,
                 "look at pids.max of its cgroup and those above it, at ulimit -u, and at the sysctls "
                 "kernel.threads-max and kernel.pid_max");
    }
}
