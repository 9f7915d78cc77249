/*
 * A trial of a case before it runs inside this process: a child runs it and says whether
 * it wrote to what is not the guest's. For the engines without a boundary of their own.
 *
 * Watched: the static data of the program and its libraries, the heap and the caller's part of
 * the stack, without what the engine owns. Not watched: memory that was mapped apart, and what a case
 * does only after VT_GUARD_TURNS turns.
 */
#ifndef VT_BENCH_GUARD_H
#define VT_BENCH_GUARD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { VT_GUARD_TURNS = 16 };

/* What the engine writes itself. `size` 0: as much as malloc gave. */
struct vt_guard_own {
    const void *start;
    size_t size;
};

/*
 * Run `trial` in a child. False, with what was written to in error, where it wrote to what is watched.
 * A trial that ends in another way, or that cannot be made here, is no finding: true.
 */
bool vt_guard_passes(void (*trial)(void *context), void *context, const struct vt_guard_own *own,
                     size_t count, struct vt_error *error);

#endif
