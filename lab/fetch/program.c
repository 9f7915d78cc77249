#include "lab/fetch/program.h"
#include "base/process/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST     ((off_t)1 << 20)
#define GRACE_MS 1000
#define TURN_MS  20

/* Nothing made here is larger; what is packed may claim to be anything. */
#define LARGEST_FILE ((rlim_t)1 << 30)

static bool exists_in(const char *folders, const char *name)
{
    char *copy = strdup(folders), *rest = copy;
    bool found = false;

    while (rest && !found) {
        char path[4096];
        const char *folder = strsep(&rest, ":");
        struct stat status;
        found = snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
                stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
    }
    free(copy);
    return found;
}

bool vt_program_exists(const char *name)
{
    const char *path = getenv("PATH");
    return exists_in(path ? path : "/usr/bin:/bin", name);
}

int vt_program_require(const char *name, const char *package, struct vt_error *error)
{
    if (vt_program_exists(name))
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOENT,
                        "%s is missing: install it with: apt-get install %s", name, package);
}

static void limit_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur <= LARGEST_FILE)
        return;
    limit.rlim_cur = LARGEST_FILE;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Emulators are ended by who watches them (lab/emulator/emulator.c). */
static const struct bound {
    const char *program;
    struct vt_confine_limits limits;
} bounds[] = {
    {"qemu-system-x86_64", {.memory = (size_t)16 << 30, .file = (size_t)1 << 30, .ordinary = true}},
    {"bochs", {.memory = (size_t)8 << 30, .file = (size_t)1 << 30, .ordinary = true}},
    {"Xvfb", {.memory = (size_t)8 << 30, .file = (size_t)256 << 20}},
    {"xz", {.memory = (size_t)1 << 30, .file = (size_t)1 << 30, .seconds = 300, .ordinary = true}},
    {"zstd", {.memory = (size_t)4 << 30, .file = (size_t)1 << 30, .seconds = 300, .ordinary = true}},
    {"gzip", {.memory = (size_t)1 << 30, .file = (size_t)1 << 30, .seconds = 300, .ordinary = true}},
    {"dpkg-deb", {.memory = (size_t)4 << 30, .file = (size_t)1 << 30, .seconds = 300}},
    {"grub-mkimage", {.memory = (size_t)1 << 30, .file = (size_t)1 << 30, .seconds = 300, .ordinary = true}},
    {"xorriso", {.memory = (size_t)2 << 30, .file = (size_t)2 << 30, .seconds = 300, .ordinary = true}},
};

/* "env NAME=VALUE... PROGRAM" starts PROGRAM. */
static const char *program_of(char *const *argv)
{
    if (strcmp(*argv, "env") == 0)
        for (argv++; argv[1] && strchr(*argv, '=');)
            argv++;
    return *argv;
}

/* apt-get, cp and their like do with the user's files what the user may. */
static void confine(char *const *argv)
{
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (strcmp(bounds[i].program, program_of(argv)) == 0)
            vt_confine_program(&bounds[i].limits);
}

static _Noreturn void become(char *const *argv, const char *folder, int output, pid_t parent)
{
    int nothing = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    limit_files();
    setenv("LC_ALL", "C", 1); /* what they say is read, not shown */
    /* The parent may have ended between fork and here; the signal would then never come. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || nothing < 0 || dup2(nothing, 0) < 0 ||
        dup2(output, 1) < 0 || dup2(output, 2) < 0 || (folder && chdir(folder) != 0))
        _exit(126);
    confine(argv);
    execvp(argv[0], argv);
    dprintf(2, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

pid_t vt_program_start(char *const *argv, const char *folder, int output)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(argv, folder, output, parent);
    if (pid < 0)
        return -errno;
    setpgid(pid, pid);
    return pid;
}

/* What a leader started may outlive it, and write into a folder that is being removed. */
static bool has_ended(pid_t leader, bool *reaped)
{
    *reaped = *reaped || waitpid(leader, NULL, WNOHANG) != 0;
    return *reaped && kill(-leader, 0) != 0;
}

void vt_program_end(pid_t pid)
{
    bool reaped = false;

    if (pid <= 0)
        return;
    kill(-pid, SIGTERM);
    for (int turn = 0; turn < GRACE_MS / TURN_MS; turn++) {
        if (has_ended(pid, &reaped))
            return;
        poll(NULL, 0, TURN_MS);
    }
    kill(-pid, SIGKILL);
    while (!reaped && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static char *read_all(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return NULL;
    size_t size = (size_t)(status.st_size < MOST ? status.st_size : MOST);
    char *text = malloc(size + 1);
    ssize_t got = text ? pread(fd, text, size, 0) : -1;
    if (got < 0) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    return text;
}

static int wait_for(pid_t pid, const struct vt_lab_stop *stop)
{
    int status, why;
    for (;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (ended < 0 && errno != EINTR)
            return -errno;
        if ((why = vt_lab_stop_asked(stop)) != 0) {
            vt_program_end(pid);
            return why;
        }
        poll(NULL, 0, TURN_MS);
    }
}

int vt_program_run(char *const *argv, const char *folder, char **text, const struct vt_lab_stop *stop)
{
    int output = memfd_create("output", MFD_CLOEXEC);
    if (output < 0)
        return -errno;
    pid_t pid = vt_program_start(argv, folder, output);
    int status = pid < 0 ? pid : wait_for(pid, stop);
    if (text)
        *text = read_all(output);
    close(output);
    return status;
}

char *vt_program_last_line(char *text)
{
    size_t length = strlen(text);
    while (length && strchr(" \r\n\t", text[length - 1]))
        text[--length] = '\0';
    char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    return line + strspn(line, " \r\t");
}
