/*
 * Finds and reads many result files: operands that are files or folders, on all
 * cores, streaming.
 */
#ifndef VT_FLEET_GATHER_H
#define VT_FLEET_GATHER_H

#include "base/error.h"
#include "fleet/fleet.h"

#include <stddef.h>

struct vt_gather {
    char **files; /* owned */
    size_t count;
    void *seen; /* which files these are; owned */
};

/* Add a file, or every *.json and *.jsonl below a folder. What was added before, by whatever name, is not
 * added again. */
int vt_gather_add(struct vt_gather *gather, const char *path, struct vt_error *error);

/* Add the files named in `path` ("-": standard input), one per line; if there is a NUL in it, each ended by
 * one. */
int vt_gather_list(struct vt_gather *gather, const char *path, struct vt_error *error);

void vt_gather_release(struct vt_gather *gather);

/*
 * Read all files into the fleet. What is bad, a file or a document among others in
 * it, is reported through `complain` (called from one thread at a time) and skipped;
 * *bad counts them. 0, or -ENOMEM.
 */
int vt_gather_read(const struct vt_gather *gather, struct vt_fleet *fleet,
                   void (*complain)(const struct vt_error *error), size_t *bad, struct vt_error *error);

#endif
