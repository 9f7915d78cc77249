/*
 * Folders of a lab: a temporary one, gone when the lab ends, and the cache, which
 * stays: $XDG_CACHE_HOME/vmtoll, or ~/.cache/vmtoll.
 */
#ifndef VT_LAB_FETCH_WORKSPACE_H
#define VT_LAB_FETCH_WORKSPACE_H

#include "base/error.h"

struct vt_workspace {
    char *folder; /* owned */
    int lock;     /* of it: see base/leftover.h */
};

/* Below $TMPDIR or /tmp. */
int vt_workspace_open(struct vt_workspace *workspace, struct vt_error *error);

/* Removes the folder with everything in it. Safe when it failed to open. */
void vt_workspace_close(struct vt_workspace *workspace);

/* Removes `path` and everything below it; links are not followed. */
void vt_workspace_remove(const char *path);

/* "FOLDER/NAME", malloc'ed and the caller's; NULL: memory is out. */
char *vt_workspace_path(const char *folder, const char *name);

/* The cache folder, made if it is missing; malloc'ed and the caller's. NULL: error is filled. */
char *vt_workspace_cache(struct vt_error *error);

#endif
