/* What sources of `price` say: QEMU's monitor, Firecracker's file, virsh; the first byte tells which. */
#include "price/source/qmp.h"
#include "price/source/source.h"
#include "price/source/virsh.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is counted has a name, and is a count. */
static void check(const struct vt_price_said *said)
{
    for (size_t i = 0; i < said->counts.count; i++)
        if (!(said->counts.list[i].value >= 0) || !memchr(said->counts.list[i].name, '\0', VT_PRICE_NAME))
            __builtin_trap();
}

static void feed_qmp(const uint8_t *data, size_t size)
{
    int ends[2];
    struct vt_qmp qmp;
    struct vt_error error;
    struct vt_price_said said = {.at = NAN};
    if (size > 100000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    /* All answers are there at once, and questions are heard by nobody. */
    if (write(ends[1], data, size) == (ssize_t)size && shutdown(ends[1], SHUT_WR) == 0 &&
        vt_qmp_open_on(&qmp, ends[0], "socket", 50, &error) == 0) {
        if (vt_price_source_qmp.read(&qmp, &said, &error) == 0)
            check(&said);
        vt_qmp_close(&qmp);
    }
    close(ends[1]);
}

static int make_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("said", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void feed_metrics(int fd)
{
    char path[64], machine[128];
    struct vt_price_threads threads = {0};
    struct vt_price_said said = {.at = NAN};
    struct vt_error error;
    void *state;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct vt_price_target target = {.metrics = path};
    const struct vt_price_source *source = &vt_price_source_firecracker;
    if (source->open(&state, &target, machine, sizeof machine, &threads, &error) != 0)
        return;
    if (source->read(state, &said, &error) == 0)
        check(&said);
    source->close(state);
}

static void count_line(char *line, void *context)
{
    if (strchr(line, '\n'))
        __builtin_trap();
    ++*(size_t *)context;
}

static void feed_virsh(int fd)
{
    size_t lines = 0;
    struct vt_error error;
    FILE *nowhere = fopen("/dev/null", "we");
    struct vt_virsh virsh = {.in = nowhere ? fileno(nowhere) : -1, .out = fd, .patience = 50};
    vt_virsh_ask(&virsh, "domstats", count_line, &lines, &error);
    free(virsh.bytes);
    if (nowhere)
        fclose(nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 3 == 0) {
        feed_qmp(data + 1, size - 1);
        return 0;
    }
    int fd = make_file(data + 1, size - 1);
    if (fd < 0)
        return 0;
    if (data[0] % 3 == 1)
        feed_metrics(fd);
    else
        feed_virsh(fd);
    close(fd);
    return 0;
}
