#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_write(const struct vt_output *output, int number, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "cannot write '%s': %s", output->name,
                        number == ENOENT ? "its folder does not exist; create it first" : strerror(number));
}

/* The name a rename must replace: behind a symbolic link, the file it leads to. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

static int open_beside(struct vt_output *output)
{
    const char *slash = strrchr(output->target, '/');
    int folder = slash ? (int)(slash - output->target) + 1 : 0;
    for (int attempt = 0; attempt < 100; attempt++) {
        char *name;
        if (asprintf(&name, "%.*s.vmtoll-%ld-%d", folder, output->target, (long)getpid(), attempt) < 0)
            return -ENOMEM;
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        int number = errno;
        if (fd >= 0) {
            output->temporary = name;
            return fd;
        }
        free(name);
        if (number != EEXIST)
            return -number;
    }
    return -EEXIST;
}

static int open_target(struct vt_output *output, const char *path)
{
    if (strcmp(path, "-") == 0) {
        fflush(stdout); /* what was printed before comes before */
        int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
    }
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return -EISDIR;
    if (exists && !S_ISREG(status.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    /* Renaming would replace a file that its owner protected against writing. */
    if (exists && access(path, W_OK) != 0)
        return -errno;
    output->target = resolve(path);
    if (!output->target)
        return -ENOMEM;
    int fd = open_beside(output);
    if (fd >= 0 && exists && fchmod(fd, status.st_mode & 07777) != 0) {
        int number = errno;
        close(fd);
        return -number;
    }
    return fd;
}

int vt_file_create(struct vt_output *output, const char *path, struct vt_error *error)
{
    *output = (struct vt_output){.name = strcmp(path, "-") == 0 ? "standard output" : path};
    if (*path == '\0')
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "the name of the output file is empty");
    int fd = open_target(output, path);
    if (fd >= 0) {
        output->stream = fdopen(fd, "w");
        if (output->stream)
            return 0;
        fd = -errno;
    }
    vt_file_discard(output);
    return cannot_write(output, -fd, error);
}

int vt_file_flush(FILE *stream)
{
    if (ferror(stream))
        putc('\n', stream);
    if (fflush(stream) != 0)
        return errno;
    return ferror(stream) ? EIO : 0;
}

/* fclose reports what the last write left behind; a full disk may show as late as fsync. */
static int finish(struct vt_output *output)
{
    int number = vt_file_flush(output->stream);
    if (number == 0 && output->target && fsync(fileno(output->stream)) != 0)
        number = errno;
    if (fclose(output->stream) != 0 && number == 0)
        number = errno;
    output->stream = NULL;
    return number;
}

int vt_file_commit(struct vt_output *output, struct vt_error *error)
{
    int number = finish(output);
    if (number == 0 && output->target && rename(output->temporary, output->target) != 0)
        number = errno;
    if (number == 0) {
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
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    free(output->target);
    output->stream = NULL;
    output->temporary = output->target = NULL;
}

int vt_file_check(const char *path, struct vt_error *error)
{
    struct vt_output output;
    int status = vt_file_create(&output, path, error);
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
