/*
 * The bytes that are loaded: a file, a part of one, a pipe or memory, seen through
 * a window that moves. Private to the loader. Offsets count from the input's start.
 */
#ifndef VT_RESULT_LOAD_SOURCE_H
#define VT_RESULT_LOAD_SOURCE_H

#include "result/load/load.h"

#include <stdint.h>
#include <sys/types.h>

struct vt_source {
    const char *name; /* for messages; the caller's */
    int fd;           /* -1: memory */
    bool seekable;
    unsigned char *buffer;      /* of a file: owned */
    size_t room;                /* in it */
    const unsigned char *bytes; /* the window */
    uint64_t start;             /* offset of the window */
    size_t size;
    uint64_t position, end; /* of the file: where it is read next, and where it ends for this reader */
};

/* `part` may be NULL: all of it. Release follows success. */
int vt_source_open(struct vt_source *source, const char *path, const struct vt_load_part *part,
                   struct vt_error *error);
void vt_source_memory(struct vt_source *source, const char *name, const void *data, size_t size);
void vt_source_release(struct vt_source *source);

/*
 * The bytes from `offset`: at least `least` of them unless the input ends before;
 * the window grows to hold them.
 * Returns how many; 0 at the end; -ESPIPE where a pipe no longer has them; a negative
 * errno with `error` when reading fails. *bytes lasts until the next call.
 */
ssize_t vt_source_at(struct vt_source *source, uint64_t offset, size_t least, const unsigned char **bytes,
                     struct vt_error *error);

#endif
