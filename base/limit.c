#include "base/limit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* What is mapped and unmapped again on the way to where it failed; and a figure that is the same each time.
 */
#define SPARE ((size_t)32 << 20)

static bool has_limit(int resource, struct rlimit *limit)
{
    return getrlimit(resource, limit) == 0 && limit->rlim_cur != RLIM_INFINITY;
}

/* proc(5), statm: the first figure is what is mapped, in pages. */
static size_t mapped(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%zu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
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
