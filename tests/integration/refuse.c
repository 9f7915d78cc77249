/*
 * Preloaded: refuses the allocation whose number REFUSE names, with a '+' behind it that one and all later
 * ones. REFUSE=0 refuses none. REFUSE_COUNT names a file that is told how many there were.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong made;
static unsigned long refused;
static bool later, breaks;
static pid_t subject;
static char count_name[4096];

/* Programs that the subject starts have all the memory they want. */
__attribute__((constructor)) static void begin(void)
{
    const char *which = getenv("REFUSE"), *name = getenv("REFUSE_COUNT");
    subject = getpid();
    breaks = getenv("REFUSE_BREAK") != NULL;
    snprintf(count_name, sizeof count_name, "%s", name ? name : "");
    later = which && strchr(which, '+');
    unsetenv("LD_PRELOAD");
    refused = which ? strtoul(which, NULL, 10) : 0;
    made = 0;
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    int fd = *count_name && getpid() == subject ? open(count_name, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd < 0)
        return;
    int length = snprintf(text, sizeof text, "%lu\n", (unsigned long)made);
    if (write(fd, text, (size_t)length) != length)
        abort();
    close(fd);
}

static bool has_room(void)
{
    unsigned long number = ++made;
    if (refused == 0 || number < refused || (number > refused && !later))
        return true;
    if (breaks)
        abort();
    errno = ENOMEM;
    return false;
}

void *malloc(size_t size)
{
    return has_room() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t nmemb, size_t size)
{
    return has_room() ? __libc_calloc(nmemb, size) : NULL;
}

void *realloc(void *ptr, size_t size)
{
    return has_room() ? __libc_realloc(ptr, size) : NULL;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return has_room() ? __libc_memalign(alignment, size) : NULL;
}

void *memalign(size_t alignment, size_t size)
{
    return has_room() ? __libc_memalign(alignment, size) : NULL;
}

int posix_memalign(void **memptr, size_t alignment, size_t size)
{
    void *taken = has_room() ? __libc_memalign(alignment, size) : NULL;
    if (taken)
        *memptr = taken;
    return taken ? 0 : ENOMEM;
}
