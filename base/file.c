#include "base/file.h"
#include "base/leftover.h"
#include "base/memory.h"
#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPORARY ".vmtoll-"

static int cannot_write(const struct vt_output *output, int number, struct vt_error *error)
{
    const char *why = output->place.why;
    if (!why && number == ENOENT)
        why = "its folder does not exist; create it first";
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "cannot write '%s': %s", output->name,
                        why ? why : strerror(number));
}

/* What replaces a file that others may not read is never theirs to read, not even while it is written. */
static int open_beside(struct vt_output *output)
{
    vt_leftover_sweep(output->place.folder, TEMPORARY);
    for (int attempt = 0; attempt < 100; attempt++) {
        char *name;
        if (asprintf(&name, TEMPORARY "%ld-%d", (long)getpid(), attempt) < 0)
            return -ENOMEM;
        int fd = openat(output->place.folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        output->place.exists ? 0600 : 0666);
        int number = errno;
        if (fd >= 0 && vt_leftover_claim(fd) == 0) {
            output->temporary = name;
            vt_leftover_note(output->place.folder, name);
            return fd;
        }
        if (fd >= 0)
            close(fd);
        free(name);
        if (fd < 0 && number != EEXIST)
            return -number;
    }
    return -EEXIST;
}

static int open_target(struct vt_output *output, const char *path)
{
    struct vt_place *place = &output->place;
    int status = vt_place_find(place, strcmp(path, "-") == 0 ? "/dev/fd/1" : path);
    if (status < 0)
        return status;
    if (place->special)
        return vt_place_open(place);
    /* Renaming would replace a file that its owner protected against writing. */
    if (place->exists && faccessat(place->folder, place->name, W_OK, AT_EACCESS) != 0)
        return -errno;
    int fd = open_beside(output);
    status = fd >= 0 && place->exists ? vt_place_keep(place, fd) : 0;
    if (status < 0) {
        close(fd);
        return status;
    }
    return fd;
}

/* Takes the descriptor. */
static int open_streams(struct vt_output *output, int fd)
{
    FILE *stream = fdopen(fd, "w");
    int number = errno;
    if (!stream) {
        close(fd);
        return -number;
    }
    output->target = output->temporary ? NULL : stream;
    output->stream = output->temporary ? stream : vt_stream_memory(&output->held, &output->held_size);
    return output->stream ? 0 : -ENOMEM;
}

int vt_file_create(struct vt_output *output, const char *path, struct vt_error *error)
{
    *output = (struct vt_output){
        .name = strcmp(path, "-") == 0 ? "standard output" : path,
        .place = {.folder = -1, .direct = -1},
    };
    if (*path == '\0')
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "the name of the output file is empty");
    int fd = open_target(output, path), status = fd < 0 ? fd : open_streams(output, fd);
    if (status == 0)
        return 0;
    status = cannot_write(output, -status, error);
    vt_file_discard(output);
    return status;
}

int vt_file_flush(FILE *stream)
{
    if (ferror(stream))
        putc('\n', stream);
    if (fflush(stream) != 0)
        return errno;
    return ferror(stream) ? EIO : 0;
}

/* What was held back goes where it should. */
static int let_go(struct vt_output *output)
{
    int number = fclose(output->stream) == 0 ? 0 : ENOMEM;
    output->stream = output->target;
    output->target = NULL;
    if (number == 0)
        fwrite(output->held, 1, output->held_size, output->stream);
    return number;
}

/* fclose reports what the last write left behind; a full disk may show as late as fsync. */
static int finish(struct vt_output *output)
{
    int number = output->target ? let_go(output) : 0;
    if (number == 0)
        number = vt_file_flush(output->stream);
    if (number == 0 && output->temporary && fsync(fileno(output->stream)) != 0)
        number = errno;
    if (fclose(output->stream) != 0 && number == 0)
        number = errno;
    output->stream = NULL;
    return number == EPIPE ? 0 : number; /* who reads no further has what was wanted */
}

int vt_file_commit(struct vt_output *output, struct vt_error *error)
{
    int number = finish(output);
    if (number == 0 && output->temporary &&
        renameat(output->place.folder, output->temporary, output->place.folder, output->place.name) != 0)
        number = errno;
    if (number == 0) {
        vt_leftover_forget(output->temporary);
        free(output->temporary);
        output->temporary = NULL;
    }
    vt_file_discard(output);
    return number ? cannot_write(output, number, error) : 0;
}

void vt_file_discard(struct vt_output *output)
{
    if (output->stream)
        fclose(output->stream);
    if (output->target)
        fclose(output->target);
    free(output->held);
    if (output->temporary)
        unlinkat(output->place.folder, output->temporary, 0);
    vt_leftover_forget(output->temporary);
    free(output->temporary);
    output->stream = output->target = NULL;
    output->held = output->temporary = NULL;
    vt_place_release(&output->place);
}

/* Who reads a pipe would take an open and close for all there is. */
int vt_file_check(const char *path, struct vt_error *error)
{
    struct vt_output output = {.name = path};
    int status = vt_place_find(&output.place, path);
    bool pipe = status == 0 && output.place.special && S_ISFIFO(output.place.status.st_mode);
    if (pipe && faccessat(output.place.folder, output.place.name, W_OK, AT_EACCESS) != 0)
        status = cannot_write(&output, errno, error);
    vt_place_release(&output.place);
    if (pipe)
        return status;
    status = vt_file_create(&output, path, error);
    if (status == 0)
        vt_file_discard(&output);
    return status;
}

int vt_file_write(const char *path, const void *data, size_t size, struct vt_error *error)
{
    struct vt_output output;
    int status = vt_file_create(&output, path, error);
    if (status != 0)
        return status;
    if (fwrite(data, 1, size, output.stream) != size) {
        int number = errno;
        vt_file_discard(&output);
        return cannot_write(&output, number, error);
    }
    return vt_file_commit(&output, error);
}

static int cannot_read(const char *path, int number, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_USAGE, number, "cannot read '%s': %s", path, strerror(number));
}

/* Reads until the end or until there is one byte more than the limit. */
static int slurp(FILE *stream, size_t limit, char **data, size_t *size)
{
    enum { CHUNK = 65536 };
    size_t wanted, got;
    *data = NULL;
    *size = 0;
    do {
        wanted = limit + 1 - *size < CHUNK ? limit + 1 - *size : CHUNK;
        char *more = vt_memory_grow(*data, *size, wanted + 1, 1);
        if (!more)
            return ENOMEM;
        *data = more;
        errno = 0;
        got = fread(*data + *size, 1, wanted, stream);
        *size += got;
        if (ferror(stream))
            return errno ? errno : EIO;
    } while (got == wanted && *size <= limit);
    (*data)[*size] = '\0';
    return *size > limit ? EFBIG : 0;
}

int vt_file_read(const char *path, size_t limit, char **data, size_t *size, struct vt_error *error)
{
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!stream)
        return cannot_read(path, errno, error);
    int number = slurp(stream, limit, data, size);
    if (stream != stdin)
        fclose(stream);
    if (number == 0)
        return 0;
    free(*data);
    *data = NULL;
    if (number == EFBIG)
        return vt_error_set(error, VT_EXIT_USAGE, number, "cannot read '%s': larger than %zu bytes", path,
                            limit);
    return cannot_read(path, number, error);
}
