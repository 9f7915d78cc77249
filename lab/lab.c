#include "lab/lab.h"
#include "lab/fetch/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vt_lab_require_emulator(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                            const char *program, const char *package, struct vt_error *error)
{
    char *text = NULL;
    int status = vt_program_require(program, package, error);
    if (status != 0)
        return status;
    status = vt_program_run((char *[]){(char *)program, "--version", NULL}, NULL, &text, &request->stop);
    if (status == -EINTR || status == -ETIME) {
        free(text);
        return vt_lab_stop_tell(&request->stop, status, error, "asking the emulator for its version");
    }
    if (text)
        snprintf(outcome->emulator, sizeof outcome->emulator, "%.*s", (int)strcspn(text, "\n"), text);
    free(text);
    return 0;
}

void vt_lab_note(void *request, const char *text)
{
    const struct vt_lab_request *asked = request;
    struct vt_lab_progress progress = {.stage = text};

    if (asked->progress)
        asked->progress(asked->context, &progress);
}

void vt_lab_release(struct vt_lab_outcome *outcome)
{
    for (size_t i = 0; i < outcome->count; i++)
        vt_measurement_release(&outcome->measurements[i]);
    for (size_t i = 0; i < outcome->profile_count; i++) {
        vt_capture_release(&outcome->profiles[i].capture);
        vt_symbols_release(&outcome->profiles[i].symbols);
    }
    free(outcome->measurements);
    free(outcome->document);
    *outcome = (struct vt_lab_outcome){0};
}
