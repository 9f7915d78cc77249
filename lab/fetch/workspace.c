#include "lab/fetch/workspace.h"
#include "base/leftover.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *vt_workspace_path(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static const char *temporary_root(void)
{
    const char *root = getenv("TMPDIR");
    return root && *root ? root : "/tmp";
}

int vt_workspace_open(struct vt_workspace *workspace, struct vt_error *error)
{
    char path[PATH_MAX];
    workspace->folder = NULL;
    workspace->lock = vt_leftover_make_folder(temporary_root(), "vmtoll-lab-", path, sizeof path);
    if (workspace->lock < 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, -workspace->lock,
                            "cannot make a temporary folder in '%s': %s (see TMPDIR)", temporary_root(),
                            strerror(-workspace->lock));
    workspace->folder = strdup(path);
    if (workspace->folder)
        return 0;
    rmdir(path);
    close(workspace->lock);
    return vt_error_memory(error, "the working folder's path");
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    remove(path);
    return 0;
}

void vt_workspace_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void vt_workspace_close(struct vt_workspace *workspace)
{
    if (workspace->folder) {
        vt_workspace_remove(workspace->folder);
        close(workspace->lock);
    }
    free(workspace->folder);
    workspace->folder = NULL;
}

/* mkdir -p; the first folders of a path usually exist. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int status = mkdir(path, 0700);
        *slash = '/';
        if (status != 0 && errno != EEXIST)
            return -errno;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Why `path` cannot be trusted with what will be run as a kernel; NULL: it can. */
static const char *distrust(const struct stat *status, mode_t others)
{
    if (status->st_uid != geteuid() && status->st_uid != 0)
        return "belongs to another user";
    return status->st_mode & others && !(status->st_mode & S_ISVTX) ? "can be written to by others" : NULL;
}

/* Who owns a folder above may put another in its place. */
static const char *distrust_above(const char *path, char *above, size_t size)
{
    struct stat status;
    const char *why = NULL;
    snprintf(above, size, "%s", path);
    for (char *slash; !why && (slash = strrchr(above, '/'));) {
        slash[slash == above] = '\0';
        if (stat(above, &status) != 0)
            return strerror(errno);
        why = distrust(&status, S_IWOTH);
        if (slash == above)
            break;
    }
    return why;
}

static int check_cache(const char *path, struct vt_error *error)
{
    struct stat status;
    char at[PATH_MAX];
    const char *why = NULL;
    snprintf(at, sizeof at, "%s", path);
    if (lstat(path, &status) != 0)
        why = strerror(errno);
    else if (!S_ISDIR(status.st_mode))
        why = "is a link or no folder";
    else if (status.st_uid != geteuid())
        why = "belongs to another user";
    else if (status.st_mode & (S_IWGRP | S_IWOTH))
        why = "can be written to by others (chmod go-w takes that away)";
    char *real = why ? NULL : realpath(path, NULL);
    if (!why)
        why = distrust_above(path, at, sizeof at);
    if (!why)
        why = real ? distrust_above(real, at, sizeof at) : strerror(errno);
    free(real);
    return why ? vt_error_set(error, VT_EXIT_ENVIRONMENT, EACCES,
                              "the cache is not used: '%s' %s; set XDG_CACHE_HOME to a folder of your own",
                              at, why)
               : 0;
}

bool vt_workspace_holds(const char *folder, const char *name)
{
    struct stat status;
    if (strncmp(name, "./", 2) == 0)
        name += 2;
    char *path = vt_workspace_path(folder, name), *real = path ? realpath(path, NULL) : NULL;
    char *root = realpath(folder, NULL), *wanted = root ? vt_workspace_path(root, name) : NULL;
    bool holds =
        real && wanted && strcmp(real, wanted) == 0 && lstat(real, &status) == 0 && S_ISREG(status.st_mode);
    free(path);
    free(real);
    free(root);
    free(wanted);
    return holds;
}

/* XDG Base Directory Specification: a relative path in the variable is to be ignored. */
char *vt_workspace_cache(struct vt_error *error)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path = NULL;

    if (cache && cache[0] == '/')
        path = vt_workspace_path(cache, "vmtoll");
    else if (home && home[0] == '/')
        path = vt_workspace_path(home, ".cache/vmtoll");
    else {
        vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOENT,
                     "no cache folder: neither XDG_CACHE_HOME nor HOME is set to an absolute path");
        return NULL;
    }
    if (!path) {
        vt_error_memory(error, "the cache folder's path");
        return NULL;
    }
    int status = make_folders(path);
    if (status == 0 && check_cache(path, error) == 0)
        return path;
    if (status)
        vt_error_set(error, VT_EXIT_ENVIRONMENT, -status,
                     "cannot make the cache folder '%s': %s (see XDG_CACHE_HOME)", path, strerror(-status));
    free(path);
    return NULL;
}
