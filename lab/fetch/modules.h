/* Kernel modules in a folder (a build tree or lib/modules/VERSION), in the order they need each other. */
#ifndef VT_LAB_FETCH_MODULES_H
#define VT_LAB_FETCH_MODULES_H

#include "base/error.h"

#include <stddef.h>

#define VT_LAB_MODULES_MOST 32

struct vt_lab_modules {
    char *paths[VT_LAB_MODULES_MOST]; /* owned */
    size_t count;
};

/*
 * Find `name` ("kvm-amd") and what it depends on below `folder`; packed ones are
 * unpacked into `scratch`. A module that is not there may be built into the kernel:
 * that is no error here.
 */
int vt_lab_modules_find(struct vt_lab_modules *modules, const char *folder, const char *scratch,
                        const char *name, struct vt_error *error);

void vt_lab_modules_release(struct vt_lab_modules *modules);

/* Is `path` the file of module `name`, packed or not? Underscore and dash are the same in a module's name. */
int vt_lab_modules_same(const char *path, const char *name);

#endif
