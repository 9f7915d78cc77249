/*
 * Which batches an emulator is asked to tell instruction by instruction, which takes it long, and what
 * becomes of the others: one that took as many ticks as another of its row and its twin is taken for that
 * one.
 */
#ifndef VT_LAB_PROFILE_TRACED_H
#define VT_LAB_PROFILE_TRACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_traced_batch {
    uint64_t target, ticks;
    size_t row;
    bool traced;
};

struct vt_traced {
    struct vt_traced_batch *batches; /* owned, in the order they ran */
    size_t count;
    size_t row; /* at hand */
};

/* What follows is of another row. */
void vt_traced_next_row(struct vt_traced *traced);

/* Is a batch of `target` that begins now worth it? False once two of them took the same time, and one as long
 * was. */
bool vt_traced_wants(const struct vt_traced *traced, uint64_t target);

/* It has ended. 0 or -ENOMEM. */
int vt_traced_add(struct vt_traced *traced, uint64_t target, uint64_t ticks, bool was_traced);

/*
 * What record.h wrote of those that were traced, with a line for every batch (capture.h); of one that is like
 * none it says that it is not the whole. malloc'ed and the caller's; NULL: memory is out. `text` is changed.
 */
char *vt_traced_complete(const struct vt_traced *traced, char *text);

void vt_traced_release(struct vt_traced *traced);

#endif
