/*
 * Records what a processor executes in each batch, from one read of the time-stamp counter to the next, and
 * writes it as capture.h reads it. What is outside the guest is recorded as it came, instruction by
 * instruction, but each way once: a hypervisor goes the same way at each of a hundred exits.
 *
 * Names play no part: they are asked for when all is measured, lest asking changes anything. Also compiled
 * into the emulator's plugin (plugin/), so nothing of the rest of the program is used here.
 */
#ifndef VT_LAB_PROFILE_RECORD_H
#define VT_LAB_PROFILE_RECORD_H

#include "lab/profile/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Of the machine whose processor is followed. */
struct vt_record_places {
    uint64_t begin, end; /* the two RDTSC of vt_batch, in the guest */
    uint64_t stubs;      /* vt_payload_stubs there; 0: unknown */
    uint64_t lost;       /* where a batch ends that an exception ended; 0: unknown */
    uint64_t low, high;  /* the guest is what runs from `low` to below `high`; high 0: what VMRUN starts */
    uint64_t deep; /* not 0: between it and the hypervisor is another one, which runs at the same addresses */
};

struct vt_instruction {
    uint64_t address;
    uint64_t where;  /* if `deep`: which page of the memory behind it; else 0 */
    uint32_t number; /* by which it is told; 0: not yet */
    uint8_t size, flow;
    bool varies;                 /* another one was executed at the same address: code that was patched */
    struct vt_instruction *next; /* in its bucket */
};

/* Instructions that follow one another, and are all executed where the last of them is. */
struct vt_stretch {
    const struct vt_instruction *first, *last;
    uint32_t count;
    uint64_t behind; /* an address */
};

struct vt_record;

/* NULL: memory is out. `out` stays the caller's. */
struct vt_record *vt_record_open(const struct vt_record_places *places, FILE *out);
void vt_record_close(struct vt_record *record);

/* The instruction of these bytes at `address`; the record's. NULL: memory is out, or the record is full. */
const struct vt_instruction *vt_record_instruction(struct vt_record *record, uint64_t address,
                                                   const uint8_t *bytes, size_t size);

/* The same where several machines have that address: `where` is the page of the memory behind it. */
const struct vt_instruction *vt_record_instruction_in(struct vt_record *record, uint64_t address,
                                                      uint64_t where, const uint8_t *bytes, size_t size);

/* Are there more instructions in it than any kernel has? */
bool vt_record_is_full(const struct vt_record *record);

/* Does `next`, which follows it in memory, belong to the stretch; and if so, make it part of it. */
bool vt_record_extend(struct vt_stretch *stretch, const struct vt_instruction *next);

/* It is executed. */
void vt_record_execute(struct vt_record *record, const struct vt_stretch *stretch);

#endif
