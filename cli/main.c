#include "base/file.h"
#include "base/layout.h"
#include "base/leftover.h"
#include "base/stream.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/memory.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int help(int argc, char **argv);

static const struct vt_command commands[] = {
    {"tour", "the first look: all roads of this machine and the labs, on one page", vt_cmd_tour, true},
    {"probe", "what this machine can do, and what KVM really does", vt_cmd_probe, false},
    {"list", "the catalogue: cases, engines, paths, capabilities", vt_cmd_list, false},
    {"bench", "measure every case on every engine this machine has", vt_cmd_bench, false},
    {"report", "render one result or several side by side", vt_cmd_report, false},
    {"compare", "tell what changed between two results", vt_cmd_compare, false},
    {"ab", "measure two settings in turns, and tell what differs", vt_cmd_ab, false},
    {"price", "what a machine that runs pays for crossing", vt_cmd_price, false},
    {"audit", "which instructions trap at ring 3 here, and which do not", vt_cmd_audit, false},
    {"image", "write the cases as something that boots anywhere", vt_cmd_image, false},
    {"import", "take in what such an image measured", vt_cmd_import, false},
    {"lab", "count instructions on emulated hardware", vt_cmd_lab, false},
    {"help", "this overview, or the help of one command", help, false},
};

static const struct vt_commands all = {commands, sizeof commands / sizeof commands[0]};

static int help(int argc, char **argv)
{
    return vt_cmd_help(all, argc, argv);
}

static void ignore(int number)
{
    (void)number;
}

/* A handler, unlike SIG_IGN, is not inherited by the programs this one starts. */
static void turn_failed_writes_into_errors(void)
{
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

static void tidy_up(int number)
{
    vt_leftover_drop();
    signal(number, SIG_DFL);
    raise(number);
}

/* Commands that take long stop in order instead (cli/stop.h). */
static void tidy_up_at_the_end(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = tidy_up}, before;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

/* With a standard stream closed, the next file opened would take its number and its output. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(VT_EXIT_ENVIRONMENT);
}

/* An answer is whole or it is not given: what is printed waits here until the command has ended. */
struct answer {
    FILE *to; /* NULL: it goes there as it comes */
    char *text;
    size_t size;
};

static bool tells(const char *name)
{
    for (size_t i = 0; name && i < all.count; i++)
        if (strcmp(all.list[i].name, name) == 0)
            return all.list[i].tells;
    return false;
}

/* In the GNU C Library the standard streams are variables that may be set (manual, 12.2). */
static int hold_back(struct answer *answer, const char *command)
{
    *answer = (struct answer){NULL, NULL, 0};
    if (tells(command))
        return 0;
    FILE *held = vt_stream_memory(&answer->text, &answer->size);
    if (!held)
        return -ENOMEM;
    answer->to = stdout;
    stdout = held;
    return 0;
}

static int let_go(struct answer *answer)
{
    int number = 0;
    if (answer->to) {
        number = fclose(stdout) == 0 ? 0 : ENOMEM;
        stdout = answer->to;
        if (number == 0)
            fwrite(answer->text, 1, answer->size, stdout);
    }
    if (number == 0)
        number = vt_file_flush(stdout);
    if (fclose(stdout) != 0 && number == 0)
        number = errno;
    free(answer->text);
    return number;
}

static int finish(struct answer *answer, int status)
{
    int number = let_go(answer);
    if (number == 0 || number == EPIPE) /* who reads no further has what was wanted */
        return status;
    vt_cli_warn("cannot write standard output: %s", strerror(number));
    return VT_EXIT_ENVIRONMENT;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return help(1, (char *[]){"help", NULL});
    if ((strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) && argc == 2) {
        printf("vmtoll %s\n", VT_VERSION);
        return VT_EXIT_DONE;
    }
    if ((strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) && argc == 2)
        return help(1, (char *[]){"help", NULL});
    if (argv[1][0] == '-') {
        struct vt_suggestion suggestion = {.wanted = argv[1]};
        vt_suggest_offer(&suggestion, "--help");
        vt_suggest_offer(&suggestion, "--version");
        return vt_cli_misuse("unexpected option '%s'%s (see vmtoll help)", argv[1],
                             vt_suggest_text(&suggestion));
    }
    if (strcmp(argv[1], "bench") == 0)
        vt_layout_fix(argv); /* before anything is set up that a second start would do again */
    return vt_cli_run(all, argv[1], argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    struct answer answer;
    occupy_standard_streams();
    turn_failed_writes_into_errors();
    tidy_up_at_the_end();
    vt_cli_memory_begin(argc > 1 ? argv[1] : "help");
    if (hold_back(&answer, argv[1]) != 0)
        return VT_EXIT_ENVIRONMENT;
    return finish(&answer, run(argc, argv));
}
