/*
 * Preloaded: when the program named in ATTEMPT_PROGRAM ends, it tries what code that took it over would try,
 * and writes into ATTEMPT_LOG, which it opened when it began, what came of each: "NAME: done", or the error's
 * name. ATTEMPT_FOLDER is a folder with files to read and write, ATTEMPT_PROCESS a process of the same user.
 * ATTEMPT_ARGUMENT: only where that is one of its arguments; ATTEMPT_ONLY: this one attempt.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int log_of_it = -1;

/* What the test has to say: without it no attempt means anything. */
static const char *told(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        dprintf(STDERR_FILENO, "attempt: %s is not set\n", name);
        _exit(127);
    }
    return value;
}

/* A name in the folder. */
static const char *in(const char *name)
{
    static char paths[2][4096];
    static unsigned next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", told("ATTEMPT_FOLDER"), name);
    return path;
}

static long open_and_close(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    return fd < 0 ? fd : close(fd);
}

static long fork_and_wait(long pid)
{
    if (pid == 0)
        _exit(0);
    return pid < 0 ? pid : waitpid((pid_t)pid, NULL, 0);
}

static long try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_local(void)
{
    return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static long try_fork(void)
{
    return fork_and_wait(fork());
}

/* What fork() is by another number. */
static long try_clone(void)
{
    return fork_and_wait(syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0));
}

static long try_signal(void)
{
    return kill((pid_t)atol(told("ATTEMPT_PROCESS")), SIGCONT);
}

static long try_trace(void)
{
    return ptrace(PTRACE_SEIZE, (pid_t)atol(told("ATTEMPT_PROCESS")), 0, 0);
}

static long try_open(void)
{
    return open_and_close(in("there"), O_WRONLY);
}

static long try_truncate(void)
{
    return open_and_close(in("there"), O_RDWR | O_TRUNC);
}

static long try_create(void)
{
    return open_and_close(in("new"), O_WRONLY | O_CREAT | O_EXCL);
}

static long try_folder(void)
{
    return mkdir(in("folder"), 0700);
}

static long try_rename(void)
{
    return rename(in("there"), in("moved"));
}

static long try_unlink(void)
{
    return unlink(in("other"));
}

static long try_link(void)
{
    return symlink("/etc/passwd", in("link"));
}

static long try_pipe(void)
{
    return mknod(in("pipe"), S_IFIFO | 0600, 0);
}

/* Not against anything: whether this kernel can keep files from a program, links between folders included. */
static long try_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* version */) < 2 ? -1 : 0;
}

static long try_read(void)
{
    return open_and_close(in("readable"), O_RDONLY);
}

/* Last: where it succeeds, this program is another one, which says so. */
static long try_execute(void)
{
    char program[] = "/bin/sh", option[] = "-c", command[] = "echo done >>\"$0\"", *nothing[] = {NULL};
    char *arguments[] = {program, option, command, getenv("ATTEMPT_LOG"), NULL};
    return execve(program, arguments, nothing);
}

static const struct attempt {
    const char *name;
    long (*make)(void);
} attempts[] = {
    {"landlock", try_landlock},  {"read", try_read},       {"socket", try_socket},
    {"local socket", try_local}, {"fork", try_fork},       {"clone", try_clone},
    {"trace", try_trace},        {"signal", try_signal},   {"open to write", try_open},
    {"truncate", try_truncate},  {"create", try_create},   {"make a folder", try_folder},
    {"rename", try_rename},      {"unlink", try_unlink},   {"link", try_link},
    {"make a pipe", try_pipe},   {"execute", try_execute},
};

static bool is_asked_for(const char *wanted)
{
    char text[65536];
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);
    close(fd);
    return size > 0 && memmem(text, (size_t)size, wanted, strlen(wanted) + 1);
}

__attribute__((constructor)) static void begin(void)
{
    const char *program = getenv("ATTEMPT_PROGRAM"), *argument = getenv("ATTEMPT_ARGUMENT");
    if (program && strcmp(program, program_invocation_short_name) == 0 &&
        (!argument || is_asked_for(argument)))
        log_of_it = open(told("ATTEMPT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void end(void)
{
    const char *only = getenv("ATTEMPT_ONLY");
    for (size_t i = 0; log_of_it >= 0 && i < sizeof attempts / sizeof attempts[0]; i++) {
        if (only && strcmp(only, attempts[i].name) != 0)
            continue;
        dprintf(log_of_it, "%s: ", attempts[i].name);
        long result = attempts[i].make();
        dprintf(log_of_it, "%s\n", result < 0 ? strerrorname_np(errno) : "done");
    }
}
