/* The lookup tables, the pages translated from, and what is forgotten on a flush. */
#include "translate/internal.h"

#include <string.h>

#define POPULATE    262144
#define LOOKUP_SPAN (POPULATE / sizeof(uint32_t)) /* of code, whose entries are given memory at once */

/* Memory behind the next `size` bytes of code, many pages at a time. */
void vt_translate_populate(struct vt_translate *t, uint32_t size)
{
    uint32_t end = t->used + size;

    if (end <= t->populated)
        return;
    end = (end + POPULATE - 1) & ~(uint32_t)(POPULATE - 1);
    if (end > t->code_size)
        end = (uint32_t)t->code_size;
    t->platform->populate(t->code_writable + t->populated, end - t->populated);
    t->populated = end;
}

static bool in_tables(const struct vt_translate *t, uint64_t address)
{
    return address - (uintptr_t)t->tables < BRANCHES * t->table_size;
}

/* Every entry of a fresh chunk leads to its register's miss. False: not an address in the tables, or no
 * memory for it. */
bool vt_translate_fill_table(struct vt_translate *t, uint64_t address)
{
    if (!in_tables(t, address))
        return false;
    size_t chunk = (address - (uintptr_t)t->tables) / CHUNK;
    uint64_t *entries = (void *)(t->tables + chunk * CHUNK);

    if (t->table_filled[chunk] || !t->platform->give(t, entries, CHUNK))
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

    /* Without memory each jump there is a miss. */
    if (vt_translate_fill_table(t, (uintptr_t)entry) || t->table_filled[(size_t)(entry - t->tables) / CHUNK])
        memcpy(entry, &value, sizeof value);
}

static void clear_lookup(struct vt_translate *t)
{
    size_t chunks = BRANCHES * t->table_size / CHUNK;

    for (size_t i = 0; i < chunks; i++) {
        if (!t->table_filled[i])
            continue;
        t->platform->take(t, t->tables + i * CHUNK, CHUNK);
        t->table_filled[i] = 0;
    }
    t->platform->clear(t->lookup[0], t->window_size * sizeof *t->host_of);
    if (t->has_programs)
        t->platform->clear(t->lookup[1], t->window_size * sizeof *t->host_of);
    t->has_programs = false;
    t->lookup_span = ~UINT64_C(0);
    for (uint32_t offset = 0; offset < t->window_size; offset += PAGE)
        vt_translate_unwatch(t, offset);
}

/* Entries for the code around `offset`, which is about to be translated. */
static void populate_lookup(struct vt_translate *t, uint32_t offset)
{
    size_t first = (size_t)offset * sizeof *t->host_of & ~(size_t)(POPULATE - 1);
    size_t end = t->window_size * sizeof *t->host_of;

    t->platform->populate((uint8_t *)t->host_of + first, end - first < POPULATE ? end - first : POPULATE);
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
    t->platform->protect(t, t->window + (size_t)page * PAGE, false);
}

void vt_translate_unwatch(struct vt_translate *t, uint32_t offset)
{
    uint32_t page = offset / PAGE;

    if (!t->watched[page])
        return;
    t->watched[page] = 0;
    t->platform->protect(t, t->window + (size_t)page * PAGE, true);
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
