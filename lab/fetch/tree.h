/*
 * A folder of kernel modules, walked once: a build tree, lib/modules/VERSION, a folder of
 * links to either. Owns: which file is a module's. Does not own: what modules need (modules.h).
 */
#ifndef VT_LAB_FETCH_TREE_H
#define VT_LAB_FETCH_TREE_H

#include "base/error.h"
#include "lab/fetch/stop.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_lab_tree {
    const char *folder; /* the caller's */
    char **paths;       /* of modules, and of lists of modules; owned */
    size_t count;
};

/* Links are followed, but for `build` and `source` of lib/modules/VERSION, which lead to what it was made of.
 */
int vt_lab_tree_open(struct vt_lab_tree *tree, const char *folder, const struct vt_lab_stop *stop,
                     struct vt_error *error);

/* Safe when it failed to open. */
void vt_lab_tree_close(struct vt_lab_tree *tree);

/*
 * The file of module `name` ("kvm-amd"), the tree's; NULL: there is none. Of several that differ
 * modules.dep decides, which is what modprobe goes by; without it they are refused, named.
 */
int vt_lab_tree_find(const struct vt_lab_tree *tree, const char *name, const char **path,
                     struct vt_error *error);

/* Does modules.builtin, or .config of a build tree, say that the kernel has it built in? */
bool vt_lab_tree_has_built_in(const struct vt_lab_tree *tree, const char *name);

/* Is `path` the file of module `name`, packed or not? Underscore and dash are the same in a module's name. */
bool vt_lab_tree_same(const char *path, const char *name);

#endif
