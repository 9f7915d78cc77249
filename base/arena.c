#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, BLOCK = 8192 };

struct vt_arena_block {
    struct vt_arena_block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

static struct vt_arena_block *grow(struct vt_arena *arena, size_t size)
{
    size_t room = size > BLOCK ? size : BLOCK;
    struct vt_arena_block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    block->used = 0;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *vt_arena_take(struct vt_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct vt_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = grow(arena, size);
    if (!block)
        return NULL;
    void *memory = block->bytes + block->used;
    block->used += size;
    return memset(memory, 0, size);
}

char *vt_arena_text(struct vt_arena *arena, const char *text, size_t length)
{
    char *copy = vt_arena_take(arena, length + 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

void vt_arena_release(struct vt_arena *arena)
{
    while (arena->blocks) {
        struct vt_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
