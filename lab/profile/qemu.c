#include "lab/profile/qemu.h"
#include "base/file.h"
#include "lab/fetch/workspace.h"
#include "lab/profile/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "plugin.so"
#define OUT_NAME  "profile"
#define NAMES     "names"
#define MOST_OUT  ((size_t)256 << 20)

extern const uint8_t vt_plugin_file[], vt_plugin_file_end[];

int vt_plugin_place(const char *folder, const struct vt_record_places *places,
                    struct vt_plugin_argument *argument, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, FILE_NAME);
    int status =
        path ? vt_file_write(path, vt_plugin_file, (size_t)(vt_plugin_file_end - vt_plugin_file), error)
             : vt_error_memory(error, "the plugin's path");
    free(path);
    snprintf(argument->text, sizeof argument->text,
             "./" FILE_NAME
             ",begin=%#llx,end=%#llx,stubs=%#llx,lost=%#llx,low=%#llx,high=%#llx,deep=%#llx,out=" OUT_NAME
             ",names=" NAMES,
             (unsigned long long)places->begin, (unsigned long long)places->end,
             (unsigned long long)places->stubs, (unsigned long long)places->lost,
             (unsigned long long)places->low, (unsigned long long)places->high,
             (unsigned long long)places->deep);
    return status;
}

int vt_plugin_explain(int status, const char *lab, const char *emulator, struct vt_error *error)
{
    char said[160];

    if (status == 0 || !strstr(error->text, "plugin"))
        return status;
    snprintf(said, sizeof said, "%.150s", error->text);
    return vt_error_set(
        error, VT_EXIT_ENVIRONMENT, ENOTSUP,
        "lab %s: %s cannot load the plugin that --profile needs: install QEMU 7.2 or later, built with "
        "plugins, or leave out --profile (%.150s)",
        lab, emulator, said);
}

void vt_plugin_forget(const char *folder)
{
    static const char *const files[] = {OUT_NAME, NAMES};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = vt_workspace_path(folder, files[i]);
        if (path)
            unlink(path);
        free(path);
    }
}

/* *text NULL: there is no such file. */
static int read_file(const char *folder, const char *name, size_t most, char **text, size_t *size,
                     struct vt_error *error)
{
    char *path = vt_workspace_path(folder, name);
    int status = 0;

    *text = NULL;
    if (!path)
        return vt_error_memory(error, "the path of what the plugin wrote");
    if (vt_workspace_holds(folder, name))
        status = vt_file_read(path, most, text, size, error);
    free(path);
    return status;
}

int vt_plugin_read(const char *folder, struct vt_capture *capture, struct vt_error *error)
{
    char *text;
    size_t size;
    int status = read_file(folder, OUT_NAME, MOST_OUT, &text, &size, error);

    if (status == 0 && text)
        status = vt_capture_read(capture, text, error);
    free(text);
    return status;
}

int vt_plugin_read_names(const char *folder, size_t size, char **text, struct vt_error *error)
{
    size_t length = 0;
    int status = read_file(folder, NAMES, VT_SYMBOLS_MOST, text, &length, error);

    if (status == 0 && *text && length == size)
        return 0;
    free(*text);
    *text = NULL;
    return status;
}
