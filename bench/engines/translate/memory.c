/* The translator's memory: where everything lies, and what is forgotten on a flush. */
#include "base/process/limit.h"
#include "bench/engines/translate/internal.h"

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

#define POPULATE    262144
#define LOOKUP_SPAN (POPULATE / sizeof(uint32_t)) /* of code, whose entries are given memory at once */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* Tables are filled and forgotten in chunks. */
#define CHUNK 16384

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
static bool place(struct vt_translate *t)
{
    size_t all_tables = BRANCHES * t->table_size;

    for (uint64_t base = FIRST_PLACE; base + t->reserved <= LAST_PLACE; base += PLACE_STEP) {
        t->reservation = reserve(base, t->reserved);
        if (t->reservation == MAP_FAILED)
            continue;
        t->window = t->reservation + GUARD;
        t->tables = reserve((uintptr_t)t->window * 8 - TABLES_BELOW, all_tables);
        if (t->tables != MAP_FAILED) {
            t->table_distance = -TABLES_BELOW;
            return true;
        }
        munmap(t->reservation, t->reserved);
        t->reservation = MAP_FAILED;
    }
    return false;
}

static bool map_data(void *address, size_t size)
{
    return mprotect(address, size, PROT_READ | PROT_WRITE) == 0;
}

/* The same memory twice: written here, executed there, never both at one address. */
static bool map_code(struct vt_translate *t)
{
    t->memfd = memfd_create("vmtoll-translate", MFD_CLOEXEC);
    if (t->memfd < 0 || ftruncate(t->memfd, (off_t)t->code_size) != 0)
        return false;
    t->code_writable = mmap(NULL, t->code_size, PROT_READ | PROT_WRITE, MAP_SHARED, t->memfd, 0);
    return t->code_writable != MAP_FAILED && mmap(t->code, t->code_size, PROT_READ | PROT_EXEC,
                                                  MAP_SHARED | MAP_FIXED, t->memfd, 0) != MAP_FAILED;
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
    t->host_of = map_anywhere(t->window_size * sizeof *t->host_of);
    t->watched = calloc(t->window_size / PAGE, 1);
    t->by_emulator = calloc(t->window_size / 8, 1);
    t->table_filled = calloc(BRANCHES * t->table_size / CHUNK, 1);
    return t->host_of && t->watched && t->by_emulator && t->table_filled &&
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
static size_t mapped_in_all(const struct vt_translate *t)
{
    return t->reserved + BRANCHES * t->table_size + t->code_size + t->window_size * sizeof *t->host_of +
           t->code_size / 16 *
               (sizeof(struct vt_translate_block) + sizeof(struct vt_translate_exit) +
                sizeof(struct vt_translate_site)) +
           t->code_size / 2 * sizeof(struct vt_translate_point);
}

static int refuse(const struct vt_translate *t, const char *what, int number, struct vt_error *error)
{
    char advice[128];

    vt_limit_advice(number, mapped_in_all(t), advice, sizeof advice);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s: %s: %zu MiB of address space are needed%s%s",
                        what, strerror(number), mapped_in_all(t) >> 20, *advice ? ": " : "", advice);
}

int vt_translate_map(struct vt_translate *t, const struct vt_translate_settings *settings,
                     struct vt_error *error)
{
    size_t context_size = (sizeof *t->context + PAGE - 1) & ~(size_t)(PAGE - 1);

    t->lookup_span = ~UINT64_C(0);
    t->window_size = rounded(settings->memory, MOST_MEMORY / 4, MOST_MEMORY);
    t->code_size = rounded(settings->cache, MOST_CACHE / 4, MOST_CACHE);
    t->table_size = (t->window_size * 8 + CHUNK - 1) & ~(size_t)(CHUNK - 1);
    t->reserved = t->window_size + 3 * GUARD + context_size + t->code_size;
    if (!place(t))
        return refuse(t, "no room for the translator below 2 GiB", ENOMEM, error);
    t->context = (void *)(t->window + t->window_size + GUARD);
    t->code = (uint8_t *)t->context + context_size;
    if (!map_data(t->window, t->window_size) || !map_data(t->context, context_size) || !map_code(t) ||
        !map_records(t))
        return refuse(t, "cannot map the translator's code cache twice (memfd, executable) and its records",
                      errno, error);
    return 0;
}

static void unmap_pool(struct vt_translate_pool *pool, size_t size)
{
    if (pool->items)
        munmap(pool->items, pool->capacity * size);
}

void vt_translate_unmap(struct vt_translate *t)
{
    if (t->reservation && t->reservation != MAP_FAILED) {
        munmap(t->tables, BRANCHES * t->table_size);
        munmap(t->reservation, t->reserved);
    }
    if (t->code_writable && t->code_writable != MAP_FAILED)
        munmap(t->code_writable, t->code_size);
    if (t->memfd >= 0)
        close(t->memfd);
    if (t->host_of)
        munmap(t->host_of, t->window_size * sizeof *t->host_of);
    free(t->watched);
    free(t->by_emulator);
    free(t->table_filled);
    unmap_pool(&t->blocks, sizeof(struct vt_translate_block));
    unmap_pool(&t->points, sizeof(struct vt_translate_point));
    unmap_pool(&t->exits, sizeof(struct vt_translate_exit));
    unmap_pool(&t->sites, sizeof(struct vt_translate_site));
}

/* Memory behind the next `size` bytes of code, many pages at a time. */
void vt_translate_populate(struct vt_translate *t, uint32_t size)
{
    uint32_t end = t->used + size;

    if (end <= t->populated)
        return;
    end = (end + POPULATE - 1) & ~(uint32_t)(POPULATE - 1);
    if (end > t->code_size)
        end = (uint32_t)t->code_size;
    madvise(t->code_writable + t->populated, end - t->populated, MADV_POPULATE_WRITE); /* else page by page */
    t->populated = end;
}

static bool in_tables(const struct vt_translate *t, uint64_t address)
{
    return address - (uintptr_t)t->tables < BRANCHES * t->table_size;
}

/* Every entry of a fresh chunk leads to its register's miss. False: not an address in the tables. */
bool vt_translate_fill_table(struct vt_translate *t, uint64_t address)
{
    if (!in_tables(t, address))
        return false;
    size_t chunk = (address - (uintptr_t)t->tables) / CHUNK;
    uint64_t *entries = (void *)(t->tables + chunk * CHUNK);

    if (t->table_filled[chunk] || !map_data(entries, CHUNK))
        return false;
    t->table_filled[chunk] = 1;
    for (size_t i = 0; i < CHUNK / sizeof *entries; i++)
        entries[i] = t->stubs.miss[chunk * CHUNK / t->table_size];
    return true;
}

void vt_translate_set_table(struct vt_translate *t, unsigned branch, uint32_t guest, uint32_t host)
{
    uint8_t *entry = t->tables + branch * t->table_size + (size_t)guest * 8;
    uint64_t value = host;

    vt_translate_fill_table(t, (uintptr_t)entry);
    memcpy(entry, &value, sizeof value);
}

/* Gives the pages back; a sandbox may refuse that. */
static void forget(void *memory, size_t size)
{
    if (madvise(memory, size, MADV_DONTNEED) != 0)
        memset(memory, 0, size);
}

static void clear_lookup(struct vt_translate *t)
{
    size_t chunks = BRANCHES * t->table_size / CHUNK;

    for (size_t i = 0; i < chunks; i++) {
        if (!t->table_filled[i])
            continue;
        forget(t->tables + i * CHUNK, CHUNK);
        mprotect(t->tables + i * CHUNK, CHUNK, PROT_NONE);
        t->table_filled[i] = 0;
    }
    forget(t->host_of, t->window_size * sizeof *t->host_of);
    t->lookup_span = ~UINT64_C(0);
    for (uint32_t offset = 0; offset < t->window_size; offset += PAGE)
        vt_translate_unwatch(t, offset);
}

/* Entries for the code around `offset`, which is about to be translated. */
static void populate_lookup(struct vt_translate *t, uint32_t offset)
{
    size_t first = (size_t)offset * sizeof *t->host_of & ~(size_t)(POPULATE - 1);
    size_t end = t->window_size * sizeof *t->host_of;

    madvise((uint8_t *)t->host_of + first, end - first < POPULATE ? end - first : POPULATE,
            MADV_POPULATE_WRITE);
}

void vt_translate_watch(struct vt_translate *t, uint32_t offset)
{
    uint32_t page = offset / PAGE;

    if (t->watched[page])
        return;
    if (offset / LOOKUP_SPAN != t->lookup_span)
        populate_lookup(t, offset);
    t->lookup_span = offset / LOOKUP_SPAN;
    t->watched[page] = 1;
    mprotect(t->window + (size_t)page * PAGE, PAGE, PROT_READ);
}

void vt_translate_unwatch(struct vt_translate *t, uint32_t offset)
{
    uint32_t page = offset / PAGE;

    if (!t->watched[page])
        return;
    t->watched[page] = 0;
    mprotect(t->window + (size_t)page * PAGE, PAGE, PROT_READ | PROT_WRITE);
}

void vt_translate_flush(struct vt_translate *t)
{
    t->used = t->after_stubs;
    t->blocks.count = t->points.count = t->exits.count = t->sites.count = 0;
    clear_lookup(t);
    t->counts.flushes++;
}

void vt_translate_forget(struct vt_translate *t)
{
    memset(t->by_emulator, 0, t->window_size / 8);
    vt_translate_flush(t);
}
