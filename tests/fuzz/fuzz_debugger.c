/* What a lab's machine makes of the dialogue with Bochs' debugger: lines of the debugger's and of its own,
 * cut anywhere. */
#include "lab/profile/debugger.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/vmtoll-fuzz-XXXXXX", commands[sizeof folder + sizeof VT_DEBUGGER_COMMANDS];

static void remove_folder(void)
{
    unlink(commands);
    rmdir(folder);
}

static int make_folder(void)
{
    if (!*commands && mkdtemp(folder)) {
        snprintf(commands, sizeof commands, "%s/" VT_DEBUGGER_COMMANDS, folder);
        atexit(remove_folder);
    }
    return *commands != '\0';
}

static int pass(void *to, const char *text, size_t size)
{
    (void)text;
    *(size_t *)to += size;
    return 0;
}

/* As an emulator that answers nothing, but reads what it is told. */
static void feed(struct vt_debugger *debugger, const char *text, size_t size, size_t step)
{
    char told[4096];
    size_t passed = 0;
    int reader = open(commands, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    for (size_t at = 0; at < size; at += step) {
        if (vt_debugger_take(debugger, text + at, size - at < step ? size - at : step, pass, &passed) != 0)
            break;
        while (read(reader, told, sizeof told) > 0)
            ;
    }
    if (passed > size)
        __builtin_trap(); /* what is passed on was said */
    close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vt_profile_places places = {
        .record = {.begin = 0x1000, .end = 0x1010, .high = 0x4000, .lost = 0x3800}};
    struct vt_debugger *debugger = make_folder() ? vt_debugger_open(&places) : NULL;
    const size_t steps[] = {size + 1, size ? data[0] % 61 + 1 : 1};
    struct vt_error error;

    for (size_t i = 0; debugger && i < sizeof steps / sizeof steps[0]; i++) {
        struct vt_capture capture = {0};
        if (vt_debugger_start(debugger, folder, &error) != 0)
            break;
        feed(debugger, (const char *)data, size, steps[i]);
        if (vt_debugger_read(debugger, &capture, &error) != 0)
            __builtin_trap(); /* what we write must be what we read */
        vt_capture_release(&capture);
    }
    vt_debugger_close(debugger);
    return 0;
}
