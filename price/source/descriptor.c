/*
 * The statistics descriptors that a virtual machine monitor keeps open: one of them is duplicated and read.
 * KVM lets whoever holds one read it (kvm_main.c, kvm_vcpu_stats_read); a vCPU's own descriptor it does not.
 */
#include "base/memory.h"
#include "price/source/source.h"
#include "vmm/stats.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct state {
    int process; /* a pidfd */
    int *list;   /* ours */
    size_t count;
    pid_t pid;
};

static bool suits(const struct vt_price_target *target)
{
    return target->process > 0;
}

static void close_all(void *context)
{
    struct state *state = context;
    for (size_t i = 0; i < state->count; i++)
        close(state->list[i]);
    if (state->process >= 0)
        close(state->process);
    free(state->list);
    free(state);
}

/* "anon_inode:kvm-vcpu-stats:0" */
static bool is_statistics(int folder, const char *name)
{
    static const char wanted[] = "anon_inode:kvm-vcpu-stats";
    char link[PATH_MAX];
    ssize_t length = readlinkat(folder, name, link, sizeof link - 1);
    return length >= (ssize_t)sizeof wanted - 1 && strncmp(link, wanted, sizeof wanted - 1) == 0;
}

static int fail(const struct vt_price_target *target, int number, const char *what, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "process %d %s", (int)target->process, what);
}

static int duplicate(struct state *state, int number)
{
    int fd = (int)syscall(SYS_pidfd_getfd, state->process, number, 0);
    if (fd < 0)
        return -errno;
    int *slot = vt_memory_append(state->list, state->count);
    if (!slot) {
        close(fd);
        return -ENOMEM;
    }
    *slot = fd;
    return 0;
}

static int duplicate_all(struct state *state, const struct vt_price_target *target, struct vt_error *error)
{
    char path[64];
    int status = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)target->process);
    DIR *folder = opendir(path);
    if (!folder)
        return fail(target, errno,
                    errno == ENOENT ? "has ended" : "does not show its descriptors: be its user, or root",
                    error);
    for (const struct dirent *entry; status == 0 && (entry = readdir(folder));)
        if (state->count < VT_PRICE_VCPUS && is_statistics(dirfd(folder), entry->d_name))
            status = duplicate(state, (int)strtol(entry->d_name, NULL, 10));
    closedir(folder);
    if (status == -ENOMEM)
        return vt_error_memory(error, "descriptors");
    if (status != 0)
        return fail(target, -status, "does not let its descriptors be duplicated (ptrace(2), access mode)",
                    error);
    return state->count
               ? 0
               : fail(target, ENODATA, "keeps no statistics descriptor open (QEMU does from 8.1 on)", error);
}

static int open_descriptors(void **result, const struct vt_price_target *target, char *machine, size_t size,
                            struct vt_price_threads *threads, struct vt_error *error)
{
    struct state *state = calloc(1, sizeof *state);
    (void)threads;
    if (!state)
        return vt_error_memory(error, "descriptors");
    state->pid = target->process;
    state->process = (int)syscall(SYS_pidfd_open, target->process, 0);
    int status = state->process < 0 ? fail(target, errno, strerror(errno), error)
                                    : duplicate_all(state, target, error);
    if (status != 0) {
        close_all(state);
        return status;
    }
    snprintf(machine, size, "process %d", (int)target->process);
    *result = state;
    return 0;
}

/* A descriptor holds its machine: it can be read after the process that ran it has ended. */
static int read_descriptors(void *context, struct vt_price_said *said, struct vt_error *error)
{
    struct vt_price_counts *counts = &said->counts;
    struct state *state = context;
    if (syscall(SYS_pidfd_send_signal, state->process, 0, NULL, 0) != 0 && errno == ESRCH)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ESRCH, "process %d has ended", (int)state->pid);
    for (size_t i = 0; i < state->count; i++) {
        int status = vt_stats_each(state->list[i], vt_price_count_take, counts, error);
        if (status != 0)
            return status;
    }
    return 0;
}

const struct vt_price_source vt_price_source_descriptor = {
    .name = "descriptor",
    .needs =
        "a process that keeps KVM's statistics open (QEMU from 8.1 on, vmtoll), and its user's rights or "
        "root's",
    .costs = "nothing: the vCPU runs on",
    .suits = suits,
    .open = open_descriptors,
    .read = read_descriptors,
    .close = close_all,
};
