#include "cli/memory.h"
#include "base/leftover.h"
#include "base/process/limit.h"
#include "cli/command.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <locale.h>
#include <pwd.h>
#include <search.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What allocates knows of no caller. */
static struct {
    const char *command;
    atomic_flag said;
} end = {"vmtoll", ATOMIC_FLAG_INIT};

/* Standard output is held back until the command has ended, a file has a temporary name: both are dropped. */
static _Noreturn void give_up(size_t wanted)
{
    struct vt_error error;
    char advice[128];
    while (atomic_flag_test_and_set(&end.said))
        pause(); /* another thread is about to end them all */
    /* No size is so large: another process lacked some, and this one ends as it did (bench/apart.c). */
    vt_limit_advice(ENOMEM, wanted < PTRDIFF_MAX ? wanted : 0, advice, sizeof advice);
    vt_leftover_drop();
    vt_error_memory(&error, "an answer");
    flockfile(stderr); /* to the end: what another thread complains of would stand behind the last line */
    vt_cli_warn("%s: %s: %s", end.command, error.text,
                *advice ? advice : "end other programs, or give this machine or container more");
    _exit(VT_EXIT_ENVIRONMENT);
}

void vt_cli_memory_begin(const char *command)
{
    end.command = command;
    json_set_alloc_funcs(malloc, free);
}

/*
 * ld(1), --wrap: what calls NAME reaches __wrap_NAME, and __real_NAME is the C library's. A function that
 * fails for other reasons, too, says so in errno, which some leave as it was: it is cleared before and, where
 * nothing has set it, had back.
 */
#define STANDS_BEFORE(type, name, parameters, arguments, failed, wanted)                                     \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters                                                                            \
    {                                                                                                        \
        int before = errno;                                                                                  \
        errno = 0;                                                                                           \
        type result = __real_##name arguments;                                                               \
        if ((failed) && errno == ENOMEM)                                                                     \
            give_up(wanted);                                                                                 \
        if (errno == 0)                                                                                      \
            errno = before;                                                                                  \
        return result;                                                                                       \
    }

STANDS_BEFORE(void *, malloc, (size_t size), (size), !result, size)
STANDS_BEFORE(void *, calloc, (size_t count, size_t size), (count, size), !result, count *size)
STANDS_BEFORE(void *, realloc, (void *old, size_t size), (old, size), !result, size)
STANDS_BEFORE(void *, aligned_alloc, (size_t to, size_t size), (to, size), !result, size)
STANDS_BEFORE(char *, strdup, (const char *text), (text), !result, strlen(text) + 1)
STANDS_BEFORE(char *, strndup, (const char *text, size_t most), (text, most), !result,
              strnlen(text, most) + 1)

STANDS_BEFORE(ssize_t, getdelim, (char **line, size_t *size, int end_of_line, FILE *file),
              (line, size, end_of_line, file), result < 0, *size)
STANDS_BEFORE(ssize_t, __getdelim, (char **line, size_t *size, int end_of_line, FILE *file),
              (line, size, end_of_line, file), result < 0, *size)
STANDS_BEFORE(FILE *, fopen, (const char *path, const char *mode), (path, mode), !result, BUFSIZ)
STANDS_BEFORE(FILE *, fdopen, (int fd, const char *mode), (fd, mode), !result, BUFSIZ)
STANDS_BEFORE(FILE *, fopencookie, (void *cookie, const char *mode, cookie_io_functions_t functions),
              (cookie, mode, functions), !result, BUFSIZ)

STANDS_BEFORE(DIR *, opendir, (const char *path), (path), !result, BUFSIZ)
STANDS_BEFORE(DIR *, fdopendir, (int fd), (fd), !result, BUFSIZ)
STANDS_BEFORE(int, scandir,
              (const char *path, struct dirent ***entries, int (*wanted)(const struct dirent *),
               int (*order)(const struct dirent **, const struct dirent **)),
              (path, entries, wanted, order), result < 0, BUFSIZ)
STANDS_BEFORE(char *, realpath, (const char *path, char *resolved), (path, resolved), !result, BUFSIZ)
STANDS_BEFORE(char *, __realpath_chk, (const char *path, char *resolved, size_t room), (path, resolved, room),
              !result, BUFSIZ)

STANDS_BEFORE(locale_t, newlocale, (int mask, const char *name, locale_t base), (mask, name, base), !result,
              BUFSIZ)
STANDS_BEFORE(struct group *, getgrnam, (const char *name), (name), !result, BUFSIZ)
STANDS_BEFORE(struct group *, getgrgid, (gid_t group), (group), !result, BUFSIZ)
STANDS_BEFORE(int, getgrouplist, (const char *user, gid_t group, gid_t *groups, int *count),
              (user, group, groups, count), result < 0, BUFSIZ)
STANDS_BEFORE(struct passwd *, getpwuid, (uid_t user), (user), !result, BUFSIZ)

/* These have no errno, or no fixed arguments. */
void *__real_tsearch(const void *key, void **root, int (*order)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*order)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*order)(const void *, const void *))
{
    void *found = __real_tsearch(key, root, order);
    if (!found)
        give_up(sizeof(void *));
    return found;
}

int __real_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path,
                                            int flags, mode_t mode);
int __wrap_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path,
                                            int flags, mode_t mode);
int __wrap_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path,
                                            int flags, mode_t mode)
{
    int number = __real_posix_spawn_file_actions_addopen(actions, fd, path, flags, mode);
    if (number == ENOMEM)
        give_up(strlen(path) + 1);
    return number;
}

static int print(char **text, const char *format, va_list arguments)
{
    int length = vasprintf(text, format, arguments);
    if (length < 0 && errno == ENOMEM)
        give_up(strlen(format));
    return length;
}

int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = print(text, format, arguments);
    va_end(arguments);
    return length;
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
    va_list arguments;
    (void)flag;
    va_start(arguments, format);
    int length = print(text, format, arguments);
    va_end(arguments);
    return length;
}
