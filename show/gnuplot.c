#include "show/gnuplot.h"
#include "base/process/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Fifty charts in three forms are 20 MB and a second. */
static const struct vt_confine_limits limits = {
    .memory = (size_t)2 << 30,
    .file = (size_t)256 << 20,
    .seconds = 60,
    .ordinary = true,
};

struct order {
    int seconds;
    char folder[PATH_MAX];
};

struct outcome {
    int waited, status;
};

/* To the process that starts gnuplot once this one may not; a process has one confinement, and one of these.
 */
static int starter = -1;

static void redirect(const char *path, int flags, int target)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        dup2(fd, target);
}

/* In the child: only functions that are safe after fork. */
static _Noreturn void become_gnuplot(const char *folder, pid_t parent)
{
    static char *const arguments[] = {"gnuplot", "--default-settings", "script", NULL};
    char path[512];
    const char *from = getenv("PATH");
    snprintf(path, sizeof path, "PATH=%.480s", from ? from : "/usr/bin:/bin");
    char *const environment[] = {path, "LC_ALL=C.UTF-8", "HOME=/nonexistent", "GNUTERM=svg", NULL};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && chdir(folder) == 0) {
        redirect("/dev/null", O_RDONLY, STDIN_FILENO);
        redirect("/dev/null", O_WRONLY, STDOUT_FILENO);
        redirect("errors", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
        vt_confine_program(&limits);
        execvpe(arguments[0], arguments, environment);
    }
    _exit(errno == ENOENT ? 127 : 126);
}

/* Waits with a limit; polling costs at most a few milliseconds of a plot's time. */
static int await(pid_t child, int seconds, int *status)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    for (int i = 0; i < seconds * 200; i++) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child)
            return 0;
        if (ended < 0 && errno != EINTR)
            return -errno;
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    return -ETIMEDOUT;
}

static int start(const char *folder, int seconds, int *status)
{
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        return -errno;
    if (child == 0)
        become_gnuplot(folder, parent);
    return await(child, seconds, status);
}

/* Takes a folder and a time, nothing else, from one that may have been taken over. */
static _Noreturn void serve(int channel, pid_t parent)
{
    struct order order;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        redirect("/dev/null", O_RDWR, fd);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    while (recv(channel, &order, sizeof order, MSG_WAITALL) == (ssize_t)sizeof order) {
        struct outcome outcome = {0, 0};
        order.folder[sizeof order.folder - 1] = '\0';
        outcome.waited = start(order.folder, order.seconds, &outcome.status);
        if (send(channel, &outcome, sizeof outcome, MSG_NOSIGNAL) != (ssize_t)sizeof outcome)
            break;
    }
    _exit(0);
}

void vt_gnuplot_prepare(void)
{
    int channel[2];
    if (starter >= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
        return;
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(channel[0]);
        serve(channel[1], parent);
    }
    close(channel[1]);
    starter = channel[0];
    if (child < 0) {
        close(starter);
        starter = -1;
    }
}

/* read and write, since a confined process may not call send. */
int vt_gnuplot_run(const char *folder, int seconds, int *status)
{
    struct order order = {.seconds = seconds};
    struct outcome outcome;
    ssize_t size;
    if (starter < 0)
        return start(folder, seconds, status);
    if (!realpath(folder, order.folder))
        return -errno;
    if (write(starter, &order, sizeof order) != (ssize_t)sizeof order)
        return -EPIPE;
    do
        size = read(starter, &outcome, sizeof outcome);
    while (size < 0 && errno == EINTR);
    if (size != (ssize_t)sizeof outcome)
        return -EPIPE;
    *status = outcome.status;
    return outcome.waited;
}
