#include "bench/guard.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_AREAS = 256, MOST_OWN = 24, PAGE = 4096, LIMIT_MS = 250, LOOK_MS = 10 };

struct area {
    uintptr_t start, end;
    char name[48];
    uint8_t *copy;
};

/* In pages of its own, which the copies leave out. */
struct guard {
    struct area areas[MOST_AREAS];
    size_t count, own_count;
    struct vt_guard_own own[MOST_OWN];
    char found[128];
};

static void add(struct guard *guard, uintptr_t start, uintptr_t end, const char *name)
{
    const char *slash = strrchr(name, '/');
    if (guard->count == MOST_AREAS || start >= end)
        return;
    struct area *area = &guard->areas[guard->count++];
    *area = (struct area){.start = start, .end = end};
    snprintf(area->name, sizeof area->name, "%.47s", slash ? slash + 1 : name);
}

/* Of one object what is written after the start: its segments for data, without what is bound and then
 * protected. */
static int add_object(struct dl_phdr_info *object, size_t size, void *context)
{
    uintptr_t bound = 0;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_GNU_RELRO)
            bound = (object->dlpi_addr + object->dlpi_phdr[i].p_vaddr + object->dlpi_phdr[i].p_memsz) &
                    ~(uintptr_t)(PAGE - 1);
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_W)
            add(context, bound > start && bound <= end ? bound : start, end,
                *object->dlpi_name ? object->dlpi_name : "static data");
    }
    return 0;
}

static bool find_areas(struct guard *guard, uintptr_t frame)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    uintptr_t start, end;
    if (!maps)
        return false;
    dl_iterate_phdr(add_object, guard);
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx rw-p", &start, &end) != 2)
            continue;
        if (strstr(line, "[heap]"))
            add(guard, start, end, "heap");
        else if (start <= frame && frame < end)
            add(guard, frame, end, "stack");
    }
    fclose(maps);
    return true;
}

static bool copy_areas(struct guard *guard)
{
    for (size_t i = 0; i < guard->count; i++) {
        struct area *area = &guard->areas[i];
        area->copy =
            mmap(NULL, area->end - area->start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area->copy == MAP_FAILED)
            return false;
    }
    for (size_t i = 0; i < guard->count; i++)
        memcpy(guard->areas[i].copy, (const void *)guard->areas[i].start,
               guard->areas[i].end - guard->areas[i].start);
    return true;
}

/* How far from `at` memory is the engine's own; 0: it is not. */
static size_t owned(const struct guard *guard, uintptr_t at)
{
    for (size_t i = 0; i < guard->own_count; i++)
        if (at - (uintptr_t)guard->own[i].start < guard->own[i].size)
            return (uintptr_t)guard->own[i].start + guard->own[i].size - at;
    return 0;
}

static bool is_as_before(struct guard *guard, const struct area *area)
{
    for (uintptr_t at = area->start; at < area->end;) {
        size_t rest = area->end - at, step = rest < PAGE ? rest : PAGE;
        if (memcmp((const void *)at, area->copy + (at - area->start), step) == 0) {
            at += step;
            continue;
        }
        for (uintptr_t stop = at + step; at < stop;) {
            size_t own = owned(guard, at);
            if (own == 0 && *(const uint8_t *)at != area->copy[at - area->start]) {
                snprintf(guard->found, sizeof guard->found, "%s, address %#lx", area->name, at);
                return false;
            }
            at += own ? (own < stop - at ? own : stop - at) : 1;
        }
    }
    return true;
}

static void try(struct guard *guard, void (*trial)(void *), void *context, int report)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!find_areas(guard, (uintptr_t)__builtin_frame_address(0) + 256) || !copy_areas(guard))
        _exit(0);
    trial(context);
    for (size_t i = 0; i < guard->count; i++)
        if (!is_as_before(guard, &guard->areas[i]))
            _exit(write(report, guard->found, sizeof guard->found) == sizeof guard->found);
    _exit(0);
}

static bool judge(pid_t child, int report, struct vt_error *error)
{
    char found[sizeof((struct guard *)0)->found] = "";
    struct pollfd ready = {.fd = report, .events = POLLIN};
    int polled, looks = LIMIT_MS / LOOK_MS;
    do
        polled = poll(&ready, 1, LOOK_MS);
    while (polled <= 0 && looks-- > 0);
    if (polled <= 0)
        kill(child, SIGKILL); /* a case that does not return blocks every other signal */
    ssize_t got = read(report, found, sizeof found - 1);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (got <= 0 || found[0] == '\0')
        return true;
    vt_error_set(error, VT_EXIT_NO, 0, "writes to memory of vmtoll (%s): not run here", found);
    return false;
}

bool vt_guard_passes(void (*trial)(void *context), void *context, const struct vt_guard_own *own,
                     size_t count, struct vt_error *error)
{
#ifdef __SANITIZE_ADDRESS__
    (void)trial, (void)context, (void)own, (void)count, (void)error;
    return true; /* its own bookkeeping changes with every call */
#else
    struct guard *guard =
        mmap(NULL, sizeof *guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (guard == MAP_FAILED)
        return true;
    for (size_t i = 0; i < count && i < MOST_OWN; i++)
        if (own[i].start)
            guard->own[guard->own_count++] = (struct vt_guard_own){
                own[i].start,
                own[i].size ? own[i].size : malloc_usable_size((void *)(uintptr_t)own[i].start)};
    bool passes = true;
    if (pipe(ends) == 0) {
        pid_t child = fork();
        if (child == 0)
            try(guard, trial, context, ends[1]);
        close(ends[1]);
        passes = child < 0 || judge(child, ends[0], error);
        close(ends[0]);
    }
    munmap(guard, sizeof *guard);
    return passes;
#endif
}
