/*
 * Follows a processor by the blocks that an emulator translates, for record.h: how far one was executed is
 * known when the next begins. Where a hypervisor goes on as it went before, blocks are compared and nothing
 * else; the record is told when it has gone all the way, or where it leaves it. What is recorded is the same.
 */
#ifndef VT_LAB_PROFILE_FOLLOW_H
#define VT_LAB_PROFILE_FOLLOW_H

#include "lab/profile/record.h"

struct vt_follow;

/* Instructions that follow one another in memory, of which the first ones are executed. */
struct vt_block {
    struct vt_block *next;     /* made before it */
    struct vt_stretch *pieces; /* of all of it: stretches that may be taken as one are */
    size_t piece_count;
    size_t count; /* each is begun only when those before it were executed; at least one */
    struct vt_stretch stretches[];
};

/*
 * `reached` counts how many stretches behind the first are begun of the block at hand: who executes adds one
 * for each, and begins anew at vt_follow_begin. Record and counter must outlive it. NULL: memory is out.
 */
struct vt_follow *vt_follow_open(struct vt_record *record, uint64_t *reached);
void vt_follow_close(struct vt_follow *follow);

/* A block of these, at least one; the follower's. NULL: memory is out. */
const struct vt_block *vt_follow_block(struct vt_follow *follow,
                                       const struct vt_instruction *const *instructions, size_t count);

/* It begins, and its first stretch with it. */
void vt_follow_begin(struct vt_follow *follow, const struct vt_block *block);

/* The one at hand is left, and what comes is not followed. */
void vt_follow_pause(struct vt_follow *follow);

/* How many blocks were compared and nothing else. */
uint64_t vt_follow_compared(const struct vt_follow *follow);

#endif
