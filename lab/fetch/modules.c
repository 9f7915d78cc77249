#include "lab/fetch/modules.h"
#include "base/file.h"
#include "lab/fetch/unpack.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LARGEST ((size_t)256 << 20)

struct place {
    const char *folder, *scratch;
};

static bool same_word(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (a[i] != b[i] && !(strchr("-_", a[i]) && strchr("-_", b[i])))
            return false;
    return true;
}

int vt_lab_modules_same(const char *path, const char *name)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t length = strlen(name), whole = strlen(base) - vt_unpack_ending(base);
    return whole == length + 3 && same_word(base, name, length) && strncmp(base + length, ".ko", 3) == 0;
}

/* The first file of that name, malloc'ed; NULL when there is none. */
static char *find_file(const char *folder, const char *name)
{
    char *roots[] = {strdup(folder), NULL}, *found = NULL;
    FTS *tree = roots[0] ? fts_open(roots, FTS_PHYSICAL | FTS_NOSTAT | FTS_NOCHDIR, NULL) : NULL;

    for (FTSENT *entry; tree && !found && (entry = fts_read(tree));)
        if ((entry->fts_info == FTS_NSOK || entry->fts_info == FTS_F) &&
            vt_lab_modules_same(entry->fts_name, name))
            found = strdup(entry->fts_path);
    if (tree)
        fts_close(tree);
    free(roots[0]);
    return found;
}

/* Section .modinfo holds "depends=kvm,ccp" and a 0 byte. Returns a copy, "" when there is no such line. */
static int read_dependencies(const char *path, char **list, struct vt_error *error)
{
    static const char key[] = "depends=";
    char *data;
    size_t size;

    int status = vt_file_read(path, LARGEST, &data, &size, error);
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
        if (vt_lab_modules_same(modules->paths[i], name))
            return true;
    return false;
}

static int visit(struct vt_lab_modules *modules, const struct place *place, const char *name, int depth,
                 struct vt_error *error)
{
    char *list = NULL, *path = NULL, *found = known(modules, name) ? NULL : find_file(place->folder, name);

    if (!found)
        return 0;
    int status = vt_unpack(found, place->scratch, &path, error);
    free(found);
    if (status == 0)
        status = read_dependencies(path, &list, error);
    for (char *rest = list; status == 0 && rest;) {
        char *word = strsep(&rest, ",");
        if (*word && depth < VT_LAB_MODULES_MOST)
            status = visit(modules, place, word, depth + 1, error);
    }
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
                        const char *name, struct vt_error *error)
{
    const struct place place = {folder, scratch};
    struct stat status;

    *modules = (struct vt_lab_modules){0};
    if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))
        return vt_error_set(error, VT_EXIT_USAGE, ENOTDIR, "'%s' is not a folder of kernel modules", folder);
    int result = visit(modules, &place, name, 0, error);
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
