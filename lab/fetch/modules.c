#include "lab/fetch/modules.h"
#include "base/file.h"
#include "lab/fetch/given.h"
#include "lab/fetch/tree.h"
#include "lab/fetch/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LARGEST ((size_t)256 << 20)

struct place {
    const char *folder, *scratch;
    const struct vt_lab_stop *stop;
    struct vt_lab_tree tree;
};

/* Section .modinfo holds "depends=kvm,ccp" and a 0 byte. Returns a copy, "" when there is no such line. */
static int read_dependencies(const char *path, char **list, struct vt_error *error)
{
    static const char key[] = "depends=";
    char *data;
    size_t size;

    int status = vt_given_check(path, "the module", error);
    if (status == 0)
        status = vt_file_read(path, LARGEST, &data, &size, error);
    if (status != 0)
        return status;
    bool elf = size > 4 && memcmp(data, "\177ELF", 4) == 0;
    const char *line = NULL;
    if (elf)
        line = memmem(data, size, "\0depends=", sizeof key);
    *list = strdup(line ? line + sizeof key : "");
    free(data);
    if (!elf)
        return vt_error_set(error, VT_EXIT_USAGE, ENOEXEC, "'%s' is not a kernel module", path);
    return *list ? 0 : vt_error_memory(error, "a module's dependencies");
}

static bool known(const struct vt_lab_modules *modules, const char *name)
{
    for (size_t i = 0; i < modules->count; i++)
        if (vt_lab_tree_same(modules->paths[i], name))
            return true;
    return false;
}

/* Where it lies, unpacked if need be; NULL and 0: the kernel has it built in. */
static int get_module(const struct place *place, const char *name, const char *needed_by, char **path,
                      struct vt_error *error)
{
    const char *found;
    int status = vt_lab_tree_find(&place->tree, name, &found, error);

    *path = NULL;
    if (status != 0)
        return status;
    if (found && vt_given_check(found, "the module", error) != 0)
        return -EINVAL;
    if (found)
        return vt_unpack(found, place->scratch, path, place->stop, error);
    if (vt_lab_tree_has_built_in(&place->tree, name))
        return 0;
    if (needed_by)
        return vt_error_set(error, VT_EXIT_USAGE, ENOENT,
                            "'%s' holds no %s.ko, and %s.ko does not load without it", place->folder, name,
                            needed_by);
    return vt_error_set(
        error, VT_EXIT_USAGE, ENOENT,
        "'%s' has no KVM for this lab: it holds no %s.ko, and no modules.builtin or .config that "
        "says the kernel has it built in",
        place->folder, name);
}

static int visit(struct vt_lab_modules *modules, const struct place *place, const char *name,
                 const char *needed_by, int depth, struct vt_error *error);

static int visit_needed(struct vt_lab_modules *modules, const struct place *place, const char *name,
                        char *list, int depth, struct vt_error *error)
{
    int status = 0;
    for (char *word; status == 0 && (word = strsep(&list, ","));)
        if (*word && depth < VT_LAB_MODULES_MOST)
            status = visit(modules, place, word, name, depth + 1, error);
    return status;
}

static int visit(struct vt_lab_modules *modules, const struct place *place, const char *name,
                 const char *needed_by, int depth, struct vt_error *error)
{
    char *list = NULL, *path = NULL;
    int status = known(modules, name) ? 0 : get_module(place, name, needed_by, &path, error);

    if (status != 0 || !path)
        return status;
    status = read_dependencies(path, &list, error);
    if (status == 0)
        status = visit_needed(modules, place, name, list, depth, error);
    free(list);
    if (status == 0 && modules->count == VT_LAB_MODULES_MOST)
        status = vt_error_set(error, VT_EXIT_USAGE, E2BIG, "'%s' depends on more than %d modules", name,
                              VT_LAB_MODULES_MOST);
    if (status == 0)
        modules->paths[modules->count++] = path;
    else
        free(path);
    return status;
}

int vt_lab_modules_find(struct vt_lab_modules *modules, const char *folder, const char *scratch,
                        const char *name, const struct vt_lab_stop *stop, struct vt_error *error)
{
    struct place place = {folder, scratch, stop, {0}};
    struct stat status;

    *modules = (struct vt_lab_modules){0};
    if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))
        return vt_error_set(error, VT_EXIT_USAGE, ENOTDIR, "'%s' is not a folder of kernel modules", folder);
    int result = vt_lab_tree_open(&place.tree, folder, stop, error);
    if (result == 0)
        result = visit(modules, &place, name, NULL, 0, error);
    vt_lab_tree_close(&place.tree);
    if (result != 0)
        vt_lab_modules_release(modules);
    return result;
}

void vt_lab_modules_release(struct vt_lab_modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        free(modules->paths[i]);
    modules->count = 0;
}
