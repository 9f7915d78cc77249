/*
 * What was executed in each batch of a run of an emulator, as record.h writes it, one line each:
 *
 * r: a recording begins, and its numbers; of several one follows the other.
 *
 * i ADDRESS SIZE FLOW: an instruction; the first is 1, the next 2. Where one hypervisor runs in another at
 * the same addresses the page of the memory behind it follows.
 *
 * s NUMBER:COUNT ...: a segment, what was executed outside the guest from leaving it to entering it again, as
 * COUNT instructions that follow one another from instruction NUMBER on, and so forth; the first of them is
 * the guest's last. NUMBER:COUNT:1 is of the upper of two hypervisors.
 *
 * b TARGET FAILED BEFORE:SEGMENT:TIMES ...: a batch of the function at TARGET, BEFORE instructions of the
 * guest, then the segment (-1: the batch ended), TIMES times.
 *
 * The emulated machine, which is not trusted, decides what is in it.
 */
#ifndef VT_LAB_PROFILE_CAPTURE_H
#define VT_LAB_PROFILE_CAPTURE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_capture_instruction {
    uint64_t address;
    uint64_t where;     /* the memory behind it, where two machines have the same addresses */
    uint8_t size, flow; /* enum vt_flow */
    uint32_t recording; /* which it is of */
    int32_t behind;     /* the one of it that follows in memory; -1: unknown */
};

struct vt_capture_run {
    int32_t start;
    uint32_t count;
    uint8_t level; /* 1: of the upper of two hypervisors */
};

struct vt_capture_segment {
    size_t first, count; /* of runs; at least one */
    int64_t steps;       /* instructions of all of them */
};

struct vt_capture_leg {
    int64_t before;
    int32_t segment; /* -1: none */
    uint32_t times;
};

struct vt_capture_batch {
    uint64_t target;
    bool failed;         /* not the whole, or longer than any that was measured */
    size_t first, count; /* of legs */
};

struct vt_capture {
    struct vt_capture_instruction *instructions; /* owned, as are the others */
    struct vt_capture_run *runs;
    struct vt_capture_segment *segments;
    struct vt_capture_leg *legs;
    struct vt_capture_batch *batches;
    size_t instruction_count, run_count, segment_count, leg_count, batch_count;
    size_t first_instruction, first_segment; /* of the recording that is being read ... */
    uint32_t recording;                      /* ... and which that is */
};

/* Read `text`, which is changed. Release either way. */
int vt_capture_read(struct vt_capture *capture, char *text, struct vt_error *error);

void vt_capture_release(struct vt_capture *capture);

#endif
