/*
 * Where the instructions of a toll were executed: by function, and by chain of calls. Of one batch of the
 * body less one of its baseline, counted, never sampled.
 */
#ifndef VT_BENCH_PROFILE_H
#define VT_BENCH_PROFILE_H

#include <stddef.h>
#include <stdint.h>

/* Numbers are instructions of all operations of the batch; less than 0 where the baseline executed more. */
struct vt_profile_function {
    const char *name, *module; /* the profile's */
    int64_t self, inclusive;   /* inclusive: with what it calls, counted once where it calls itself */
};

struct vt_profile_stack {
    int32_t parent;   /* index of the caller's, which stands before; -1: none */
    int32_t function; /* index */
    int64_t self;
};

struct vt_profile {
    int64_t operations;
    int64_t sum;                           /* of all; the toll, times `operations` */
    int64_t unattributed;                  /* the part of it where no function is known */
    int64_t interrupts_dropped;            /* that hit other batches of the row */
    struct vt_profile_function *functions; /* owned, as are the others */
    size_t function_count;
    struct vt_profile_stack *stacks; /* callers before what they call */
    size_t stack_count;
    char *texts;
};

/* The modules that every profile may have: the guest's own instructions, and what no symbol tells of. */
#define VT_PROFILE_GUEST   "guest"
#define VT_PROFILE_UNKNOWN "unknown"

/* Modules of the lower of two hypervisors, one in another, begin with this: "below/kvm_amd". */
#define VT_PROFILE_BELOW "below/"

/* What a number of a document may be off by: it keeps six digits. */
double vt_profile_rounding(double number);

void vt_profile_release(struct vt_profile *profile);

#endif
