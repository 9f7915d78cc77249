#include "ab/setting.h"
#include "base/text.h"
#include "lab/fetch/program.h"
#include "result/load/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_SECONDS = 60, MEASURE_SECONDS = 120, MOST_ARGUMENTS = 24, NOT_STARTED = 126 };

static const char self[] = "/proc/self/exe";

const char *const vt_ab_kinds[VT_AB_KINDS + 1] = {
    [VT_AB_COMMAND] = "command", [VT_AB_CPU] = "cpu", [VT_AB_PROGRAM] = "program"};

/* The last line of what a program printed, cleaned and short; takes the text. */
static void take_last_line(char *text, char *line, size_t size)
{
    const char *last = text ? vt_program_last_line(text) : "";
    snprintf(line, size, "%s%.200s", *last ? ": " : "", last);
    vt_text_clean(line, strlen(line));
    free(text);
}

static int tell_command(const struct vt_ab_setting *setting, int status, const char *line,
                        struct vt_error *error)
{
    char how[48];
    if (status == -EINTR)
        return vt_error_set(error, VT_EXIT_NO, EINTR, "interrupted while setting %c was made", setting->name);
    if (status == -ETIME)
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, ETIME,
            "setting %c: '%.120s' did not end within %d seconds (what must go on is to be started "
            "in the background: COMMAND &)",
            setting->name, setting->text, COMMAND_SECONDS);
    if (status < 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status, "setting %c: no shell could be started: %s",
                            setting->name, strerror(-status));
    snprintf(how, sizeof how, status > 128 ? "was ended by signal %d" : "ended with status %d",
             status > 128 ? status - 128 : status);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ECHILD, "setting %c: '%.120s' %s%s (try it by hand)",
                        setting->name, setting->text, how, line);
}

int vt_ab_apply(const struct vt_ab_setting *setting, const volatile int *flag, struct vt_error *error)
{
    char line[256], *text = NULL, *command = strdup(setting->text);
    char *const argv[] = {"/bin/sh", "-c", command, NULL};
    struct vt_lab_stop stop = vt_lab_stop_after(flag, COMMAND_SECONDS);
    if (!command)
        return vt_error_memory(error, "a command");
    int status = setting->kind == VT_AB_COMMAND ? vt_program_run(argv, NULL, &text, &stop) : 0;
    free(command);
    take_last_line(text, line, sizeof line);
    return status == 0 ? 0 : tell_command(setting, status, line, error);
}

static void add_list(const char **argv, size_t *count, const char *option, const char *value)
{
    if (!value)
        return;
    argv[(*count)++] = option;
    argv[(*count)++] = value;
}

static int keep(struct vt_result *result, void *context)
{
    struct vt_result **kept = context;
    vt_result_free(*kept);
    *kept = result;
    return 0;
}

static int load(const struct vt_ab_setting *setting, const char *file, struct vt_result **result,
                struct vt_error *error)
{
    struct vt_load_options options = {.samples = true};
    struct vt_error why;
    *result = NULL;
    if (vt_result_load(file, &options, keep, result, &why) == 0)
        return 0;
    vt_result_free(*result);
    *result = NULL;
    return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "setting %c: %.100s wrote no result: %.300s",
                        setting->name, setting->kind == VT_AB_PROGRAM ? setting->text : "vmtoll bench",
                        why.text);
}

/* What kept it from a result it has said itself, and its status says whose fault that was. */
static int tell_failure(const struct vt_ab_setting *setting, int status, const char *line,
                        struct vt_error *error)
{
    if (status == -EINTR)
        return vt_error_set(error, VT_EXIT_NO, EINTR, "interrupted");
    if (status == -ETIME)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ETIME, "setting %c: a turn did not end",
                            setting->name);
    bool unlike = setting->kind == VT_AB_PROGRAM && (status < 0 || status >= NOT_STARTED);
    return vt_error_set(error, unlike || status == VT_EXIT_USAGE ? VT_EXIT_USAGE : VT_EXIT_ENVIRONMENT,
                        status < 0 ? -status : ECHILD,
                        "setting %c: '%.120s' cannot be measured (status %d)%s", setting->name, setting->text,
                        status, line);
}

/* A status of 1 tells of rows that failed: the others were measured. */
static bool has_measured(int status)
{
    return status == VT_EXIT_DONE || status == VT_EXIT_NO;
}

int vt_ab_measure(const struct vt_ab_setting *setting, const struct vt_ab_turn *turn,
                  const volatile int *flag, struct vt_result **result, struct vt_error *error)
{
    char budget[32], line[256], *text = NULL;
    const char *argv[MOST_ARGUMENTS] = {setting->kind == VT_AB_PROGRAM ? setting->text : self,
                                        "bench",
                                        "--quiet",
                                        "--output",
                                        turn->file,
                                        "--budget",
                                        budget};
    size_t count = 7;
    struct vt_lab_stop stop = vt_lab_stop_after(flag, turn->seconds + MEASURE_SECONDS);
    snprintf(budget, sizeof budget, "%.3f", turn->seconds);
    add_list(argv, &count, "--case", turn->selection.cases);
    add_list(argv, &count, "--engine", turn->selection.engines);
    add_list(argv, &count, "--path", turn->selection.paths);
    add_list(argv, &count, "--cpl", turn->selection.levels);
    add_list(argv, &count, "--cpu", setting->kind == VT_AB_CPU ? setting->text : NULL);
    argv[count] = NULL;
    unlink(turn->file); /* what is there afterwards is of this turn */
    int status = vt_program_run((char *const *)argv, NULL, &text, &stop);
    take_last_line(text, line, sizeof line);
    return has_measured(status) ? load(setting, turn->file, result, error)
                                : tell_failure(setting, status, line, error);
}
