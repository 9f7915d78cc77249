/*
 * Debian packages as a source of files, never installed: downloaded and checked by
 * apt, unpacked by dpkg into the cache folder, checked again before each use
 * against sums of what was unpacked.
 */
#ifndef VT_LAB_FETCH_PACKAGE_H
#define VT_LAB_FETCH_PACKAGE_H

#include "base/error.h"
#include "lab/fetch/stop.h"

struct vt_package {
    char *folder; /* what the package would install, below this folder; owned */
    char name[128], version[128];
};

/*
 * Make `name` available. A meta package stands for the first package it depends on
 * whose name starts with `real` (NULL: take `name` itself); that one's dependencies
 * named after the same version are unpacked with it. Several processes may ask at
 * once: one fetches, the others wait. `note` receives one line of what is being done,
 * or is NULL.
 */
int vt_package_get(struct vt_package *package, const char *name, const char *real,
                   void (*note)(void *context, const char *text), void *context,
                   const struct vt_lab_stop *stop, struct vt_error *error);

void vt_package_release(struct vt_package *package);

#endif
