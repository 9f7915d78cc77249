#include "lab/fetch/tree.h"
#include "base/file.h"
#include "base/memory.h"
#include "lab/fetch/unpack.h"
#include "lab/fetch/workspace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LARGEST      ((size_t)256 << 20) /* a module with its debugging information */
#define LARGEST_LIST ((size_t)16 << 20)

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool same_word(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (a[i] != b[i] && !(strchr("-_", a[i]) && strchr("-_", b[i])))
            return false;
    return true;
}

bool vt_lab_tree_same(const char *path, const char *name)
{
    const char *base = base_of(path);
    size_t length = strlen(name), whole = strlen(base) - vt_unpack_ending(base);
    return whole == length + 3 && same_word(base, name, length) && strncmp(base + length, ".ko", 3) == 0;
}

static bool is_module(const char *name)
{
    size_t whole = strlen(name) - vt_unpack_ending(name);
    return whole > 3 && strncmp(name + whole - 3, ".ko", 3) == 0;
}

/* A folder on the way down; NULL is above the first. */
struct place {
    const struct place *above;
    dev_t device;
    ino_t inode;
};

struct walk {
    struct vt_lab_tree *tree;
    const struct vt_lab_stop *stop;
};

static bool is_wanted(const struct place *folder, const char *name)
{
    return is_module(name) || strcmp(name, "modules.dep") == 0 || strcmp(name, "modules.builtin") == 0 ||
           (folder && !folder->above && strcmp(name, ".config") == 0);
}

static bool leads_away(const char *path)
{
    struct stat status;
    return (strcmp(base_of(path), "build") == 0 || strcmp(base_of(path), "source") == 0) &&
           lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* By a link to a folder that it lies in. */
static bool is_below_itself(const struct place *folder)
{
    const struct place *above = folder->above;
    while (above && (above->device != folder->device || above->inode != folder->inode))
        above = above->above;
    return above;
}

static int add(struct vt_lab_tree *tree, const char *path)
{
    char *copy = strdup(path), **more = vt_memory_grow(tree->paths, tree->count, 1, sizeof *more);

    if (more)
        tree->paths = more;
    if (!copy || !more) {
        free(copy);
        return -ENOMEM;
    }
    tree->paths[tree->count++] = copy;
    return 0;
}

static int enter(struct walk *walk, const struct place *folder, const char *path);

static int take(struct walk *walk, const struct place *folder, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return is_wanted(folder, base_of(path)) ? add(walk->tree, path) : 0;
    struct place below = {folder, status.st_dev, status.st_ino};
    return is_below_itself(&below) || (folder && leads_away(path)) ? 0 : enter(walk, &below, path);
}

static int take_entry(struct walk *walk, const struct place *folder, const char *path, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    char *below = vt_workspace_path(path, name);
    int status = below ? take(walk, folder, below) : -ENOMEM;
    free(below);
    return status ? status : vt_lab_stop_asked(walk->stop);
}

/* In the order of names; a folder that may not be read has nothing. Not by fts(3): glibc's takes files in any
 * order where there is no memory to sort them, and its fts_open crashes. */
static int enter(struct walk *walk, const struct place *folder, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), status = 0;
    if (count < 0)
        return errno == ENOMEM ? -ENOMEM : 0;
    for (int i = 0; i < count; i++) {
        if (status == 0)
            status = take_entry(walk, folder, path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return status;
}

int vt_lab_tree_open(struct vt_lab_tree *tree, const char *folder, const struct vt_lab_stop *stop,
                     struct vt_error *error)
{
    struct walk walk = {tree, stop};
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    *tree = (struct vt_lab_tree){.folder = folder};
    char *root = strndup(folder, length);
    int status = root ? take(&walk, NULL, root) : -ENOMEM;
    free(root);
    if (status == -EINTR || status == -ETIME)
        return vt_lab_stop_tell(stop, status, error, "looking for modules");
    return status == 0 ? 0 : vt_error_memory(error, "the names of the modules");
}

void vt_lab_tree_close(struct vt_lab_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->paths[i]);
    free(tree->paths);
    *tree = (struct vt_lab_tree){0};
}

static char *read_list(const char *path)
{
    struct vt_error ignored;
    struct stat status;
    char *text = NULL;
    size_t size;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        vt_file_read(path, LARGEST_LIST, &text, &size, &ignored);
    return text;
}

static bool same_bytes(const char *a, const char *b)
{
    struct vt_error ignored;
    char *data[2] = {NULL};
    size_t size[2] = {0};
    bool same = vt_file_read(a, LARGEST, &data[0], &size[0], &ignored) == 0 &&
                vt_file_read(b, LARGEST, &data[1], &size[1], &ignored) == 0 && size[0] == size[1] &&
                memcmp(data[0], data[1], size[0]) == 0;
    free(data[0]);
    free(data[1]);
    return same;
}

/* The same file under two names, or a copy of it. */
static bool is_one(const char *a, const char *b)
{
    struct stat one, other;
    if (stat(a, &one) != 0 || stat(b, &other) != 0)
        return false;
    if (one.st_dev == other.st_dev && one.st_ino == other.st_ino)
        return true;
    return S_ISREG(one.st_mode) && S_ISREG(other.st_mode) && one.st_size == other.st_size && same_bytes(a, b);
}

/* "kernel/arch/x86/kvm/kvm.ko.xz: kernel/virt/lib/irqbypass.ko.xz", beside which they lie. */
static bool is_listed(const char *list, char *text, const char *path)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        char full[PATH_MAX];
        line[strcspn(line, ":")] = '\0';
        int folder = line[0] == '/' ? 0 : (int)(base_of(list) - list);
        if (strcmp(base_of(line), base_of(path)) == 0 &&
            snprintf(full, sizeof full, "%.*s%s", folder, list, line) < (int)sizeof full &&
            is_one(full, path))
            return true;
    }
    return false;
}

static bool is_chosen(const struct vt_lab_tree *tree, const char *path)
{
    bool chosen = false;
    for (size_t i = 0; !chosen && i < tree->count; i++) {
        char *text = strcmp(base_of(tree->paths[i]), "modules.dep") == 0 ? read_list(tree->paths[i]) : NULL;
        chosen = text && is_listed(tree->paths[i], text, path);
        free(text);
    }
    return chosen;
}

/* The first, and the first that is another; both NULL where there is none. */
static void find_two(const struct vt_lab_tree *tree, const char *name, bool listed, const char *found[2])
{
    found[0] = found[1] = NULL;
    for (size_t i = 0; !found[1] && i < tree->count; i++) {
        const char *path = tree->paths[i];
        if (!vt_lab_tree_same(path, name) || (listed && !is_chosen(tree, path)))
            continue;
        if (!found[0])
            found[0] = path;
        else if (!is_one(found[0], path))
            found[1] = path;
    }
}

int vt_lab_tree_find(const struct vt_lab_tree *tree, const char *name, const char **path,
                     struct vt_error *error)
{
    const char *found[2], *listed[2];

    find_two(tree, name, false, found);
    *path = found[0];
    if (!found[1])
        return 0;
    find_two(tree, name, true, listed);
    *path = listed[0];
    if (listed[0] && !listed[1])
        return 0;
    return vt_error_set(
        error, VT_EXIT_USAGE, ENOTUNIQ,
        "two files of the module %s: '%s' and '%s': give the folder of one of them, or one with a "
        "modules.dep that decides",
        name, found[0], found[1]);
}

/* "CONFIG_KVM_AMD=y" */
static bool is_configured(const char *text, const char *name)
{
    char option[80];
    int length = snprintf(option, sizeof option, "\nCONFIG_%s=y\n", name);

    for (char *at = option + strlen("\nCONFIG_"); *at && *at != '='; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    return length < (int)sizeof option && strstr(text, option);
}

static bool is_built_in(char *text, const char *name)
{
    for (char *line; (line = strsep(&text, "\n"));)
        if (vt_lab_tree_same(line, name))
            return true;
    return false;
}

bool vt_lab_tree_has_built_in(const struct vt_lab_tree *tree, const char *name)
{
    bool found = false;
    for (size_t i = 0; !found && i < tree->count; i++) {
        const char *base = base_of(tree->paths[i]);
        if (strcmp(base, "modules.builtin") != 0 && strcmp(base, ".config") != 0)
            continue;
        char *text = read_list(tree->paths[i]);
        found = text && (*base == '.' ? is_configured(text, name) : is_built_in(text, name));
        free(text);
    }
    return found;
}
