#include "price/source/qmp.h"
#include "base/process/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Statistics of a vCPU take 4 KiB; QEMU has at most some thousand vCPUs. */
enum { MOST_BYTES = 16 << 20, CHUNK = 1 << 16, PATIENCE_MS = 5000 };

static const char *const commands[VT_QMP_COMMANDS] = {
    [VT_QMP_CAPABILITIES] = "{\"execute\":\"qmp_capabilities\"}\n",
    [VT_QMP_NAME] = "{\"execute\":\"query-name\"}\n",
    [VT_QMP_CPUS] = "{\"execute\":\"query-cpus-fast\"}\n",
    [VT_QMP_STATISTICS] = "{\"execute\":\"query-stats\",\"arguments\":{\"target\":\"vcpu\",\"providers\":["
                          "{\"provider\":\"kvm\"}]}}\n",
};

static int fail(const struct vt_qmp *qmp, int number, const char *what, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s: %s", qmp->path, what);
}

static int fail_ended(const struct vt_qmp *qmp, struct vt_error *error)
{
    return fail(qmp, ECONNRESET, "QEMU closed its monitor: the machine has ended", error);
}

/* Where the first object ends; 0: not yet. The monitor may print it on one line or on many. */
static size_t find_end(struct vt_qmp *qmp)
{
    for (size_t i = qmp->scanned; i < qmp->size; i++) {
        char c = qmp->bytes[i];
        if (qmp->escaped)
            qmp->escaped = false;
        else if (qmp->quoted)
            qmp->escaped = c == '\\', qmp->quoted = c != '"';
        else if (c == '"')
            qmp->quoted = true;
        else if (c == '{')
            qmp->depth++;
        else if (c == '}' && qmp->depth && --qmp->depth == 0)
            return i + 1;
    }
    qmp->scanned = qmp->size;
    return 0;
}

static int wait_for(const struct vt_qmp *qmp, uint64_t deadline, struct vt_error *error)
{
    struct pollfd waited = {.fd = qmp->fd, .events = POLLIN};
    for (uint64_t now; (now = vt_clock_now()) < deadline;) {
        int ready = poll(&waited, 1, (int)((deadline - now) / 1000000) + 1);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fail(qmp, errno, strerror(errno), error);
    }
    return fail(
        qmp, ETIMEDOUT,
        "no answer: a monitor serves one at a time, and another has it (libvirt?), or the socket is none "
        "of QEMU's QMP; give the machine one more with -qmp unix:PATH,server=on,wait=off",
        error);
}

static int receive(struct vt_qmp *qmp, uint64_t deadline, struct vt_error *error)
{
    int status = wait_for(qmp, deadline, error);
    if (status != 0)
        return status;
    if (qmp->size >= MOST_BYTES)
        return fail(qmp, EMSGSIZE, "an answer is longer than QEMU's are", error);
    char *grown = vt_memory_grow(qmp->bytes, qmp->size, CHUNK, 1);
    if (!grown)
        return vt_error_memory(error, "an answer of QEMU");
    qmp->bytes = grown;
    ssize_t length = recv(qmp->fd, qmp->bytes + qmp->size, CHUNK, 0);
    if (length == 0 || (length < 0 && errno == ECONNRESET))
        return fail_ended(qmp, error);
    if (length < 0 && errno != EINTR && errno != EAGAIN)
        return fail(qmp, errno, strerror(errno), error);
    qmp->size += length > 0 ? (size_t)length : 0;
    return 0;
}

/* The next object, whatever it is. */
static int take(struct vt_qmp *qmp, uint64_t deadline, json_t **object, struct vt_error *error)
{
    size_t end;
    json_error_t wrong;
    while ((end = find_end(qmp)) == 0) {
        int status = receive(qmp, deadline, error);
        if (status != 0)
            return status;
    }
    *object = json_loadb(qmp->bytes, end, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, &wrong);
    memmove(qmp->bytes, qmp->bytes + end, qmp->size - end);
    qmp->size -= end;
    qmp->scanned = 0;
    return *object ? 0
                   : vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO, "%s: not what QEMU's monitor says: %s",
                                  qmp->path, wrong.text);
}

static int refuse(const struct vt_qmp *qmp, const json_t *said, struct vt_error *error)
{
    const char *class = json_string_value(json_object_get(said, "class"));
    const char *text = json_string_value(json_object_get(said, "desc"));
    if (class && strcmp(class, "CommandNotFound") == 0)
        return fail(qmp, ENOSYS, "this QEMU is older than 7.1, which has no query-stats", error);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO, "%s: QEMU refuses: %s", qmp->path,
                        text ? text : "it does not say why");
}

/* Until an object has `key`: events may come between. */
static int await(struct vt_qmp *qmp, const char *key, json_t **value, struct vt_error *error)
{
    uint64_t deadline = vt_clock_now() + (uint64_t)qmp->patience * 1000000;
    for (;;) {
        json_t *object;
        int status = take(qmp, deadline, &object, error);
        if (status != 0)
            return status;
        const json_t *said = json_object_get(object, "error");
        *value = json_incref(json_object_get(object, key));
        if (said && !*value)
            status = refuse(qmp, said, error);
        json_decref(object);
        if (*value || status != 0)
            return status;
    }
}

int vt_qmp_ask(struct vt_qmp *qmp, enum vt_qmp_command command, json_t **answer, struct vt_error *error)
{
    const char *text = commands[command];
    size_t length = strlen(text);
    *answer = NULL;
    ssize_t sent = send(qmp->fd, text, length, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
        return fail_ended(qmp, error);
    if (sent != (ssize_t)length)
        return fail(qmp, sent < 0 ? errno : EIO, "cannot ask", error);
    return await(qmp, "return", answer, error);
}

int vt_qmp_open_on(struct vt_qmp *qmp, int fd, const char *path, int patience, struct vt_error *error)
{
    json_t *said;
    *qmp = (struct vt_qmp){.fd = fd, .path = path, .patience = patience};
    int status = await(qmp, "QMP", &said, error);
    if (status == 0) {
        json_decref(said);
        status = vt_qmp_ask(qmp, VT_QMP_CAPABILITIES, &said, error);
    }
    if (status != 0)
        vt_qmp_close(qmp);
    else
        json_decref(said);
    return status;
}

int vt_qmp_open(struct vt_qmp *qmp, const char *path, struct vt_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return vt_error_set(
            error, VT_EXIT_USAGE, ENAMETOOLONG,
            "%s: the path of a socket has at most %zu characters: give a shorter one, by a link "
            "say",
            path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "no socket: %s", strerror(errno));
    /* Where somebody waits already, connecting would wait with him. */
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return vt_qmp_open_on(qmp, fd, path, PATIENCE_MS, error);
    int number = errno;
    close(fd);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "cannot connect to %s: %s%s", path,
                        number == EAGAIN ? "others wait for it already" : strerror(number),
                        number == ECONNREFUSED ? ": the machine has ended" : "");
}

pid_t vt_qmp_peer(const struct vt_qmp *qmp)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    return getsockopt(qmp->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0 ? peer.pid : 0;
}

void vt_qmp_close(struct vt_qmp *qmp)
{
    close(qmp->fd);
    free(qmp->bytes);
    *qmp = (struct vt_qmp){.fd = -1};
}
