#include "base/process/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* What is mapped and unmapped again on the way to where it failed; and a figure that is the same each time.
 */
#define SPARE ((size_t)32 << 20)

static bool has_limit(int resource, struct rlimit *limit)
{
    return getrlimit(resource, limit) == 0 && limit->rlim_cur != RLIM_INFINITY;
}

/* proc(5), statm: the first figure is what is mapped, in pages. Without a stream, which takes memory. */
static size_t mapped(void)
{
    char text[32] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        *text = '\0';
    if (fd >= 0)
        close(fd);
    return strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void advise_memory(size_t more, char *text, size_t size)
{
    struct rlimit limit;
    if (has_limit(RLIMIT_AS, &limit))
        snprintf(text, size, "raise the limit on virtual memory: ulimit -v %zu, or unlimited",
                 ((mapped() + more + SPARE) & ~(SPARE / 2 - 1)) / 1024);
    else if (has_limit(RLIMIT_DATA, &limit))
        snprintf(text, size, "raise the limit on data: ulimit -d unlimited");
}

const char *vt_limit_advice(int number, size_t more, char *text, size_t size)
{
    struct rlimit limit;
    *text = '\0';
    if (number == ENOMEM)
        advise_memory(more, text, size);
    else if (number == EMFILE && has_limit(RLIMIT_NOFILE, &limit))
        snprintf(text, size, "raise the limit on open files: ulimit -n %llu",
                 (unsigned long long)limit.rlim_cur + 64);
    return text;
}
