#include "result/load/source.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 1 << 17 };

static int cannot_read(const struct vt_source *source, int number, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_USAGE, number, "cannot read '%s': %s", source->name, strerror(number));
}

static int widen(struct vt_source *source, size_t room, struct vt_error *error)
{
    unsigned char *buffer = vt_memory_grow(source->buffer, source->room, room - source->room, 1);
    if (!buffer)
        return vt_error_memory(error, source->name);
    source->bytes = source->buffer = buffer;
    source->room = room;
    return 0;
}

int vt_source_open(struct vt_source *source, const char *path, const struct vt_load_part *part,
                   struct vt_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    *source = (struct vt_source){.name = standard ? "standard input" : path, .end = UINT64_MAX};
    source->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0)
        return cannot_read(source, errno, error);
    off_t here = lseek(source->fd, 0, SEEK_CUR);
    source->seekable = here >= 0;
    if (here > 0) /* standard input, begun by someone else */
        source->position = source->start = (uint64_t)here;
    if (part && part->offset)
        source->position = source->start = part->offset;
    if (part)
        source->end = part->end;
    if (source->position && lseek(source->fd, (off_t)source->position, SEEK_SET) < 0)
        return cannot_read(source, errno, error);
    int status = widen(source, WINDOW, error);
    if (status)
        vt_source_release(source);
    return status;
}

void vt_source_memory(struct vt_source *source, const char *name, const void *data, size_t size)
{
    *source = (struct vt_source){.name = name, .fd = -1, .bytes = data, .size = size};
}

void vt_source_release(struct vt_source *source)
{
    free(source->buffer);
    if (source->fd > STDIN_FILENO)
        close(source->fd);
    source->buffer = NULL;
    source->fd = -1;
}

static bool holds(const struct vt_source *source, uint64_t offset)
{
    return offset >= source->start && offset - source->start <= source->size;
}

/* Make `offset` the window's start. */
static int move(struct vt_source *source, uint64_t offset, struct vt_error *error)
{
    if (holds(source, offset)) {
        source->size -= (size_t)(offset - source->start);
        memmove(source->buffer, source->buffer + (offset - source->start), source->size);
    } else if (!source->seekable) {
        return -ESPIPE;
    } else if (lseek(source->fd, (off_t)offset, SEEK_SET) < 0) {
        return cannot_read(source, errno, error);
    } else {
        source->position = offset;
        source->size = 0;
    }
    source->start = offset;
    return 0;
}

/* 0 at the end of the input. */
static ssize_t read_more(struct vt_source *source, struct vt_error *error)
{
    size_t room = source->room - source->size;
    if (room > source->end - source->position)
        room = (size_t)(source->end - source->position);
    for (;;) {
        ssize_t size = room ? read(source->fd, source->buffer + source->size, room) : 0;
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return cannot_read(source, errno, error);
        source->size += (size_t)size;
        source->position += (size_t)size;
        return size;
    }
}

ssize_t vt_source_at(struct vt_source *source, uint64_t offset, size_t least, const unsigned char **bytes,
                     struct vt_error *error)
{
    ssize_t more = 1;
    bool there = holds(source, offset) && source->size - (size_t)(offset - source->start) >= least;
    if (source->fd >= 0 && !there) {
        more = move(source, offset, error);
        if (more == 0 && least > source->room)
            more = widen(source, least, error);
        if (more < 0)
            return more;
        for (more = 1; more > 0 && source->size < least;)
            more = read_more(source, error);
        if (more < 0)
            return more;
    }
    size_t before = (size_t)(offset - source->start);
    *bytes = source->bytes + before;
    return before < source->size ? (ssize_t)(source->size - before) : 0;
}
