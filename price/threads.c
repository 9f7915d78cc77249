#include "price/threads.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How QEMU (with -name debug-threads=on, as libvirt starts it), Firecracker, Cloud Hypervisor and crosvm call
 * them. */
static const char *const names[] = {"CPU ", "fc_vcpu", "vcpu", "crosvm_vcpu"};

enum { BEGAN = 22, GUEST = 43 }; /* fields of proc(5), /proc/PID/stat */

static bool read_text(const char *root, pid_t process, pid_t thread, const char *file, char *text,
                      size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%d/task/%d/%s", root, (int)process, (int)thread, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* A field from the 3rd on: a name in brackets, of whatever characters, stands before. */
static bool read_field(const char *root, pid_t process, pid_t thread, int field, unsigned long long *value)
{
    char text[2048];
    if (!read_text(root, process, thread, "stat", text, sizeof text))
        return false;
    const char *at = strrchr(text, ')');
    for (int i = 2; at && i < field; i++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, "%llu", value) == 1;
}

/* The kernel's own, which it counts among the threads of a process it works for (kvm_main.c, vhost_task.c).
 */
static const char *const kernels[] = {"kvm-", "vhost-"};

static bool is_called(const char *root, pid_t process, pid_t thread, const char *const *list, size_t count)
{
    char name[32];
    if (!read_text(root, process, thread, "comm", name, sizeof name))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strncmp(name, list[i], strlen(list[i])) == 0)
            return true;
    return false;
}

static bool runs_vcpu_by_name(const char *root, pid_t process, pid_t thread)
{
    return is_called(root, process, thread, names, sizeof names / sizeof names[0]);
}

static bool ran_guest(const char *root, pid_t process, pid_t thread)
{
    unsigned long long guest;
    return read_field(root, process, thread, GUEST, &guest) && guest > 0;
}

static bool is_its_own(const char *root, pid_t process, pid_t thread)
{
    return !is_called(root, process, thread, kernels, sizeof kernels / sizeof kernels[0]);
}

typedef bool chooser(const char *root, pid_t process, pid_t thread);

/* How many were collected, or -ENOMEM. */
static int collect(const char *root, chooser *chosen, struct vt_price_threads *threads)
{
    char path[256];
    bool lost = false;
    snprintf(path, sizeof path, "%s/%d/task", root, (int)threads->process);
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (const struct dirent *entry; !lost && (entry = readdir(folder)) && threads->count < VT_PRICE_VCPUS;) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0 || !chosen(root, threads->process, thread))
            continue;
        pid_t *slot = vt_memory_append(threads->list, threads->count);
        lost = !slot;
        if (slot)
            *slot = thread;
    }
    closedir(folder);
    return lost ? -ENOMEM : (int)threads->count;
}

int vt_price_threads_find(const char *root, pid_t process, bool lone, struct vt_price_threads *threads)
{
    static chooser *const ways[] = {runs_vcpu_by_name, ran_guest};
    int found = 0;
    *threads = (struct vt_price_threads){.process = process};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && found == 0; i++)
        found = collect(root, ways[i], threads);
    if (found == 0 && lone && collect(root, is_its_own, threads) == 1)
        found = 1;
    if (found <= 0)
        vt_price_threads_release(threads);
    return found > 0 ? 0 : found < 0 ? found : -ESRCH;
}

bool vt_price_threads_are_there(const char *root, const struct vt_price_threads *threads)
{
    char text[8];
    for (size_t i = 0; i < threads->count; i++)
        if (!read_text(root, threads->process, threads->list[i], "comm", text, sizeof text))
            return false;
    return threads->count > 0;
}

static bool add(const char *root, pid_t process, pid_t thread, struct vt_price_times *times)
{
    char text[128];
    unsigned long long run, wait, guest;
    if (!read_text(root, process, thread, "schedstat", text, sizeof text) ||
        sscanf(text, "%llu %llu", &run, &wait) != 2 || !read_field(root, process, thread, GUEST, &guest))
        return false;
    times->run += (double)run;
    times->wait += (double)wait;
    times->guest += (double)guest * (1e9 / (double)sysconf(_SC_CLK_TCK));
    return true;
}

bool vt_price_threads_read(const char *root, const struct vt_price_threads *threads,
                           struct vt_price_times *times)
{
    *times = (struct vt_price_times){0};
    for (size_t i = 0; i < threads->count; i++)
        if (!add(root, threads->process, threads->list[i], times))
            return false;
    return threads->count > 0;
}

unsigned long long vt_price_threads_began(const char *root, pid_t process)
{
    char text[2048];
    unsigned long long began = 0;
    /* Of one that has ended and that nobody asked for yet, the number stays ("Z"). */
    const char *name =
        read_text(root, process, process, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    if (!name || strncmp(name, ") Z", 3) == 0)
        return 0;
    return read_field(root, process, process, BEGAN, &began) ? began : 0;
}

void vt_price_threads_release(struct vt_price_threads *threads)
{
    free(threads->list);
    threads->list = NULL;
    threads->count = 0;
}
