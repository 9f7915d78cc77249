#include "lab/fetch/archive.h"
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Modules with debugging information reach tens of megabytes. */
#define LARGEST ((size_t)256 << 20)

static void put(struct vt_archive *archive, const void *data, size_t size)
{
    static const char zeros[4];
    size_t gap = -size & 3;
    errno = 0;
    if (!archive->failed &&
        (fwrite(data, 1, size, archive->stream) != size || fwrite(zeros, 1, gap, archive->stream) != gap))
        archive->failed = errno ? errno : EIO;
}

static void entry(struct vt_archive *archive, const char *name, unsigned mode, unsigned device[2],
                  const void *data, size_t size)
{
    char header[110 + 256];
    size_t length = strlen(name) + 1;
    int used = snprintf(header, sizeof header,
                        "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", ++archive->entries,
                        mode, 0u, 0u, 1u, 0u, size, 0u, 0u, device[0], device[1], length, 0u, name);

    if (used >= (int)sizeof header) {
        archive->failed = ENAMETOOLONG;
        return;
    }
    put(archive, header, (size_t)used + 1);
    put(archive, data, size);
}

int vt_archive_open(struct vt_archive *archive, const char *path, struct vt_error *error)
{
    *archive = (struct vt_archive){.stream = fopen(path, "we"), .path = path};
    if (!archive->stream)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "cannot write '%s': %s", path,
                            strerror(errno));
    return 0;
}

void vt_archive_folder(struct vt_archive *archive, const char *name)
{
    entry(archive, name, S_IFDIR | 0755, (unsigned[]){0, 0}, "", 0);
}

void vt_archive_device(struct vt_archive *archive, const char *name, unsigned major, unsigned minor)
{
    entry(archive, name, S_IFCHR | 0600, (unsigned[]){major, minor}, "", 0);
}

void vt_archive_data(struct vt_archive *archive, const char *name, unsigned mode, const void *data,
                     size_t size)
{
    entry(archive, name, S_IFREG | mode, (unsigned[]){0, 0}, data, size);
}

int vt_archive_file(struct vt_archive *archive, const char *name, unsigned mode, const char *path,
                    struct vt_error *error)
{
    char *data;
    size_t size;
    int status = vt_file_read(path, LARGEST, &data, &size, error);
    if (status != 0)
        return status;
    vt_archive_data(archive, name, mode, data, size);
    free(data);
    return 0;
}

int vt_archive_close(struct vt_archive *archive, struct vt_error *error)
{
    entry(archive, "TRAILER!!!", 0, (unsigned[]){0, 0}, "", 0);
    if (fclose(archive->stream) != 0 && !archive->failed)
        archive->failed = errno;
    archive->stream = NULL;
    if (!archive->failed)
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, archive->failed, "cannot write '%s': %s", archive->path,
                        strerror(archive->failed));
}
