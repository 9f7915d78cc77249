#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_LINKS = 40 }; /* path_resolution(7) */

static int refuse(struct vt_place *place, int number, const char *why)
{
    place->why = why;
    return -number;
}

/* The kernel's fs.protected_symlinks, fs.protected_regular and fs.protected_fifos (Linux, sysctl/fs.rst). */
static bool is_planted(const struct vt_place *place)
{
    struct stat folder;
    const mode_t open_to_all = S_ISVTX | S_IWOTH;
    return fstat(place->folder, &folder) == 0 && (folder.st_mode & open_to_all) == open_to_all &&
           place->status.st_uid != geteuid() && place->status.st_uid != folder.st_uid;
}

/* /dev/stdout leads to /proc/self/fd/1: what it stands for may have no name, or be appended to. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) != 0 || path[length] < '0' || path[length] > '9')
            continue;
        char *end;
        long number = strtol(path + length, &end, 10);
        if (*end == '\0' && number <= INT_MAX)
            return (int)number;
    }
    return -1;
}

static int duplicate(struct vt_place *place, int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return refuse(place, EBADF, "that descriptor is not open for writing");
    fflush(stdout); /* what was printed before comes before */
    place->special = true;
    place->direct = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return place->direct < 0 ? -errno : 0;
}

static int enter(struct vt_place *place, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    char *name = strdup(slash ? slash + 1 : path);
    if (!folder || !name) {
        free(folder);
        free(name);
        return -ENOMEM;
    }
    int from = place->folder < 0 ? AT_FDCWD : place->folder;
    int fd = openat(from, folder, O_PATH | O_DIRECTORY | O_CLOEXEC), number = errno;
    free(folder);
    if (place->folder >= 0)
        close(place->folder);
    free(place->name);
    place->folder = fd;
    place->name = name;
    return fd < 0 ? -number : *name ? 0 : -EISDIR;
}

static bool is_of_procfs(int folder)
{
    struct statfs system;
    return fstatfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/* What `place` names: 1 when it is a link to go on with, written to `path`. */
static int look(struct vt_place *place, bool by_link, char path[PATH_MAX])
{
    if (fstatat(place->folder, place->name, &place->status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT && by_link)
            return refuse(place, ENOENT, "it is a link that leads nowhere; remove the link first");
        return errno == ENOENT ? 0 : -errno;
    }
    place->exists = true;
    mode_t type = place->status.st_mode & S_IFMT;
    if (type == S_IFDIR)
        return -EISDIR;
    if ((type == S_IFLNK || type == S_IFREG || type == S_IFIFO) && is_planted(place))
        return refuse(place, EACCES,
                      type == S_IFLNK ? "it is a link of another user in a folder that anyone may write to"
                                      : "it belongs to another user, in a folder that anyone may write to");
    if (type == S_IFREG)
        return 0;
    /* A link of procfs leads to an open file, whatever its text says. */
    place->special = type != S_IFLNK || is_of_procfs(place->folder);
    if (place->special)
        return 0;
    ssize_t length = readlinkat(place->folder, place->name, path, PATH_MAX - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    place->exists = false;
    return 1;
}

int vt_place_find(struct vt_place *place, const char *path)
{
    char link[PATH_MAX];
    *place = (struct vt_place){.folder = -1, .direct = -1};
    for (int links = 0; links <= MOST_LINKS; links++) {
        int descriptor = descriptor_of(path);
        int status = descriptor >= 0 ? duplicate(place, descriptor) : enter(place, path);
        if (status == 0 && descriptor < 0)
            status = look(place, links > 0, link);
        if (status == -ENOENT && links > 0 && !place->why)
            return refuse(place, ENOENT, "it is a link that leads nowhere; remove the link first");
        if (status <= 0)
            return status;
        path = link;
    }
    return refuse(place, ELOOP, "its links lead in a circle");
}

int vt_place_open(struct vt_place *place)
{
    int fd = place->direct;
    place->direct = -1;
    if (fd < 0)
        fd = openat(place->folder, place->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

int vt_place_keep(struct vt_place *place, int fd)
{
    struct stat now;
    if (fstat(fd, &now) != 0)
        return -errno;
    bool same = now.st_uid == place->status.st_uid && now.st_gid == place->status.st_gid;
    if (!same && fchown(fd, place->status.st_uid, place->status.st_gid) != 0)
        return refuse(place, errno,
                      "replacing it would change whose file it is; remove it first, or name another file");
    return fchmod(fd, place->status.st_mode & 07777) == 0 ? 0 : -errno;
}

void vt_place_release(struct vt_place *place)
{
    if (place->folder >= 0)
        close(place->folder);
    if (place->direct >= 0)
        close(place->direct);
    free(place->name);
    *place = (struct vt_place){.folder = -1, .direct = -1};
}
