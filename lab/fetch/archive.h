/*
 * Writes an initial root file system: a cpio archive in the "newc" format
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Equal calls give
 * equal bytes: no times, no owners.
 */
#ifndef VT_LAB_FETCH_ARCHIVE_H
#define VT_LAB_FETCH_ARCHIVE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vt_archive {
    FILE *stream;
    const char *path; /* the caller's */
    uint32_t entries;
    int failed; /* errno of the first write that failed */
};

/* Create `path`. Exactly one vt_archive_close must follow. */
int vt_archive_open(struct vt_archive *archive, const char *path, struct vt_error *error);

/* Names have no leading slash; parent folders are made where they are missing from the archive's point of
 * view: add them first. */
void vt_archive_folder(struct vt_archive *archive, const char *name);
void vt_archive_device(struct vt_archive *archive, const char *name, unsigned major, unsigned minor);
void vt_archive_data(struct vt_archive *archive, const char *name, unsigned mode, const void *data,
                     size_t size);

/* Add the file `path` of this machine under `name`. */
int vt_archive_file(struct vt_archive *archive, const char *name, unsigned mode, const char *path,
                    struct vt_error *error);

/* Ends the archive; tells of any write that failed since it was opened. */
int vt_archive_close(struct vt_archive *archive, struct vt_error *error);

#endif
