/*
 * A folder of kernel modules: what .modinfo says they depend on, what the kernel says is built in. Files of
 * the input, with a line "--" between them, in the order of `names`. Whatever they hold, each module is found
 * once, before those that need it, or one line says why not.
 */
#include "lab/fetch/modules.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"kvm-amd.ko",  "kvm.ko",  "ccp.ko",      "modules.builtin",
                                    "modules.dep", ".config", "extra/kvm.ko"};
enum { NAMES = sizeof names / sizeof names[0] };

static char folder[64];

static void remove_folder(void)
{
    char path[128];
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/extra", folder);
    rmdir(path);
    rmdir(folder);
}

static bool make_folder(void)
{
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char extra[128];
    if (*folder)
        return true;
    snprintf(folder, sizeof folder, "%s/vmtoll-fuzz-XXXXXX", place);
    if (!mkdtemp(folder)) {
        *folder = '\0';
        return false;
    }
    snprintf(extra, sizeof extra, "%s/extra", folder);
    atexit(remove_folder);
    return mkdir(extra, 0700) == 0;
}

/* A part that is missing is a file that is missing. */
static void lay(const char *name, const uint8_t *data, size_t size, bool there)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!there) {
        unlink(path);
        return;
    }
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    if (fwrite(data, 1, size, file) != size)
        abort();
    fclose(file);
}

static void lay_all(const uint8_t *data, size_t size)
{
    bool there = true;
    for (size_t i = 0; i < NAMES; i++) {
        const uint8_t *cut = there ? memmem(data, size, "\n--\n", 4) : NULL;
        size_t part = cut ? (size_t)(cut - data) : size;
        lay(names[i], data, part, there);
        there = cut != NULL;
        data = cut ? cut + 4 : data;
        size = cut ? size - part - 4 : 0;
    }
}

static void check(const struct vt_lab_modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(modules->paths[i], modules->paths[k]) == 0)
                __builtin_trap(); /* loaded twice */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vt_lab_stop never;
    struct vt_error error = {.text = ""};
    struct vt_lab_modules modules;

    if (!make_folder())
        return 0;
    lay_all(data, size);
    if (vt_lab_modules_find(&modules, folder, folder, "kvm-amd", &never, &error) == 0) {
        check(&modules);
        vt_lab_modules_release(&modules);
    } else if (!*error.text || strchr(error.text, '\n')) {
        __builtin_trap(); /* one clear line, always */
    }
    return 0;
}
