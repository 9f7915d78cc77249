#include "base/leftover.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NOTED = 4, MOST_LEVELS = 16 };

/* A signal handler has nothing but what is static. */
static struct {
    _Atomic(const char *) name;
    atomic_int folder;
} noted[MOST_NOTED];

void vt_leftover_note(int folder, const char *name)
{
    for (int i = 0; i < MOST_NOTED; i++)
        if (!atomic_load(&noted[i].name)) {
            atomic_store(&noted[i].folder, folder);
            atomic_store(&noted[i].name, name);
            return;
        }
}

void vt_leftover_forget(const char *name)
{
    for (int i = 0; i < MOST_NOTED; i++)
        if (name && atomic_load(&noted[i].name) == name)
            atomic_store(&noted[i].name, NULL);
}

void vt_leftover_drop(void)
{
    for (int i = 0; i < MOST_NOTED; i++) {
        const char *name = atomic_load(&noted[i].name);
        if (name)
            unlinkat(atomic_load(&noted[i].folder), name, 0);
    }
}

/* Where a file system knows no locks, nothing is swept either. */
int vt_leftover_claim(int fd)
{
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return -EAGAIN;
    return fstat(fd, &status) == 0 && status.st_nlink == 0 ? -EAGAIN : 0;
}

static void empty(int folder, int levels);

static void remove_one(int folder, const char *name, int levels)
{
    if (unlinkat(folder, name, 0) == 0 || levels == 0)
        return;
    int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return;
    empty(below, levels - 1);
    unlinkat(folder, name, AT_REMOVEDIR);
}

/* Takes the descriptor. */
static void empty(int folder, int levels)
{
    DIR *entries = fdopendir(folder);
    if (!entries) {
        close(folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_one(folder, entry->d_name, levels);
    closedir(entries);
}

/* PREFIX, digits, "-", and letters or digits. */
static bool is_named(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0)
        return false;
    const char *digits = name + length, *rest = digits + strspn(digits, "0123456789");
    if (rest == digits || *rest != '-' || !rest[1])
        return false;
    while (isalnum((unsigned char)*++rest))
        continue;
    return *rest == '\0';
}

/* A lock, where it is ours and nobody works on it; or -1. Opened for writing: NFS locks nothing else. */
static int lock_abandoned(int folder, const char *name)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_uid != geteuid() ||
        !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return -1;
    int how = S_ISDIR(status.st_mode) ? O_RDONLY | O_DIRECTORY : O_WRONLY;
    int fd = openat(folder, name, how | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct stat opened;
    bool same = fstat(fd, &opened) == 0 && opened.st_ino == status.st_ino && opened.st_dev == status.st_dev;
    if (same && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

void vt_leftover_sweep(int folder, const char *prefix)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries && fd >= 0)
        close(fd);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        int lock = is_named(entry->d_name, prefix) ? lock_abandoned(folder, entry->d_name) : -1;
        if (lock < 0)
            continue;
        remove_one(folder, entry->d_name, MOST_LEVELS);
        close(lock);
    }
    if (entries)
        closedir(entries);
}

static int make_and_claim(char *path)
{
    if (!mkdtemp(path))
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* Another run may have swept it, which nobody had locked yet. */
    int status = fd >= 0 ? vt_leftover_claim(fd) : errno == ENOENT ? -EAGAIN : -errno;
    if (status == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return status;
}

int vt_leftover_make_folder(const char *parent, const char *prefix, char *path, size_t size)
{
    int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock = -EAGAIN;
    if (folder >= 0) {
        vt_leftover_sweep(folder, prefix);
        close(folder);
    }
    for (int attempt = 0; attempt < 10 && lock == -EAGAIN; attempt++) {
        size_t length = (size_t)snprintf(path, size, "%s/%s%ld-XXXXXX", parent, prefix, (long)getpid());
        lock = length < size ? make_and_claim(path) : -ENAMETOOLONG;
    }
    return lock;
}
