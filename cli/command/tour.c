/*
 * The first look: all roads this machine can show, on one page. Each stage is this program with another
 * command, so that what a person sees here is what the commands say.
 */
#include "base/process/clock.h"
#include "cli/command.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "report/story/language.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH = 4096, MOST_WORDS = 12, TICK_NS = 100000000 };

struct arguments {
    const char *folder, *labs, *language;
    double budget;
};

/* One command and what it leaves in the folder. */
struct stage {
    const char *title; /* "measuring this machine" */
    double seconds;    /* about, for who waits */
    const char *words[MOST_WORDS];
    const char *file; /* that it writes; NULL: none */
    bool redirected;  /* it is what the command prints */
    bool beside;      /* runs beside the stage before it */
    bool last;
    pid_t pid;
    int status; /* exit status; -1: not run */
};

enum { PROBE, BENCH, TCG, SVM_BOCHS, XEN, SVM, VMX, REPORT, STAGES };

static void name_file(const struct arguments *a, const char *file, char path[PATH])
{
    snprintf(path, PATH, "%s/%s", a->folder, file);
}

static int start(struct stage *stage, const struct arguments *a)
{
    char path[PATH], *argv[MOST_WORDS + 4] = {"vmtoll"};
    posix_spawn_file_actions_t actions;
    size_t count = 1;
    for (size_t i = 0; i < MOST_WORDS && stage->words[i]; i++)
        argv[count++] = (char *)(uintptr_t)stage->words[i];
    name_file(a, stage->file, path);
    posix_spawn_file_actions_init(&actions);
    if (stage->redirected) {
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    } else {
        argv[count++] = "--output";
        argv[count++] = path;
    }
    int status = posix_spawn(&stage->pid, "/proc/self/exe", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

/* Takes note of one that has ended. */
static bool is_running(struct stage *stage)
{
    int status;
    if (stage->pid <= 0)
        return false;
    pid_t ended = waitpid(stage->pid, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR))
        return true;
    stage->status = ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : VT_EXIT_INTERNAL;
    stage->pid = 0;
    return false;
}

struct tour {
    const struct arguments *a;
    struct stage *stages;
    size_t number, count; /* of the stage under way; of all */
    bool stands_in;       /* SVM is run where SVM_BOCHS cannot be */
    uint64_t begun;
    const volatile int *stop;
};

static bool is_asked(const struct stage *stage)
{
    return stage->words[0] || stage->last;
}

/* About how long the stages from this one on take; one that runs beside another takes what it is longer. */
static double seconds_from(const struct stage *stage)
{
    double sum = 0, before = 0;
    for (;; stage++) {
        if (is_asked(stage)) {
            double more = stage->beside && before > 0 ? stage->seconds - before : stage->seconds;
            sum += more > 0 ? more : 0;
            before = stage->seconds;
        }
        if (stage->last)
            return sum;
    }
}

static void show_progress(const struct tour *tour, const struct stage *stage)
{
    double spent = (double)(vt_clock_now() - tour->begun) / 1e9;
    double left = seconds_from(stage) - (spent < stage->seconds ? spent : stage->seconds);
    fprintf(stderr, "\r%zu of %zu: %s, about %.0f s left\033[K", tour->number, tour->count, stage->title,
            left);
    fflush(stderr);
}

/* Until all that were started have ended; a signal is handed on. */
static void wait_for(const struct tour *tour, struct stage *first, struct stage *last)
{
    bool terminal = isatty(STDERR_FILENO) && first->redirected, handed = false;
    for (bool running = true; running;) {
        running = false;
        for (struct stage *stage = first; stage <= last; stage++) {
            running |= is_running(stage);
            if (*tour->stop && !handed && stage->pid > 0)
                kill(stage->pid, SIGTERM);
        }
        handed |= *tour->stop != 0;
        if (running) {
            if (terminal)
                show_progress(tour, first);
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
        }
    }
    if (terminal)
        fputs("\r\033[K", stderr);
}

static void announce(const struct tour *tour, const struct stage *stage)
{
    printf("%zu of %zu: %s, about %.0f s; to the end about %.0f s\n", tour->number, tour->count, stage->title,
           stage->seconds, seconds_from(stage));
    fflush(stdout);
}

/* A stage, and those that run beside it. */
static void run_stages(struct tour *tour, struct stage *first, struct stage *last)
{
    for (struct stage *stage = first; stage <= last; stage++) {
        tour->number++;
        announce(tour, stage);
        int status = start(stage, tour->a);
        if (status != 0) {
            vt_cli_warn("tour: cannot start vmtoll %s: %s", stage->words[0], strerror(status));
            stage->status = VT_EXIT_ENVIRONMENT;
        }
    }
    tour->begun = vt_clock_now();
    wait_for(tour, first, last);
}

/* The answers stand first, up to the first empty line. */
static void show_answers(const struct tour *tour)
{
    char path[PATH], line[1024];
    name_file(tour->a, tour->stages[PROBE].file, path);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file) && *line != '\n')
        fputs(line, stdout);
    if (file)
        fclose(file);
    putchar('\n');
}

static void ask_lab(struct stage *stage, const char *lab)
{
    stage->words[0] = "lab";
    stage->words[1] = lab;
    stage->words[2] = "--quiet";
}

static void run_all(struct tour *tour)
{
    for (size_t i = 0; i < REPORT && !*tour->stop; i++) {
        size_t last = i;
        if (i == SVM && tour->stands_in && tour->stages[SVM_BOCHS].status > VT_EXIT_NO) {
            ask_lab(&tour->stages[SVM], "svm");
            tour->count++;
        }
        if (!is_asked(&tour->stages[i]))
            continue;
        while (last + 1 < REPORT && is_asked(&tour->stages[last + 1]) && tour->stages[last + 1].beside)
            last++;
        run_stages(tour, &tour->stages[i], &tour->stages[last]);
        if (i == PROBE)
            show_answers(tour);
        i = last;
    }
}

/* What was measured, side by side; without a measurement there is no page. */
static int make_page(struct tour *tour)
{
    struct stage *report = &tour->stages[REPORT];
    char paths[REPORT][PATH];
    size_t words = 1;
    report->words[0] = "report";
    for (size_t i = BENCH; i < REPORT; i++) {
        const struct stage *stage = &tour->stages[i];
        if (!is_asked(stage) || stage->status > VT_EXIT_NO)
            continue;
        name_file(tour->a, stage->file, paths[i]);
        report->words[words++] = paths[i];
    }
    if (tour->a->language) {
        report->words[words++] = "--lang";
        report->words[words++] = tour->a->language;
    }
    if (tour->stages[BENCH].status > VT_EXIT_NO || *tour->stop)
        return tour->stages[BENCH].status ? tour->stages[BENCH].status : VT_EXIT_NO;
    run_stages(tour, report, report);
    return report->status;
}

static void conclude(const struct tour *tour)
{
    printf("\n");
    for (size_t i = 0; i < STAGES; i++) {
        const struct stage *stage = &tour->stages[i];
        if (is_asked(stage) && stage->status >= 0 && stage->status <= VT_EXIT_NO)
            printf("%s/%s: %s\n", tour->a->folder, stage->file,
                   i == PROBE    ? "what was found out about this machine"
                   : i == REPORT ? "all roads on one page"
                                 : "measurements, for programs");
        else if (is_asked(stage) && i != REPORT)
            vt_cli_warn("tour: left out: %s; the line above says why", stage->title);
    }
}

static bool hardware_runs_here(void)
{
    char *argv[] = {"vmtoll", "probe", "--require", "kvm-hardware", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ) == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
    posix_spawn_file_actions_destroy(&actions);
    return status == 0;
}

static void plan_labs(struct tour *tour, const char *labs)
{
    bool none = strcmp(labs, "none") == 0, all = strcmp(labs, "all") == 0;
    if (none)
        return;
    bool hardware = !all && hardware_runs_here();
    const struct {
        size_t stage;
        bool wanted;
        const char *name;
    } choice[] = {{TCG, true, "tcg"},
                  {SVM_BOCHS, !hardware, "svm-bochs"},
                  {XEN, true, "xen"},
                  {SVM, all, "svm"},
                  {VMX, all, "vmx"}};
    for (size_t i = 0; i < sizeof choice / sizeof choice[0]; i++)
        if (choice[i].wanted)
            ask_lab(&tour->stages[choice[i].stage], choice[i].name);
    tour->stands_in = !hardware && !all;
}

static int make_folder(const char *folder)
{
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return VT_OPTIONS_PROCEED;
    vt_cli_warn("tour: cannot make folder %s: %s", folder, strerror(errno));
    return VT_EXIT_ENVIRONMENT;
}

static int parse(int *argc, char ***argv, struct arguments *a)
{
    static const char *const labs[] = {"auto", "none", "all", NULL};
    const char *languages[VT_LANGUAGES + 1];
    vt_language_choices(languages);
    const struct vt_option options[] = {
        {.name = "output",
         .letter = 'o',
         .argument = "DIR",
         .text = &a->folder,
         .help = "folder for the page and the results; made if it is missing [vmtoll-tour]"},
        {.name = "labs",
         .argument = "WHICH",
         .text = &a->labs,
         .choices = labs,
         .help = "none; all; or auto: tcg, xen, and where no hardware road runs here svm-bochs,\nor svm "
                 "where that cannot run [auto]"},
        {.name = "budget",
         .argument = "SECONDS",
         .number = &a->budget,
         .low = 1,
         .high = 86400,
         .help = "time for measuring this machine [20]"},
        {.name = "lang",
         .argument = "LANG",
         .text = &a->language,
         .choices = languages,
         .help = "language of the story on the page: en or ko [en]"},
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "tour",
        .operands = "",
        .summary =
            "The first look: find out what this machine can do, measure it, take from the labs the roads it\n"
            "has not, and tell all of it on one page.",
        .options = options,
        .notes = "Labs download Debian's kernel and Xen once and need QEMU and Bochs; one that cannot run is "
                 "named\n"
                 "and left out. Exit status: that of the measuring.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

int vt_cmd_tour(int argc, char **argv)
{
    struct arguments a = {.folder = "vmtoll-tour", .labs = "auto", .budget = 20};
    char budget[32];
    struct stage stages[STAGES] = {
        [PROBE] = {.title = "finding out what this machine can do",
                   .seconds = 1,
                   .words = {"probe", "--all"},
                   .file = "probe.txt",
                   .redirected = true},
        [BENCH] = {.title = "measuring this machine",
                   .words = {"bench", "--quiet", "--budget", budget},
                   .file = "result.json"},
        [TCG] = {.title = "ring 0 with nobody in between, on an emulated processor",
                 .seconds = 3,
                 .file = "lab-tcg.json"},
        [SVM_BOCHS] = {.title = "the hardware road, from an emulated AMD-V",
                       .seconds = 75,
                       .file = "lab-svm-bochs.json"},
        [XEN] = {.title = "the paravirtual road, from Xen",
                 .seconds = 50,
                 .file = "lab-xen.json",
                 .beside = true},
        [SVM] = {.title = "the hardware road, from QEMU's AMD-V, which lacks NRIPS",
                 .seconds = 30,
                 .file = "lab-svm.json"},
        [VMX] = {.title = "the hardware road, from an emulated VT-x", .seconds = 180, .file = "lab-vmx.json"},
        [REPORT] = {.title = "drawing the page", .seconds = 5, .file = "report.html", .last = true},
    };
    struct tour tour = {.a = &a, .stages = stages, .stop = vt_cli_stop(true)};
    int status = parse(&argc, &argv, &a);
    if (status == VT_OPTIONS_PROCEED)
        status = make_folder(a.folder);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    snprintf(budget, sizeof budget, "%.3f", a.budget);
    stages[BENCH].seconds = a.budget;
    plan_labs(&tour, a.labs);
    for (size_t i = 0; i < STAGES; i++) {
        stages[i].status = -1;
        tour.count += is_asked(&stages[i]);
    }
    run_all(&tour);
    status = make_page(&tour);
    conclude(&tour);
    return status ? status : stages[BENCH].status;
}
