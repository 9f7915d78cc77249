#include "lab/emulator/emulator.h"
#include "base/file.h"
#include "base/text.h"
#include "lab/console.h"
#include "lab/fetch/program.h"
#include "lab/fetch/workspace.h"
#include "lab/emulator/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Neither a console nor the emulator has more to say that matters. */
#define LARGEST_LOG ((off_t)16 << 20)
#define PIPE_SIZE   (1 << 20)
#define KEPT_LOG    ((off_t)1 << 20) /* the end of it */
#define POLL_MS     20
#define LOOK        0.3 /* seconds between two looks at logs and disk, and of listening without a look */

/* Of the clock's time so much at least counts against a limit: an emulator that waits takes none of a
 * processor's. */
#define IDLE_SHARE 8

/* A case takes less than a second; one that is silent for this share of the limit does not return. */
#define PATIENCE     6
#define LEAST_SILENT 10 /* seconds */

struct watch {
    struct vt_emulator *emulator;
    struct vt_lab_link *link;
    struct vt_error *error;
    pid_t pid;
    int listen; /* of the link's file, or what a tap reads from; -1: not there yet */
    int output; /* where the emulator prints to, or what a tap leaves of it */
    double started;
    double heard;  /* what counted when the link's last byte came */
    double busy;   /* seconds of a processor that it has taken */
    double looked; /* when last at what lies around */
    double limit;  /* seconds of the lab, for messages */
};

/* Did somebody say how long, by the clock? Else the limit is the lab's own. */
static bool is_asked(const struct watch *watch)
{
    return watch->emulator->request->stop.deadline > 0;
}

/* Seconds of this run that count against the limit. */
static double count_seconds(struct watch *watch)
{
    double passed = vt_lab_stop_clock() - watch->started;
    struct timespec busy;
    clockid_t clock;

    if (is_asked(watch))
        return passed;
    if (watch->pid > 0 && clock_getcpuclockid(watch->pid, &clock) == 0 && clock_gettime(clock, &busy) == 0)
        watch->busy = (double)busy.tv_sec + (double)busy.tv_nsec / 1e9;
    return watch->busy > passed / IDLE_SHARE ? watch->busy : passed / IDLE_SHARE;
}

static int open_log(const struct watch *watch, const char *name)
{
    char *path = vt_workspace_path(watch->emulator->folder, name);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) : -1;
    free(path);
    return fd;
}

/* The end of it, as a text: what is behind a zero byte counts as well. NULL: there is none. */
static char *read_log(const struct watch *watch, const char *name)
{
    struct stat status;
    int fd = open_log(watch, name);
    char *text = NULL;
    ssize_t got = -1;

    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        off_t from = status.st_size > KEPT_LOG ? status.st_size - KEPT_LOG : 0;
        text = malloc((size_t)(status.st_size - from) + 1);
        got = text ? pread(fd, text, (size_t)(status.st_size - from), from) : -1;
    }
    for (ssize_t i = 0; text && i < got; i++)
        text[i] = text[i] ? text[i] : '?';
    if (text)
        text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

/* Emulator's words and console, one after the other, where they outlive the temporary folder. */
static void keep_log(const struct watch *watch, char *name, size_t size)
{
    struct vt_error ignored;
    struct vt_output output;
    struct stat status;
    char *cache = vt_workspace_cache(&ignored);

    *name = '\0';
    if (!cache)
        return;
    snprintf(name, size, "%s/lab-%s.log", cache, watch->emulator->lab);
    free(cache);
    if (lstat(name, &status) == 0 && S_ISLNK(status.st_mode))
        unlink(name);
    if (vt_file_create(&output, name, &ignored) != 0) {
        *name = '\0';
        return;
    }
    for (int i = 0; i < 2; i++) {
        char *text = read_log(watch, i ? watch->emulator->console_file : VT_EMULATOR_OUTPUT);
        fprintf(output.stream, "%s%s", i ? "\n---- console\n" : "---- emulator\n", text ? text : "");
        free(text);
    }
    if (vt_file_commit(&output, &ignored) != 0)
        *name = '\0';
}

static size_t done_of(const struct watch *watch)
{
    return watch->emulator->before + watch->link->done;
}

static size_t total_of(const struct watch *watch)
{
    return watch->emulator->cases ? watch->emulator->cases : watch->link->total;
}

static const char *stage(const struct watch *watch)
{
    return *watch->link->stage ? watch->link->stage : "booting";
}

/* What went wrong, where, the last the machine said, and where the rest is: that is never what is cut off. */
static int fail(const struct watch *watch, enum vt_exit exit, const char *what, const char *last)
{
    char log[256], said[300] = "", where[192];
    const struct vt_lab_link *link = watch->link;

    keep_log(watch, log, sizeof log);
    if (last && *last)
        snprintf(said, sizeof said, "; it said last: %s", last);
    snprintf(watch->emulator->why, sizeof watch->emulator->why, "%s%.250s", what, said);
    if (link->total)
        snprintf(where, sizeof where, "measuring %s (%zu of %zu)", link->name, done_of(watch),
                 total_of(watch));
    else
        snprintf(where, sizeof where, "%s", stage(watch));
    size_t others = strlen(what) + strlen(where) + strlen(log) + 40;
    int room = others < sizeof watch->error->text ? (int)(sizeof watch->error->text - others) : 0;
    return vt_error_set(watch->error, exit, 0, "lab %s: %s while %s%.*s%s%s", watch->emulator->lab, what,
                        where, room, said, *log ? "; full log: " : "", log);
}

/* Another run may do without the case that it was about. */
static int fail_in_case(const struct watch *watch, enum vt_emulator_end end, int status)
{
    if (watch->link->total)
        watch->emulator->end = end;
    return status;
}

static int fail_with_console(const struct watch *watch, enum vt_exit exit, const char *what)
{
    char quote[280] = "", *console = read_log(watch, watch->emulator->console_file);
    if (console)
        vt_console_quote(console, watch->emulator->panic, quote, sizeof quote);
    free(console);
    return fail(watch, exit, what, quote);
}

static int fail_ended(const struct watch *watch, int status)
{
    char what[80], *output = read_log(watch, VT_EMULATOR_OUTPUT);
    snprintf(what, sizeof what, "%s ended with status %d", watch->emulator->argv[0],
             WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    bool spoke = output && *vt_program_last_line(output);
    int result = spoke ? fail(watch, VT_EXIT_ENVIRONMENT, what, vt_program_last_line(output))
                       : fail_with_console(watch, VT_EXIT_ENVIRONMENT, what);
    free(output);
    return fail_in_case(watch, VT_EMULATOR_DIED, result);
}

/* Bochs then waits for somebody at a screen that nobody sees. */
static int look_for_last_words(const struct watch *watch)
{
    const struct vt_emulator_last_words *words = watch->emulator->own_last;
    char *log = watch->emulator->own_log ? read_log(watch, watch->emulator->own_log) : NULL, *found = NULL;
    int status = 0;

    while (log && words && words->text && !(found = strstr(log, words->text)))
        words++;
    if (found) {
        found += strlen(words->text);
        found += strspn(found, " ");
        found[strcspn(found, "\n")] = '\0';
        status =
            fail_in_case(watch, VT_EMULATOR_DIED, fail(watch, VT_EXIT_ENVIRONMENT, words->meaning, found));
    }
    free(log);
    return status;
}

static int look_for_panic(const struct watch *watch)
{
    char *console = watch->emulator->panic ? read_log(watch, watch->emulator->console_file) : NULL;
    bool panicked = console && vt_console_has_panicked(console, watch->emulator->panic);

    free(console);
    return panicked ? fail_in_case(watch, VT_EMULATOR_DIED,
                                   fail_with_console(watch, VT_EXIT_ENVIRONMENT, "the kernel panicked"))
                    : 0;
}

/* A machine that writes without end would fill the disk. */
static int look_for_flood(const struct watch *watch)
{
    const char *const names[] = {watch->emulator->console_file, VT_EMULATOR_OUTPUT, watch->emulator->own_log};
    char what[80];
    struct stat status;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int fd = names[i] ? open_log(watch, names[i]) : -1;
        bool flooded = fd >= 0 && fstat(fd, &status) == 0 && status.st_size > LARGEST_LOG;
        if (fd >= 0)
            close(fd);
        snprintf(what, sizeof what, "the machine wrote more than %d MiB to its %s", (int)(LARGEST_LOG >> 20),
                 i == 0 ? "console" : "emulator's log");
        if (flooded)
            return fail_with_console(watch, VT_EXIT_ENVIRONMENT, what);
    }
    return 0;
}

/* The emulator does not say so when what the machine writes is lost. */
static int look_for_room(const struct watch *watch)
{
    struct statvfs disk;
    char what[200];

    if (statvfs(watch->emulator->folder, &disk) != 0 || disk.f_blocks == 0 ||
        (geteuid() == 0 ? disk.f_bfree : disk.f_bavail) > 0)
        return 0;
    snprintf(what, sizeof what, "no space left on the disk of '%.120s' (see TMPDIR)",
             watch->emulator->folder);
    return fail(watch, VT_EXIT_ENVIRONMENT, what, NULL);
}

static void open_link(struct watch *watch)
{
    char *path =
        watch->emulator->tap ? NULL : vt_workspace_path(watch->emulator->folder, watch->emulator->link_file);
    watch->listen = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    free(path);
}

/* What a tap leaves. */
static int pass_on(void *to, const char *data, size_t size)
{
    struct watch *watch = to;
    ssize_t written = write(watch->output, data, size);

    (void)written; /* a full disk is found by look_for_room */
    return vt_lab_link_feed(watch->link, data, size);
}

static int take(struct watch *watch, const char *data, size_t size)
{
    const struct vt_emulator_tap *tap = watch->emulator->tap;
    int status =
        tap ? tap->take(tap->context, data, size, pass_on, watch) : vt_lab_link_feed(watch->link, data, size);

    watch->heard = count_seconds(watch);
    if (status == -ENOMEM)
        return vt_error_memory(watch->error, "what the machine says");
    return status == 0
               ? 0
               : fail(watch, VT_EXIT_INTERNAL, "the machine said something that makes no sense", NULL);
}

static int listen_once(struct watch *watch, bool to_the_end)
{
    char data[65536];
    ssize_t size = 1;
    int status = 0;

    if (watch->listen < 0)
        open_link(watch);
    /* By the clock: how long it takes is up to what the machine says. */
    double until = vt_lab_stop_clock() + LOOK;
    while (status == 0 && watch->listen >= 0 && !watch->link->ended && size > 0 &&
           (to_the_end || vt_lab_stop_clock() < until)) {
        size = read(watch->listen, data, sizeof data);
        if (size > 0)
            status = take(watch, data, (size_t)size);
    }
    return status;
}

static void report_progress(const struct watch *watch)
{
    const struct vt_lab_request *request = watch->emulator->request;
    struct vt_lab_progress progress = {
        .stage = stage(watch),
        .done = done_of(watch),
        .total = watch->link->total ? total_of(watch) : 0,
        .name = watch->link->name,
        .elapsed = vt_lab_stop_clock() - watch->started,
        .limit = watch->limit,
    };
    if (request->progress)
        request->progress(request->context, &progress);
}

static int judge_end(const struct watch *watch)
{
    const struct vt_lab_link *link = watch->link;
    if (link->failed) {
        char log[256];
        keep_log(watch, log, sizeof log);
        return vt_error_set(watch->error, (enum vt_exit)link->exit, 0, "lab %s: %s%s%s", watch->emulator->lab,
                            link->text, *log ? "; full log: " : "", log);
    }
    return link->document_wanted ? fail(watch, VT_EXIT_ENVIRONMENT, "the result was cut off", NULL) : 0;
}

/* A console without a file of its own is what the emulator prints. */
static int look_around(struct watch *watch)
{
    static int (*const looks[])(const struct watch *) = {look_for_panic, look_for_last_words, look_for_room,
                                                         look_for_flood};
    int status = 0;

    watch->looked = vt_lab_stop_clock();
    for (size_t i = 0; status == 0 && i < sizeof looks / sizeof looks[0]; i++)
        status = looks[i](watch);
    return status;
}

static double patience(const struct watch *watch)
{
    double share = watch->limit / PATIENCE, half = watch->limit / 3;
    double least = half < LEAST_SILENT ? half : LEAST_SILENT;
    return share > least ? share : least;
}

static bool is_over(const struct watch *watch, double counted)
{
    return is_asked(watch) ? vt_lab_stop_clock() > watch->emulator->request->stop.deadline
                           : watch->emulator->spent + counted > watch->limit;
}

static int look_at_clock(struct watch *watch)
{
    char what[64];
    double counted = count_seconds(watch);

    if (is_over(watch, counted)) {
        snprintf(what, sizeof what, "no result within %.0f s%s", watch->limit,
                 is_asked(watch) ? "" : " of processor time");
        return fail_with_console(watch, VT_EXIT_ENVIRONMENT, what);
    }
    if (!watch->link->total || counted - watch->heard <= patience(watch))
        return 0;
    snprintf(what, sizeof what, "nothing came for %.0f s", patience(watch));
    return fail_in_case(watch, VT_EMULATOR_SILENT, fail_with_console(watch, VT_EXIT_ENVIRONMENT, what));
}

static void wait_for_more(const struct watch *watch)
{
    struct pollfd pipe = {.fd = watch->emulator->tap ? watch->listen : -1, .events = POLLIN};
    poll(&pipe, 1, POLL_MS);
}

static int watch_it(struct watch *watch)
{
    bool gone = false;
    for (;;) {
        int ended_with = 0;
        gone = waitpid(watch->pid, &ended_with, WNOHANG) == watch->pid;
        if (gone)
            watch->pid = -1;
        int status = listen_once(watch, gone);
        if (status != 0 || watch->link->ended)
            return status != 0 ? status : judge_end(watch);
        if ((gone || vt_lab_stop_clock() - watch->looked > LOOK) && (status = look_around(watch)) != 0)
            return status;
        if (gone)
            return fail_ended(watch, ended_with);
        if (vt_lab_stop_asked(&watch->emulator->request->stop) == -EINTR)
            return vt_error_set(watch->error, VT_EXIT_NO, EINTR, "lab %s: interrupted while %s",
                                watch->emulator->lab, watch->link->total ? "measuring" : stage(watch));
        if ((status = look_at_clock(watch)) != 0)
            return status;
        report_progress(watch);
        wait_for_more(watch);
    }
}

/* What an earlier run left would be taken for this one's. */
static void forget_run(const struct vt_emulator *emulator)
{
    const char *const names[] = {emulator->link_file, emulator->console_file, emulator->own_log,
                                 VT_EMULATOR_OUTPUT};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = names[i] ? vt_workspace_path(emulator->folder, names[i]) : NULL;
        if (path)
            unlink(path);
        free(path);
    }
}

static int open_output(struct watch *watch)
{
    const char *folder = watch->emulator->folder;
    char *path = vt_workspace_path(folder, VT_EMULATOR_OUTPUT);

    watch->output = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    free(path);
    if (watch->output >= 0)
        return 0;
    return vt_error_set(watch->error, VT_EXIT_ENVIRONMENT, errno, "cannot write in '%s': %s", folder,
                        strerror(errno));
}

/* *to: what the emulator prints to, and closed by the caller. */
static int open_tap(struct watch *watch, int *to)
{
    const struct vt_emulator_tap *tap = watch->emulator->tap;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return vt_error_set(watch->error, VT_EXIT_ENVIRONMENT, errno, "cannot make a pipe: %s",
                            strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
    watch->listen = ends[0];
    *to = ends[1];
    return tap->start(tap->context, watch->emulator->folder, watch->error);
}

static int start(struct watch *watch, char *const *argv)
{
    int to = -1, status = watch->emulator->tap ? open_tap(watch, &to) : 0;

    if (status == 0)
        watch->pid = vt_program_start(argv, watch->emulator->folder, to >= 0 ? to : watch->output);
    if (to >= 0)
        close(to);
    if (status == 0 && watch->pid <= 0)
        status = vt_error_set(watch->error, VT_EXIT_ENVIRONMENT, -watch->pid, "cannot start %s: %s",
                              watch->emulator->argv[0], strerror(-watch->pid));
    return status;
}

static int run(struct vt_emulator *emulator, char *const *argv, struct vt_lab_link *link,
               struct vt_error *error)
{
    struct watch watch = {.emulator = emulator,
                          .link = link,
                          .error = error,
                          .pid = -1,
                          .listen = -1,
                          .output = -1,
                          .started = vt_lab_stop_clock()};

    forget_run(emulator);
    emulator->end = VT_EMULATOR_REFUSED;
    watch.limit = is_asked(&watch) ? emulator->request->stop.limit : emulator->limit;
    int status = open_output(&watch);
    if (status == 0)
        status = start(&watch, argv);
    if (status == 0)
        status = watch_it(&watch);
    emulator->spent += count_seconds(&watch);
    vt_program_end(watch.pid);
    if (watch.listen >= 0)
        close(watch.listen);
    if (watch.output >= 0)
        close(watch.output);
    return status;
}

static bool lacks_sandbox(struct vt_emulator *emulator, const struct vt_lab_link *link)
{
    struct watch watch = {.emulator = emulator};
    char *output = *link->stage ? NULL : read_log(&watch, VT_EMULATOR_OUTPUT);
    bool lacks = output && vt_sandbox_is_missing(output);
    free(output);
    return lacks;
}

enum vt_status vt_emulator_judge_lost(const struct vt_emulator *emulator, char *reason, size_t size)
{
    snprintf(reason, size, "%s; the machine was started again for the other cases", emulator->why);
    vt_text_clean(reason, strlen(reason));
    return emulator->end == VT_EMULATOR_SILENT ? VT_STATUS_TIMEOUT : VT_STATUS_FAILED;
}

int vt_emulator_run(struct vt_emulator *emulator, struct vt_lab_link *link, struct vt_error *error)
{
    static const struct vt_lab_progress without = {.stage =
                                                       "booting without a sandbox, which this QEMU lacks"};
    const struct vt_lab_request *request = emulator->request;
    if (!vt_sandbox_is_for(emulator->argv[0]))
        return run(emulator, emulator->argv, link, error);
    char **argv = vt_sandbox_arguments(emulator->argv);
    if (!argv)
        return vt_error_memory(error, "the emulator");
    int status = run(emulator, argv, link, error);
    free(argv);
    if (status == 0 || !lacks_sandbox(emulator, link))
        return status;
    if (request->progress)
        request->progress(request->context, &without);
    return run(emulator, emulator->argv, link, error);
}
