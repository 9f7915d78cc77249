/*
 * Follows a processor instruction by instruction and adds up how many it executed below which chain of calls.
 * Owns: the tree of calls and the stack. Does not own: where instructions come from (capture.h), what becomes
 * of the sums (row.h).
 */
#ifndef VT_LAB_PROFILE_WALK_H
#define VT_LAB_PROFILE_WALK_H

#include "lab/profile/flow.h"
#include "lab/profile/symbols.h"

#include <stdbool.h>

enum {
    VT_WALK_DEEPEST = 512,
    VT_WALK_MOST_NODES = 1 << 18,
    VT_WALK_ROOT = 0, /* the node above all chains */
};

/* One instruction, as it stands in the program. */
struct vt_executed {
    uint64_t address, start; /* start: of its symbol */
    int32_t function;        /* VT_SYMBOLS_NONE: unknown */
    uint8_t size, flow;      /* enum vt_flow */
};

struct vt_node {
    int32_t parent, function;
};

struct vt_walk_frame {
    int32_t node;
    uint64_t back; /* where a return leads that ends it */
    bool trap;     /* entered by the processor's own doing */
};

/* Where the processor is in the code of one hypervisor. */
struct vt_walk_place {
    struct vt_walk_frame frames[VT_WALK_DEEPEST];
    size_t depth;
    struct vt_executed last;
    int32_t last_node;
};

/* Of two hypervisors, one in another, the lower and the upper; else the first. */
enum { VT_WALK_LEVELS = 2 };

/* What a walk had counted somewhere, and where that was. */
struct vt_walk_mark {
    int64_t *counts;
    size_t node_count, room;
    uint64_t interrupts;
    struct vt_walk_place places[VT_WALK_LEVELS];
    unsigned level;
};

struct vt_walk {
    struct vt_symbols *symbols;
    /* The tree; node VT_WALK_ROOT has neither parent nor function, and parents come before what they call. */
    struct vt_node *nodes;
    int64_t *counts; /* by node */
    size_t node_count;
    int32_t *buckets;
    uint64_t interrupts;
    bool attempts; /* an instruction that was begun counts, whatever became of it */
    struct vt_walk_place places[VT_WALK_LEVELS];
    unsigned level;
    struct vt_walk_mark mark;
    int32_t guest_node, unknown_function;
    bool failed; /* memory or room was out: what is there is not the whole */
};

/* 0 or -ENOMEM; `symbols` must outlive the walk. Release either way. */
int vt_walk_open(struct vt_walk *walk, struct vt_symbols *symbols);
void vt_walk_release(struct vt_walk *walk);

/* Forget what was counted, not where the processor is. */
void vt_walk_clear(struct vt_walk *walk);

/* Here something begins that may be repeated. False: memory is out. */
bool vt_walk_mark(struct vt_walk *walk);

/*
 * It was walked through, and would be `times` more: count it as often, if it has led back to where it began,
 * for then it takes the same way again. False: it has not.
 */
bool vt_walk_repeat(struct vt_walk *walk, uint32_t times);

/* The guest executes `count` instructions. */
void vt_walk_guest(struct vt_walk *walk, int64_t count);

/* It is left at `last`, its last one. `between`: by #VMEXIT, and not because of that instruction. */
void vt_walk_vmexit(struct vt_walk *walk, const struct vt_executed *last, bool between);

/*
 * The upper of two hypervisors goes on (level 1), or is left to the lower one (level 0). `between`: not
 * because of its last instruction.
 */
void vt_walk_switch(struct vt_walk *walk, unsigned level, bool between);

/* Who called before what comes now is not known. */
void vt_walk_forget(struct vt_walk *walk);

/* It is left by an exception, an interrupt or a call at `last`. */
void vt_walk_trap(struct vt_walk *walk, const struct vt_executed *last);

/* Outside the guest `step` is executed. */
void vt_walk_step(struct vt_walk *walk, const struct vt_executed *step);

#endif
