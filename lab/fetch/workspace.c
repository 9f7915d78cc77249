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
    int status = path ? make_folders(path) : vt_error_memory(error, "the cache folder's path");
    if (status == 0)
        return path;
    if (path)
        vt_error_set(error, VT_EXIT_ENVIRONMENT, -status,
                     "cannot make the cache folder '%s': %s (see XDG_CACHE_HOME)", path, strerror(-status));
    free(path);
    return NULL;
}
