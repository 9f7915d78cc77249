#include "lab/fetch/unpack.h"
#include "lab/fetch/program.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct packing {
    const char *ending, *program, *package;
} packings[] = {
    {".xz", "xz", "xz-utils"},
    {".zst", "zstd", "zstd"},
    {".gz", "gzip", "gzip"},
};

static const struct packing *packing_of(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof packings / sizeof packings[0]; i++) {
        size_t ending = strlen(packings[i].ending);
        if (length > ending && strcmp(path + length - ending, packings[i].ending) == 0)
            return &packings[i];
    }
    return NULL;
}

size_t vt_unpack_ending(const char *path)
{
    const struct packing *packing = packing_of(path);
    return packing ? strlen(packing->ending) : 0;
}

/* A full disk is the machine's fault, all else the file's. */
static int blame(int status, const char *path, char *text, const struct vt_lab_stop *stop,
                 struct vt_error *error)
{
    static const int disk[] = {ENOSPC, EDQUOT};

    if (status == -EINTR || status == -ETIME)
        return vt_lab_stop_tell(stop, status, error, "unpacking");
    for (size_t i = 0; text && i < sizeof disk / sizeof disk[0]; i++)
        if (strstr(text, strerror(disk[i])))
            return vt_error_set(error, VT_EXIT_ENVIRONMENT, disk[i], "cannot unpack '%s': %s (see TMPDIR)",
                                path, strerror(disk[i]));
    if (status == 128 + SIGXFSZ || (text && strstr(text, strerror(EFBIG))))
        return vt_error_set(error, VT_EXIT_USAGE, EFBIG, "cannot unpack '%s': it is too large", path);
    return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "cannot unpack '%s': %s", path,
                        text && *text ? vt_program_last_line(text) : "no reason given");
}

static int run(char *const *argv, const char *folder, const char *path, const struct vt_lab_stop *stop,
               struct vt_error *error)
{
    char *text = NULL;
    int status = vt_program_run(argv, folder, &text, stop);
    if (status != 0)
        blame(status, path, text, stop, error);
    free(text);
    return status == 0 ? 0 : -EINVAL;
}

int vt_unpack(const char *path, const char *folder, char **unpacked, const struct vt_lab_stop *stop,
              struct vt_error *error)
{
    const struct packing *packing = packing_of(path);
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

    *unpacked = packing ? vt_workspace_path(folder, base) : strdup(path);
    if (!*unpacked)
        return vt_error_memory(error, "the path of what is unpacked");
    if (!packing)
        return 0;
    int status = vt_program_require(packing->program, packing->package, error);
    if (status == 0)
        status = run((char *[]){"cp", "--", (char *)path, *unpacked, NULL}, NULL, path, stop, error);
    if (status == 0)
        status = run((char *[]){(char *)packing->program, "-d", "-q", "-f", (char *)base, NULL}, folder, path,
                     stop, error);
    if (status == 0) {
        (*unpacked)[strlen(*unpacked) - strlen(packing->ending)] = '\0';
    } else {
        free(*unpacked);
        *unpacked = NULL;
    }
    return status;
}
