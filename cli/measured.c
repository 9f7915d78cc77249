#include "cli/measured.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "report/format.h"
#include "result/save.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

int vt_cli_deliver(struct vt_result *result, const char *output, const char *format, bool quiet)
{
    struct vt_error error;
    bool document_on_stdout = output && strcmp(output, "-") == 0;
    int status = VT_EXIT_DONE;

    if (output && vt_result_save(result, output, &error) != 0)
        return vt_cli_fail(&error);
    if (vt_options_want_json(format) && !document_on_stdout)
        status = print_document(result);
    else if (!quiet && !document_on_stdout)
        status = print_summary(result);
    return status == VT_EXIT_DONE ? worst_status(result) : status;
}
