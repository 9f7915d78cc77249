/*
 * A flame graph: what is executed, callers below what they call, as wide as it is long. Owns: places, sizes
 * and marks. Does not own: what a frame says when it is pointed at, and what its colour means.
 */
#ifndef VT_SHOW_FLAME_H
#define VT_SHOW_FLAME_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vt_flame_frame {
    int32_t parent; /* index of the caller's, which stands before; -1: none */
    const char *name;
    const char *class; /* of its colour, in show/page.css */
    double self;       /* width of its own; not less than 0 */
};

struct vt_flame {
    const struct vt_flame_frame *frames;
    size_t count;
    const char *label; /* of the whole, for who does not see it */
    /* What frame `index` says; markup. */
    void (*title)(const void *context, size_t index, FILE *stream);
    const void *context;
};

/* Which colour tells who executes it. */
const char *vt_flame_class(const char *module);

/* An SVG element that needs no script: each frame tells its title when pointed at or focused. */
void vt_flame_draw(const struct vt_flame *flame, FILE *stream);

#endif
