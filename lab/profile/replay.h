/* Walks again through what was captured, now that functions have names. */
#ifndef VT_LAB_PROFILE_REPLAY_H
#define VT_LAB_PROFILE_REPLAY_H

#include "lab/profile/capture.h"
#include "lab/profile/walk.h"

enum vt_replay_machine {
    VT_REPLAY_VIRTUALIZED = 1 << 0, /* the guest is left by #VMEXIT */
    VT_REPLAY_ATTEMPTS = 1 << 1,    /* the clock counts what was begun, and not what was executed */
    VT_REPLAY_DEEP = 1 << 2,        /* there are two hypervisors, one in another, of the same code */
};

struct vt_replay {
    const struct vt_capture *capture;
    struct vt_symbols *symbols;
    unsigned machine; /* enum vt_replay_machine */
    struct vt_walk walk;
    struct vt_executed *steps; /* by instruction of the capture; owned */
    int32_t *below;            /* by function of those: the lower hypervisor's of that name; owned */
    size_t below_count;
    char *modules;              /* names of the lower one's; owned */
    struct vt_replay_way *ways; /* by segment; owned */
};

/* What is known of a segment without walking through it. */
struct vt_replay_way {
    uint32_t interrupts;
    bool between; /* the guest was left between two of its instructions */
};

/* 0 or -ENOMEM; `machine`: of enum vt_replay_machine; capture and symbols must outlive it. Release either
 * way. */
int vt_replay_open(struct vt_replay *replay, const struct vt_capture *capture, struct vt_symbols *symbols,
                   unsigned machine);
void vt_replay_release(struct vt_replay *replay);

/* Interrupts in a batch. */
uint64_t vt_replay_interrupts(const struct vt_replay *replay, const struct vt_capture_batch *batch);

/* Count it in replay->walk, and nothing else. False: it cannot be told as a whole. */
bool vt_replay_batch(struct vt_replay *replay, const struct vt_capture_batch *batch);

#endif
