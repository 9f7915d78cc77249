#include "cli/measured.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "report/format.h"
#include "result/save.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct vt_option vt_cli_option_cases(struct vt_cli_asked *asked)
{
    return (struct vt_option){.name = "case",
                              .argument = "GLOB,...",
                              .text = &asked->selection.cases,
                              .list = &asked->cases,
                              .help = "cases by name or pattern; see vmtoll list cases [all]"};
}

struct vt_option vt_cli_option_levels(struct vt_cli_asked *asked, const char *help)
{
    return (struct vt_option){.name = "cpl",
                              .argument = "0,3",
                              .text = &asked->selection.levels,
                              .list = &asked->levels,
                              .help = help};
}

struct vt_option vt_cli_option_output(struct vt_cli_asked *asked)
{
    return (struct vt_option){.name = "output",
                              .letter = 'o',
                              .argument = "FILE",
                              .text = &asked->output,
                              .help = "write the result document to FILE; - is standard output"};
}

struct vt_option vt_cli_option_quiet(struct vt_cli_asked *asked)
{
    return (struct vt_option){
        .name = "quiet", .letter = 'q', .flag = &asked->quiet, .help = "no summary on standard output"};
}

int vt_cli_select(const struct vt_cli_asked *asked, struct vt_plan *plan)
{
    struct vt_error error;
    int status = vt_select(&asked->selection, plan, &error);
    if (status == 0 && asked->output)
        status = vt_file_check(asked->output, &error);
    return status == 0 ? VT_OPTIONS_PROCEED : vt_cli_fail(&error);
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

const volatile int *vt_cli_stop(bool insist)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = insist ? (int)SA_RESETHAND : 0}, before;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        /* nohup(1) */
        bool ignored = sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN;
        if (numbers[i] != SIGHUP || !ignored)
            sigaction(numbers[i], &action, NULL);
    }
    return &stop;
}

struct vt_cli_moment vt_cli_now(void)
{
    struct vt_cli_moment moment;
    time_t now = time(NULL);
    struct tm utc;

    strftime(moment.text, sizeof moment.text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return moment;
}

static int print_summary(struct vt_result *result)
{
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen("-");
    if (vt_report_print(VT_FORMAT_TEXT, &result, 1, &screen, stdout, &error) != 0)
        return vt_cli_fail(&error);
    return VT_EXIT_DONE;
}

static int print_document(const struct vt_result *result)
{
    struct vt_error error;
    return vt_result_save(result, "-", &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

static int worst_status(const struct vt_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->rows[i].status == VT_STATUS_FAILED || result->rows[i].status == VT_STATUS_TIMEOUT)
            return VT_EXIT_NO;
    return VT_EXIT_DONE;
}

int vt_cli_deliver(struct vt_result *result, const struct vt_cli_asked *asked)
{
    struct vt_error error;
    bool document_on_stdout = asked->output && strcmp(asked->output, "-") == 0;
    int status = VT_EXIT_DONE;

    if (asked->output && vt_result_save(result, asked->output, &error) != 0)
        return vt_cli_fail(&error);
    if (vt_options_want_json(asked->format) && !document_on_stdout)
        status = print_document(result);
    else if (!asked->quiet && !document_on_stdout)
        status = print_summary(result);
    return status == VT_EXIT_DONE ? worst_status(result) : status;
}
