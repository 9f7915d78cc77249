/* Kernel modules in a folder (a build tree or lib/modules/VERSION), in the order they need each other. */
#ifndef VT_LAB_FETCH_MODULES_H
#define VT_LAB_FETCH_MODULES_H

#include "base/error.h"
#include "lab/fetch/stop.h"

#include <stddef.h>

#define VT_LAB_MODULES_MOST 32

struct vt_lab_modules {
    char *paths[VT_LAB_MODULES_MOST]; /* owned */
    size_t count;
};

/*
 * Find `name` ("kvm-amd") and what it depends on below `folder`; packed ones are
 * unpacked into `scratch`. A module that is not there must be built into the kernel,
 * and the folder say so.
 */
int vt_lab_modules_find(struct vt_lab_modules *modules, const char *folder, const char *scratch,
                        const char *name, const struct vt_lab_stop *stop, struct vt_error *error);

void vt_lab_modules_release(struct vt_lab_modules *modules);

#endif
