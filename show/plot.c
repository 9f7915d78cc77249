#include "show/plot.h"
#include "base/file.h"
#include "base/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 20, MAX_PICTURE = 4 << 20 };

static const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder == '/' ? folder : "/tmp";
}

static void redirect(const char *path, int flags, int target)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        dup2(fd, target);
}

/* In the child: only functions that are safe after fork. */
static void become_gnuplot(const char *folder)
{
    static char *const arguments[] = {"gnuplot", "--default-settings", "script", NULL};
    char path[512];
    const char *from = getenv("PATH");
    snprintf(path, sizeof path, "PATH=%.480s", from ? from : "/usr/bin:/bin");
    char *const environment[] = {path, "LC_ALL=C.UTF-8", "HOME=/nonexistent", "GNUTERM=svg", NULL};
    if (chdir(folder) == 0) {
        redirect("/dev/null", O_RDONLY, STDIN_FILENO);
        redirect("/dev/null", O_WRONLY, STDOUT_FILENO);
        redirect("errors", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
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

static void first_complaint(const char *folder, char *line, size_t size)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4000s/errors", folder);
    FILE *stream = fopen(path, "re");
    snprintf(line, size, "no reason given");
    while (stream && fgets(line, (int)size, stream)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, "\"script\"", 8) == 0) /* before it, gnuplot repeats the command */
            break;
    }
    if (stream)
        fclose(stream);
}

static int explain(int waited, int status, int seconds, const char *folder, struct vt_error *error)
{
    char complaint[200];
    if (waited == -ETIMEDOUT)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ETIMEDOUT, "gnuplot did not end within %d s",
                            seconds);
    if (waited < 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, -waited, "cannot wait for gnuplot: %s",
                            strerror(-waited));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOENT,
                            "gnuplot is not installed (apt-get install gnuplot-nox)");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, EACCES, "gnuplot cannot be started here");
    first_complaint(folder, complaint, sizeof complaint);
    return vt_error_set(error, VT_EXIT_INTERNAL, EPROTO, "gnuplot refused the script: %s", complaint);
}

static int run(const char *folder, int seconds, struct vt_error *error)
{
    int status = 0;
    pid_t child = fork();
    if (child < 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "cannot start gnuplot: %s", strerror(errno));
    if (child == 0)
        become_gnuplot(folder);
    int waited = await(child, seconds, &status);
    if (waited == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return explain(waited, status, seconds, folder, error);
}

static void forget(const char *folder, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    unlink(path);
}

int vt_plot_run_in(const char *folder, const char *script, int seconds, struct vt_error *error)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4000s/script", folder);
    int status = vt_file_write(path, script, strlen(script), error);
    if (status == 0)
        status = run(folder, seconds, error);
    forget(folder, "errors");
    forget(folder, "script");
    return status;
}

static void collect(const char *folder, char **pictures, size_t count)
{
    char path[600], name[32];
    size_t size;
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%zu.svg", i);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (vt_file_read(path, MAX_PICTURE, &pictures[i], &size, NULL) != 0)
            pictures[i] = NULL;
        forget(folder, name);
    }
    rmdir(folder);
}

int vt_plot_run(const char *script, char **pictures, size_t count, struct vt_error *error)
{
    char folder[256];
    memset(pictures, 0, count * sizeof *pictures);
    int lock = vt_leftover_make_folder(temporary_folder(), "vmtoll-plot-", folder, sizeof folder);
    if (lock < 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, -lock, "cannot make a temporary folder in %s: %s",
                            temporary_folder(), strerror(-lock));
    int status = vt_plot_run_in(folder, script, SECONDS, error);
    collect(folder, pictures, count);
    close(lock);
    for (size_t i = 0; status && i < count; i++) {
        free(pictures[i]);
        pictures[i] = NULL;
    }
    return status;
}

void vt_plot_label(const char *text, char *label, size_t size)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-+/():,";
    size_t length = 0;
    for (; *text && length + 1 < size; text++)
        if (((unsigned char)*text & 0xc0) != 0x80) /* one '?' per character */
            label[length++] = strchr(allowed, *text) ? *text : '?';
    label[length] = '\0';
}
