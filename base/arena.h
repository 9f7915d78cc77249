/*
 * Memory that is given back at once: everything a result document brings with it
 * lives in one arena.
 */
#ifndef VT_BASE_ARENA_H
#define VT_BASE_ARENA_H

#include <stddef.h>

struct vt_arena {
    struct vt_arena_block *blocks; /* newest first; NULL: nothing taken yet */
};

/* `size` zeroed bytes, aligned for any object; NULL when memory is out. */
void *vt_arena_take(struct vt_arena *arena, size_t size);

/* A copy of `length` bytes of text with a 0 byte behind them; NULL when memory is out. */
char *vt_arena_text(struct vt_arena *arena, const char *text, size_t length);

void vt_arena_release(struct vt_arena *arena);

#endif
