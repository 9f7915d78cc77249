/* The folder that KVM keeps for a machine in debugfs: PID-FD, the process as the first PID namespace has it.
 */
#include "price/source/source.h"
#include "vmm/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/sys/kernel/debug/kvm"

struct state {
    char folder[sizeof FOLDER + NAME_MAX + 1];
};

static bool suits(const struct vt_price_target *target)
{
    return target->process > 0;
}

static bool is_of(const char *name, pid_t process)
{
    char prefix[32];
    int length = snprintf(prefix, sizeof prefix, "%d-", (int)process);
    return strncmp(name, prefix, (size_t)length) == 0;
}

static int fail(int number, const char *what, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s", what);
}

/* One machine, or none: a process may have several, which are not to be added. */
static int find(struct state *state, pid_t process, struct vt_error *error)
{
    size_t found = 0;
    if (!vt_stats_has_folder_names())
        return fail(
            ENOTSUP,
            "debugfs names machines by the host's process numbers, which are others in this container",
            error);
    DIR *folder = opendir(FOLDER);
    if (!folder)
        return fail(errno,
                    errno == EACCES   ? FOLDER " is root's"
                    : errno == EPERM  ? FOLDER " is closed: the kernel is locked down"
                    : errno == ENOENT ? "no " FOLDER ": mount -t debugfs none /sys/kernel/debug"
                                      : FOLDER " cannot be read",
                    error);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (is_of(entry->d_name, process)) {
            snprintf(state->folder, sizeof state->folder, FOLDER "/%s", entry->d_name);
            found++;
        }
    closedir(folder);
    if (found == 1)
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, found ? EMLINK : ENODATA,
                        found ? "process %d has several machines in " FOLDER
                              : "process %d has no machine in " FOLDER,
                        (int)process);
}

static int open_folder(void **result, const struct vt_price_target *target, char *machine, size_t size,
                       struct vt_price_threads *threads, struct vt_error *error)
{
    struct state *state = calloc(1, sizeof *state);
    (void)threads;
    if (!state)
        return vt_error_memory(error, "a name");
    int status = find(state, target->process, error);
    if (status != 0) {
        free(state);
        return status;
    }
    snprintf(machine, size, "process %d", (int)target->process);
    *result = state;
    return 0;
}

/* A kernel that is locked down shows the folder and no file of it. */
static int fail_counters(const struct state *state, struct vt_error *error)
{
    char path[sizeof state->folder + sizeof "/exits"];
    snprintf(path, sizeof path, "%s/exits", state->folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC), number = errno;
    if (fd >= 0)
        close(fd);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENODATA, "%s has no counter: %s", state->folder,
                        fd < 0 && number == EPERM    ? "the kernel is locked down (kernel_lockdown(7))"
                        : fd < 0 && number == ENOENT ? "the machine has ended"
                                                     : "this kernel keeps none there");
}

static int read_folder(void *context, struct vt_price_said *said, struct vt_error *error)
{
    struct vt_price_counts *counts = &said->counts;
    const struct state *state = context;
    int status = vt_stats_each_file(state->folder, vt_price_count_take, counts, error);
    if (status == 0 && isnan(vt_price_count_of(counts, "exits")))
        return fail_counters(state, error);
    return status;
}

const struct vt_price_source vt_price_source_debugfs = {
    .name = "debugfs",
    .needs = "root, debugfs mounted at /sys/kernel/debug, and a kernel that is not locked down",
    .costs = "nothing: the vCPU runs on",
    .suits = suits,
    .open = open_folder,
    .read = read_folder,
    .close = free,
};
