/*
 * Files as the program reads and writes them: bounded reads, all-or-nothing writes.
 *
 * A file is written under a temporary name beside its target and renamed when
 * complete, so a reader sees the old file or the new one. What cannot be renamed
 * over (a device, a pipe) is written at the end and at once, and checked all the same. What is
 * replaced keeps its mode and owner (base/place.h says which links are followed). "-"
 * names standard input or standard output.
 */
#ifndef VT_BASE_FILE_H
#define VT_BASE_FILE_H

#include "base/error.h"
#include "base/place.h"

#include <stddef.h>
#include <stdio.h>

struct vt_output {
    FILE *stream;          /* write here; owned by the output */
    struct vt_place place; /* where it will be */
    char *temporary;       /* its name in that folder until then; NULL: held back in memory */
    FILE *target;          /* for what is held back */
    char *held;            /* what is */
    size_t held_size;
    const char *name; /* as the caller gave it; the caller's */
};

/*
 * Open `path` for writing. Fails at once where the folder is missing or may not
 * be written to. On success exactly one of commit and discard must follow.
 */
int vt_file_create(struct vt_output *output, const char *path, struct vt_error *error);

/* Bring what was written to the disk and to its name. On failure the target is as before. A pipe whose reader
 * went away is no failure. */
int vt_file_commit(struct vt_output *output, struct vt_error *error);

/*
 * Flush `stream`. Returns 0, or the positive errno of a write that failed now or
 * earlier: stdio remembers that one failed, not why, so a failed stream is asked
 * to write once more.
 */
int vt_file_flush(FILE *stream);

/* Forget what was written. */
void vt_file_discard(struct vt_output *output);

/* Could `path` be written? Leaves nothing behind. */
int vt_file_check(const char *path, struct vt_error *error);

/* create, write, commit. */
int vt_file_write(const char *path, const void *data, size_t size, struct vt_error *error);

/*
 * Read all of `path`. On success *data is malloc'ed, the caller's, and followed by
 * a 0 byte that *size does not count. More than `limit` bytes is an error
 * (-EFBIG): input is never read without bound.
 */
int vt_file_read(const char *path, size_t limit, char **data, size_t *size, struct vt_error *error);

#endif
