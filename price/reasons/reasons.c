#include "price/reasons/reasons.h"
#include "base/file.h"
#include "base/memory.h"
#include "price/reasons/events.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct vt_price_reasons {
    const struct vt_price_event *events;
    size_t event_count;
    int *list; /* of each thread, its events; owned */
    size_t count;
};

/* Documentation/trace/ftrace.rst: the second is where it was before Linux 4.1. */
static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

static const char *find_tracefs(void)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/events", places[i]);
        if (access(path, F_OK) == 0 || errno == EACCES)
            return places[i];
    }
    return places[0];
}

static int fail(int number, const char *what, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "exits by reason: %s", what);
}

static int fail_folder(const char *tracefs, int number, struct vt_error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/events", tracefs);
    if (number == ENOENT && access(path, F_OK) != 0 && errno == ENOENT)
        return fail(number, "tracefs is not mounted: mount -t tracefs none /sys/kernel/tracing", error);
    if (number == ENOENT)
        return fail(number,
                    "this kernel has no such tracepoint of KVM: kvm is not loaded, or built without them",
                    error);
    if (number == EPERM)
        return fail(number, "tracefs is closed: the kernel is locked down (kernel_lockdown(7))", error);
    return fail(number, number == EACCES ? "tracefs is root's" : strerror(number), error);
}

static int read_id(const char *tracefs, const char *tracepoint, uint64_t *id, struct vt_error *error)
{
    char path[PATH_MAX], *text;
    size_t size;
    struct vt_error why;
    snprintf(path, sizeof path, "%s/events/kvm/%s/id", tracefs, tracepoint);
    int status = vt_file_read(path, 4096, &text, &size, &why);
    if (status != 0)
        return fail_folder(tracefs, -status, error);
    char *end;
    *id = strtoull(text, &end, 10);
    bool read = end != text && *id > 0;
    free(text);
    return read ? 0 : fail(EPROTO, "a tracepoint has no number", error);
}

static int fail_event(int number, struct vt_error *error)
{
    switch (number) {
    case EACCES:
    case EPERM:
        return fail(
            number,
            "counting another's exits takes CAP_PERFMON (or root), and a kernel that is not locked down",
            error);
    case EMFILE:
        return fail(number, "too many descriptors: it takes some twenty a vCPU (ulimit -n)", error);
    case ENOSYS:
        return fail(number, "this kernel is built without perf events (CONFIG_PERF_EVENTS)", error);
    case ESRCH:
        return fail(number, "a vCPU's thread has ended", error);
    default:
        return fail(number, strerror(number), error);
    }
}

/* A descriptor, or a negative errno. */
static int open_event(uint64_t id, pid_t thread, const char *filter)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_TRACEPOINT, .size = sizeof attributes, .config = id, .disabled = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if ((!filter || ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) == 0) &&
        ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
        return fd;
    int number = errno;
    close(fd);
    return -number;
}

static int open_on(struct vt_price_reasons *reasons, const uint64_t *ids, pid_t thread,
                   struct vt_error *error)
{
    for (size_t i = 0; i < reasons->event_count; i++) {
        int fd = open_event(ids[i], thread, reasons->events[i].filter);
        if (fd < 0)
            return fail_event(-fd, error);
        int *slot = vt_memory_append(reasons->list, reasons->count);
        if (!slot) {
            close(fd);
            return vt_error_memory(error, "events");
        }
        *slot = fd;
    }
    return 0;
}

static int open_all(struct vt_price_reasons *reasons, const char *tracefs, const pid_t *threads, size_t count,
                    struct vt_error *error)
{
    uint64_t ids[VT_PRICE_EVENTS] = {0};
    int status = 0;
    for (size_t i = 0; status == 0 && i < reasons->event_count; i++)
        status = read_id(tracefs, reasons->events[i].tracepoint, &ids[i], error);
    for (size_t i = 0; status == 0 && i < count; i++)
        status = open_on(reasons, ids, threads[i], error);
    return status;
}

int vt_price_reasons_open(struct vt_price_reasons **reasons, const char *tracefs, const pid_t *threads,
                          size_t count, struct vt_error *error)
{
    *reasons = calloc(1, sizeof **reasons);
    if (!*reasons)
        return vt_error_memory(error, "events");
    (*reasons)->events = vt_price_events(vt_vmm_backend(), &(*reasons)->event_count);
    int status = open_all(*reasons, tracefs ? tracefs : find_tracefs(), threads, count, error);
    if (status != 0) {
        vt_price_reasons_close(*reasons);
        *reasons = NULL;
    }
    return status;
}

static bool is_open(const struct vt_price_reasons *reasons, size_t event)
{
    return event < reasons->count && reasons->list[event] >= 0;
}

uint32_t vt_price_reasons_open_set(const struct vt_price_reasons *reasons)
{
    uint32_t set = 0;
    for (size_t i = 0; i < reasons->event_count; i++)
        set |= is_open(reasons, i) ? UINT32_C(1) << i : 0;
    return set;
}

static int read_event(const struct vt_price_reasons *reasons, size_t event, double *sum,
                      struct vt_error *error)
{
    *sum = 0;
    for (size_t k = event; k < reasons->count; k += reasons->event_count) {
        uint64_t value;
        if (read(reasons->list[k], &value, sizeof value) != (ssize_t)sizeof value)
            return fail(errno, "an event cannot be read: the vCPU's thread has ended", error);
        *sum += (double)value;
    }
    return 0;
}

int vt_price_reasons_read(const struct vt_price_reasons *reasons, struct vt_price_counts *counts,
                          struct vt_error *error)
{
    for (size_t i = 0; i < reasons->event_count; i++) {
        double sum;
        if (!is_open(reasons, i))
            continue;
        int status = read_event(reasons, i, &sum, error);
        if (status != 0)
            return status;
        if (!vt_price_count_set(counts, reasons->events[i].counter, sum))
            return fail(ENOSPC, "the source tells more counters than KVM has", error);
    }
    return 0;
}

void vt_price_reasons_keep(struct vt_price_reasons *reasons, uint32_t set)
{
    for (size_t i = 0; i < reasons->count; i++) {
        if (reasons->list[i] < 0 || (set >> (i % reasons->event_count) & 1))
            continue;
        close(reasons->list[i]);
        reasons->list[i] = -1;
    }
}

int vt_price_reasons_trim(struct vt_price_reasons *reasons, struct vt_error *error)
{
    uint32_t set = 0;
    bool counted = false;
    for (size_t i = 0; i < reasons->event_count; i++) {
        double sum = 0;
        int status = is_open(reasons, i) ? read_event(reasons, i, &sum, error) : 0;
        if (status != 0)
            return status;
        counted |= sum > 0;
        set |= sum > 0 || reasons->events[i].kept ? UINT32_C(1) << i : 0;
    }
    if (counted)
        vt_price_reasons_keep(reasons, set);
    return 0;
}

void vt_price_reasons_close(struct vt_price_reasons *reasons)
{
    if (reasons)
        vt_price_reasons_keep(reasons, 0);
    if (reasons)
        free(reasons->list);
    free(reasons);
}
