/*
 * What a case wrote beside its own memory: the private memory of this process before and after a batch,
 * without what the engine writes itself. For engines that run cases inside the process, which has nothing
 * that would stop a wrong address.
 *
 * Watched is what was mapped writable when the watch began: static data of the program and its libraries, the
 * heap, other mappings, and the stack above a frame. Not watched is what is mapped later, as an engine's
 * large memory is, memory shared with others, the thread's own storage, and what the loader writes when a
 * function is called for the first time.
 */
#ifndef VT_BENCH_WATCH_H
#define VT_BENCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/* A stretch of memory that may change. `size` 0: as much as malloc gave. */
struct vt_own {
    const void *start;
    size_t size;
};

#define VT_OWN_MOST 16 /* an engine has */

struct vt_watch;

/* NULL: nothing can be watched here (no /proc, no memory), or what a sanitizer or gcov keeps would be seen to
 * change. Lives as long as the process. */
struct vt_watch *vt_watch_open(void);

/* May a watch be had in a program built like this one? False: a sanitizer or gcov writes on its own. */
bool vt_watch_is_built_in(void);

/* From here on `own`, `count` of them, may change, and the stack below `frame`. Keeps a copy of all else. */
bool vt_watch_begin(struct vt_watch *watch, const struct vt_own *own, size_t count, const void *frame);

/* Is everything as it was when the watch began? If not: false, and in `found` what was written to. */
bool vt_watch_holds(const struct vt_watch *watch, char *found, size_t size);

#endif
