/* Where everything of a translator lies in a process. */
#include "base/process/limit.h"
#include "translate/process/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD       (UINT64_C(1) << 20)
#define MOST_MEMORY (UINT64_C(16) << 20)
#define MOST_CACHE  (UINT64_C(64) << 20)

/*
 * A table lies TABLES_BELOW under eight times its window, so that a jump to a small number, a
 * frequent mistake, reads from the kernel's half of the address space and faults.
 */
#define TABLES_BELOW ((INT64_C(1) << 31) - (INT64_C(1) << 20))
#define FIRST_PLACE  UINT64_C(0x18000000)
#define LAST_PLACE   UINT64_C(0x70000000)
#define PLACE_STEP   UINT64_C(0x01000000)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static void *reserve(uint64_t address, size_t size)
{
    void *place = mmap((void *)(uintptr_t)address, size, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (place != MAP_FAILED && place != (void *)(uintptr_t)address) {
        munmap(place, size); /* a kernel before 4.17 takes the address for a hint */
        return MAP_FAILED;
    }
    return place;
}

/* The window's neighbours and the tables must fit together; other translators may already be there. */
static bool place(struct vt_translate_process *process)
{
    struct vt_translate *t = &process->t;
    size_t all_tables = BRANCHES * t->table_size;

    for (uint64_t base = FIRST_PLACE; base + process->reserved <= LAST_PLACE; base += PLACE_STEP) {
        process->reservation = reserve(base, process->reserved);
        if (process->reservation == MAP_FAILED)
            continue;
        t->window = process->reservation + GUARD;
        t->tables = reserve((uintptr_t)t->window * 8 - TABLES_BELOW, all_tables);
        if (t->tables != MAP_FAILED) {
            t->table_distance = -TABLES_BELOW;
            return true;
        }
        munmap(process->reservation, process->reserved);
        process->reservation = MAP_FAILED;
    }
    return false;
}

static bool map_data(void *address, size_t size)
{
    return mprotect(address, size, PROT_READ | PROT_WRITE) == 0;
}

/* The same memory twice: written here, executed there, never both at one address. */
static bool map_code(struct vt_translate_process *process)
{
    struct vt_translate *t = &process->t;

    process->memfd = memfd_create("vmtoll-translate", MFD_CLOEXEC);
    if (process->memfd < 0 || ftruncate(process->memfd, (off_t)t->code_size) != 0)
        return false;
    t->code_writable = mmap(NULL, t->code_size, PROT_READ | PROT_WRITE, MAP_SHARED, process->memfd, 0);
    return t->code_writable != MAP_FAILED && mmap(t->code, t->code_size, PROT_READ | PROT_EXEC,
                                                  MAP_SHARED | MAP_FIXED, process->memfd, 0) != MAP_FAILED;
}

static void *map_anywhere(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static bool map_pool(struct vt_translate_pool *pool, size_t capacity, size_t size)
{
    pool->capacity = (uint32_t)capacity;
    pool->items = map_anywhere(capacity * size);
    return pool->items != NULL;
}

static bool map_records(struct vt_translate *t)
{
    for (unsigned i = 0; i < 2; i++)
        t->lookup[i] = map_anywhere(t->window_size * sizeof *t->lookup[i]);
    t->watched = calloc(t->window_size / PAGE, 1);
    t->by_emulator = calloc(t->window_size / 8, 1);
    t->table_filled = calloc(BRANCHES * t->table_size / CHUNK, 1);
    return t->lookup[0] && t->lookup[1] && t->watched && t->by_emulator && t->table_filled &&
           map_pool(&t->blocks, t->code_size / 16, sizeof(struct vt_translate_block)) &&
           map_pool(&t->points, t->code_size / 2, sizeof(struct vt_translate_point)) &&
           map_pool(&t->exits, t->code_size / 16, sizeof(struct vt_translate_exit)) &&
           map_pool(&t->sites, t->code_size / 16, sizeof(struct vt_translate_site));
}

static size_t rounded(size_t size, size_t standard, size_t most)
{
    if (size == 0)
        size = standard;
    return (size < most ? size + PAGE - 1 : most) & ~(size_t)(PAGE - 1);
}

/* Everything that place, map_code and map_records map, what is mapped already among it. */
static size_t mapped_in_all(const struct vt_translate_process *process)
{
    const struct vt_translate *t = &process->t;

    return process->reserved + BRANCHES * t->table_size + t->code_size +
           2 * t->window_size * sizeof *t->lookup[0] +
           t->code_size / 16 *
               (sizeof(struct vt_translate_block) + sizeof(struct vt_translate_exit) +
                sizeof(struct vt_translate_site)) +
           t->code_size / 2 * sizeof(struct vt_translate_point);
}

static int refuse(const struct vt_translate_process *process, const char *what, int number,
                  struct vt_error *error)
{
    char advice[128];

    vt_limit_advice(number, mapped_in_all(process), advice, sizeof advice);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s: %s: %zu MiB of address space are needed%s%s",
                        what, strerror(number), mapped_in_all(process) >> 20, *advice ? ": " : "", advice);
}

int vt_process_map(struct vt_translate_process *process, const struct vt_translate_settings *settings,
                   struct vt_error *error)
{
    struct vt_translate *t = &process->t;
    size_t context_size = (sizeof *t->context + PAGE - 1) & ~(size_t)(PAGE - 1);

    t->window_size = rounded(settings->memory, MOST_MEMORY / 4, MOST_MEMORY);
    t->code_size = rounded(settings->cache, MOST_CACHE / 4, MOST_CACHE);
    t->table_size = (t->window_size * 8 + CHUNK - 1) & ~(size_t)(CHUNK - 1);
    process->reserved = t->window_size + 3 * GUARD + context_size + t->code_size;
    if (!place(process))
        return refuse(process, "no room for the translator below 2 GiB", ENOMEM, error);
    t->context = (void *)(t->window + t->window_size + GUARD);
    t->code = (uint8_t *)t->context + context_size;
    /* A return to the last bytes of the window ends the run. */
    t->gate = t->code_end = (uint32_t)((uintptr_t)t->window + t->window_size - 16);
    if (!map_data(t->window, t->window_size) || !map_data(t->context, context_size) || !map_code(process) ||
        !map_records(t))
        return refuse(process,
                      "cannot map the translator's code cache twice (memfd, executable) and its records",
                      errno, error);
    return 0;
}

static void unmap_pool(struct vt_translate_pool *pool, size_t size)
{
    if (pool->items)
        munmap(pool->items, pool->capacity * size);
}

void vt_process_unmap(struct vt_translate_process *process)
{
    struct vt_translate *t = &process->t;

    if (process->reservation && process->reservation != MAP_FAILED) {
        munmap(t->tables, BRANCHES * t->table_size);
        munmap(process->reservation, process->reserved);
    }
    if (t->code_writable && t->code_writable != MAP_FAILED)
        munmap(t->code_writable, t->code_size);
    if (process->memfd >= 0)
        close(process->memfd);
    for (unsigned i = 0; i < 2; i++)
        if (t->lookup[i])
            munmap(t->lookup[i], t->window_size * sizeof *t->lookup[i]);
    free(t->watched);
    free(t->by_emulator);
    free(t->table_filled);
    unmap_pool(&t->blocks, sizeof(struct vt_translate_block));
    unmap_pool(&t->points, sizeof(struct vt_translate_point));
    unmap_pool(&t->exits, sizeof(struct vt_translate_exit));
    unmap_pool(&t->sites, sizeof(struct vt_translate_site));
}

void vt_process_populate(void *memory, size_t size)
{
    madvise(memory, size, MADV_POPULATE_WRITE); /* else page by page */
}

bool vt_process_give(struct vt_translate *t, void *chunk, size_t size)
{
    (void)t;
    return map_data(chunk, size);
}

void vt_process_take(struct vt_translate *t, void *chunk, size_t size)
{
    (void)t;
    vt_process_clear(chunk, size);
    mprotect(chunk, size, PROT_NONE);
}

/* Gives the pages back; a sandbox may refuse that. */
void vt_process_clear(void *memory, size_t size)
{
    if (madvise(memory, size, MADV_DONTNEED) != 0)
        memset(memory, 0, size);
}

void vt_process_protect(struct vt_translate *t, void *page, bool writable)
{
    (void)t;
    mprotect(page, PAGE, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}
