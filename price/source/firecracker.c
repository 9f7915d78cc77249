/*
 * The file that Firecracker writes its metrics to (--metrics-path): an object a line, each minute, of what
 * was counted since the line before (Firecracker, docs/metrics.md). It counts what its vCPU threads answer,
 * not what the kernel does.
 */
#include "base/memory.h"
#include "price/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line has some 10 KiB, with a hundred devices 100. */
enum { CHUNK = 1 << 16, LONGEST = 4 << 20 };

struct state {
    int fd;
    const char *path; /* the caller's */
    char *bytes;      /* of a line that is not whole yet; owned */
    size_t size;
    size_t lines;
    double at; /* of the last line */
    struct vt_price_counts sum;
};

/* What it counts, by KVM's names: each has returned from KVM_RUN. */
static const struct {
    const char *metric, *counters[2];
} metrics[] = {
    {"exit_io_in", {"fpu_reload"}},
    {"exit_io_out", {"fpu_reload"}},
    {"exit_mmio_read", {"fpu_reload", "mmio_exits"}},
    {"exit_mmio_write", {"fpu_reload", "mmio_exits"}},
};

static bool suits(const struct vt_price_target *target)
{
    return target->metrics != NULL;
}

static int fail(const struct state *state, int number, const char *what, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s: %s", state->path, what);
}

/* Who reads from a pipe takes it from whoever it is for. */
static int open_regular(struct state *state, struct vt_error *error)
{
    struct stat found = {.st_mode = S_IFREG};
    state->fd = -1;
    if (stat(state->path, &found) == 0 && S_ISREG(found.st_mode))
        state->fd = open(state->path, O_RDONLY | O_CLOEXEC);
    if (state->fd >= 0)
        return 0;
    return S_ISREG(found.st_mode) ? fail(state, errno, strerror(errno), error)
                                  : fail(state, EINVAL,
                                         "no file, and reading from a pipe would take from who reads it: let "
                                         "Firecracker write to a file",
                                         error);
}

static int open_file(void **result, const struct vt_price_target *target, char *machine, size_t size,
                     struct vt_price_threads *threads, struct vt_error *error)
{
    struct state *state = calloc(1, sizeof *state);
    (void)threads;
    if (!state)
        return vt_error_memory(error, "Firecracker's metrics");
    state->path = target->metrics;
    state->at = NAN;
    int status = open_regular(state, error);
    if (status != 0) {
        free(state);
        return status;
    }
    snprintf(machine, size, "%s", target->metrics);
    *result = state;
    return 0;
}

static bool take_metric(struct state *state, const json_t *vcpu, size_t i)
{
    const json_t *value = json_object_get(vcpu, metrics[i].metric);
    if (!json_is_number(value))
        return false;
    for (size_t k = 0; k < 2 && metrics[i].counters[k]; k++)
        if (!vt_price_count_add(&state->sum, metrics[i].counters[k], json_number_value(value)))
            return false;
    return true;
}

static int take_line(struct state *state, const char *line, size_t length, struct vt_error *error)
{
    json_error_t wrong;
    json_t *object = json_loadb(line, length, JSON_DECODE_INT_AS_REAL, &wrong);
    const json_t *vcpu = json_object_get(object, "vcpu"), *at = json_object_get(object, "utc_timestamp_ms");
    bool taken = json_is_number(at);
    state->lines++;
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        taken = taken && take_metric(state, vcpu, i);
    if (taken)
        state->at = json_number_value(at) / 1000;
    json_decref(object);
    return taken ? 0
                 : vt_error_set(
                       error, VT_EXIT_ENVIRONMENT, EPROTO, "%s:%zu: no line of Firecracker's metrics: %s",
                       state->path, state->lines,
                       object ? "it wants \"utc_timestamp_ms\" and \"vcpu\" with exit_io_in, exit_io_out, "
                                "exit_mmio_read and exit_mmio_write"
                              : wrong.text);
}

/* What has no end yet is still being written. */
static int take_lines(struct state *state, struct vt_error *error)
{
    char *line = state->bytes, *end, *limit = state->bytes + state->size;
    int status = 0;
    while (status == 0 && line < limit && (end = memchr(line, '\n', (size_t)(limit - line)))) {
        status = take_line(state, line, (size_t)(end - line), error);
        line = end + 1;
    }
    state->size = (size_t)(limit - line);
    if (state->size)
        memmove(state->bytes, line, state->size);
    return status == 0 && state->size > LONGEST
               ? fail(state, EMSGSIZE, "a line is longer than Firecracker's are", error)
               : status;
}

static int read_file(void *context, struct vt_price_said *said, struct vt_error *error)
{
    struct state *state = context;
    for (;;) {
        char *grown = vt_memory_grow(state->bytes, state->size, CHUNK, 1);
        if (!grown)
            return vt_error_memory(error, "Firecracker's metrics");
        state->bytes = grown;
        ssize_t length = read(state->fd, state->bytes + state->size, CHUNK);
        if (length < 0)
            return fail(state, errno, strerror(errno), error);
        if (length == 0)
            break;
        state->size += (size_t)length;
        int status = take_lines(state, error);
        if (status != 0)
            return status;
    }
    if (isnan(state->at))
        return fail(state, ENODATA, "no metrics yet: Firecracker writes them each minute", error);
    said->counts = state->sum;
    said->at = state->at;
    return 0;
}

static void close_file(void *context)
{
    struct state *state = context;
    close(state->fd);
    free(state->bytes);
    free(state);
}

const struct vt_price_source vt_price_source_firecracker = {
    .name = "firecracker",
    .needs = "the file that --metrics-path of Firecracker names, and two lines of it within --seconds",
    .costs = "nothing: a file is read",
    .suits = suits,
    .open = open_file,
    .read = read_file,
    .close = close_file,
};
