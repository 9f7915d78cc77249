#include "price/source/virsh.h"
#include "base/memory.h"
#include "base/process/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define END "vmtoll-end"

/* libvirt writes there whose process a domain is (libvirt, src/qemu/qemu_conf.c). */
#define STATE "/run/libvirt/qemu"

/* A domain of 4096 vCPUs fills 8 MiB. */
enum { MOST_BYTES = 16 << 20, CHUNK = 1 << 16, PATIENCE_MS = 5000, COMMAND = 1024 };

static int fail(int number, const char *what, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "virsh: %s", what);
}

/* A folder that cannot be: what is asked is no part of its user's history, which virsh writes when it ends.
 */
#define NO_HISTORY "/dev/null"

static bool is_ours(const char *variable)
{
    static const char *const names[] = {"LC_ALL=", "TERM=", "XDG_CACHE_HOME="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Errors in English, and nothing for a terminal. NULL: no memory. */
static char **make_environment(void)
{
    static char *const ours[] = {"LC_ALL=C", "TERM=dumb", "XDG_CACHE_HOME=" NO_HISTORY, NULL};
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **list = calloc(count + sizeof ours / sizeof ours[0], sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        if (!is_ours(environ[i]))
            list[kept++] = environ[i];
    if (list)
        memcpy(list + kept, ours, sizeof ours);
    return list;
}

/* In a process group of its own: ^C is for this program. */
static int spawn(pid_t *process, int in, int out)
{
    static char *const arguments[] = {"virsh", "--readonly", "--connect", "qemu:///system", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment = make_environment();
    int number = environment ? posix_spawn_file_actions_init(&actions) : ENOMEM;
    if (number != 0) {
        free(environment);
        return number;
    }
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    number = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    number = number ? number : posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    number = number ? number : posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    number =
        number ? number : posix_spawnp(process, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return number;
}

int vt_virsh_open(struct vt_virsh *virsh, struct vt_error *error)
{
    int in[2], out[2];
    *virsh = (struct vt_virsh){.patience = PATIENCE_MS};
    if (pipe2(in, O_CLOEXEC) != 0)
        return fail(errno, strerror(errno), error);
    if (pipe2(out, O_CLOEXEC) != 0) {
        int number = errno;
        close(in[0]);
        close(in[1]);
        return fail(number, strerror(number), error);
    }
    int number = spawn(&virsh->process, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    virsh->in = in[1];
    virsh->out = out[0];
    if (number == 0)
        return 0;
    close(virsh->in);
    close(virsh->out);
    return number == ENOENT ? fail(number, "not here: install libvirt-clients", error)
                            : fail(number, strerror(number), error);
}

bool vt_virsh_quote(const char *name, char *word, size_t size)
{
    size_t at = 0;
    word[at++] = '"';
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f || at + 4 > size)
            return false;
        if (*c == '"' || *c == '\\')
            word[at++] = '\\';
        word[at++] = *c;
    }
    word[at++] = '"';
    word[at] = '\0';
    return *name != '\0';
}

static int wait_for(const struct vt_virsh *virsh, uint64_t deadline, struct vt_error *error)
{
    struct pollfd waited = {.fd = virsh->out, .events = POLLIN};
    for (uint64_t now; (now = vt_clock_now()) < deadline;) {
        int ready = poll(&waited, 1, (int)((deadline - now) / 1000000) + 1);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fail(errno, strerror(errno), error);
    }
    return fail(ETIMEDOUT, "no answer: libvirt's daemon hangs (systemctl status libvirtd virtqemud)", error);
}

static int fail_ended(const struct vt_virsh *virsh, struct vt_error *error)
{
    return fail(ECONNRESET, *virsh->wrong ? virsh->wrong : "it ended before it answered", error);
}

static int receive(struct vt_virsh *virsh, uint64_t deadline, struct vt_error *error)
{
    int status = wait_for(virsh, deadline, error);
    if (status != 0)
        return status;
    char *grown = vt_memory_grow(virsh->bytes, virsh->size, CHUNK, 1);
    if (!grown)
        return vt_error_memory(error, "an answer of virsh");
    virsh->bytes = grown;
    ssize_t length = read(virsh->out, virsh->bytes + virsh->size, CHUNK);
    if (length == 0)
        return fail_ended(virsh, error);
    if (length < 0 && errno != EINTR)
        return fail(errno, strerror(errno), error);
    virsh->size += length > 0 ? (size_t)length : 0;
    return 0;
}

static void note_error(struct vt_virsh *virsh, const char *line)
{
    static const char mark[] = "error: ";
    const char *said = strstr(line, mark);
    /* A connection that is lost is told of as well as why: the last line says it best. */
    if (said && !strstr(said, NO_HISTORY))
        snprintf(virsh->wrong, sizeof virsh->wrong, "%s", said + sizeof mark - 1);
}

/* The lines that are whole; true: the end was among them. */
static bool take_lines(struct vt_virsh *virsh, vt_virsh_taker *take, void *context)
{
    char *line = virsh->bytes, *end, *limit = virsh->bytes + virsh->size;
    bool ended = false;
    while (!ended && line < limit && (end = memchr(line, '\n', (size_t)(limit - line)))) {
        *end = '\0';
        ended = strncmp(line, END, sizeof END - 1) == 0;
        note_error(virsh, line);
        if (!ended && take)
            take(line, context);
        line = end + 1;
    }
    virsh->size = (size_t)(limit - line);
    if (virsh->size)
        memmove(virsh->bytes, line, virsh->size);
    return ended;
}

int vt_virsh_ask(struct vt_virsh *virsh, const char *command, vt_virsh_taker *take, void *context,
                 struct vt_error *error)
{
    char text[COMMAND];
    uint64_t deadline = vt_clock_now() + (uint64_t)virsh->patience * 1000000;
    size_t before, taken = 0;
    int length = snprintf(text, sizeof text, "%s\necho " END "\n", command);
    if (length >= (int)sizeof text)
        return fail(ENAMETOOLONG, "the name of the domain is longer than libvirt's are", error);
    *virsh->wrong = '\0';
    if (write(virsh->in, text, (size_t)length) != length && errno != EPIPE)
        return fail(errno, strerror(errno), error);
    do {
        int status = receive(virsh, deadline, error);
        if (status != 0)
            return status;
        before = virsh->size;
        if (take_lines(virsh, take, context))
            return *virsh->wrong ? fail(EPROTO, virsh->wrong, error) : 0;
        taken += before - virsh->size;
    } while (taken + virsh->size < MOST_BYTES);
    return fail(EMSGSIZE, "an answer is longer than libvirt's are", error);
}

pid_t vt_virsh_process(const char *domain)
{
    char path[512];
    int process = 0;
    if (strchr(domain, '/') || snprintf(path, sizeof path, STATE "/%s.pid", domain) >= (int)sizeof path)
        return 0;
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%d", &process) != 1)
        process = 0;
    if (file)
        fclose(file);
    return process > 0 ? process : 0;
}

void vt_virsh_close(struct vt_virsh *virsh)
{
    close(virsh->in);
    close(virsh->out);
    free(virsh->bytes);
    /* It reads, and has nothing to put in order. */
    kill(virsh->process, SIGKILL);
    waitpid(virsh->process, NULL, 0);
    virsh->process = 0;
}
