/*
 * The counters that prove a crossing: one enumeration for every source, so that
 * engines, evidence and reports speak of the same things.
 */
#ifndef VT_BASE_COUNTER_H
#define VT_BASE_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

enum vt_counter {
    /* KVM binary statistics of a vCPU (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD) */
    VT_EXITS,
    VT_IO_EXITS,
    VT_MMIO_EXITS,
    VT_SIGNAL_EXITS,
    VT_IRQ_EXITS,
    VT_IRQ_WINDOW_EXITS,
    VT_HALT_EXITS,
    VT_HYPERCALLS,
    VT_INSN_EMULATION,
    VT_INSN_EMULATION_FAIL,
    VT_IRQ_INJECTIONS,
    VT_PF_TAKEN,
    VT_INVLPG,
    VT_NESTED_RUN, /* entries of its guest by a guest that is a hypervisor */
    /* counted by the engine itself */
    VT_USER_EXITS,  /* returns of KVM_RUN other than the doorbell's */
    VT_INTERRUPTS,  /* self-IPIs the guest's handler ended */
    VT_HONOURED,    /* operations whose effect on the hypervisor was seen by another way than their answer */
    VT_SIGNALS,     /* faults of the case caught as signals */
    VT_TRAPS,       /* entries into a monitor at ring 0 that the case's faults made */
    VT_PAGE_FAULTS, /* page faults the host kernel served without I/O */
    VT_HOST_EMULATIONS, /* answers that only the host kernel's instruction emulation gives */
    VT_INLINE_HITS,     /* sensitive instructions done inside translated code */
    VT_CALLOUTS,        /* sensitive instructions done by the emulator, called from translated code */
    VT_BLOCKS,          /* basic blocks translated */
    VT_CHAIN_MISSES,    /* block ends that had to be resolved and linked */
    VT_LOOKUP_MISSES,   /* indirect targets that missed both cache and hash */
    VT_SYSTEM_CALLS,    /* calls into the host's kernel that did what they were asked, of a machine's life */
    VT_BESIDE,          /* operations of the machine's other vCPUs in the same time */
    VT_PREEMPTIONS,     /* involuntary context switches of the thread */
    VT_COUNTERS
};

/* Values with what is known; a counter the source does not offer is unknown, never 0. */
struct vt_counters {
    uint64_t value[VT_COUNTERS];
    uint32_t known; /* bit per enum vt_counter */
};

/* Name as in KVM's statistics and in the result document's `evidence`. */
const char *vt_counter_name(enum vt_counter counter);

/* The counter of that name, or -1. */
int vt_counter_find(const char *name);

static inline bool vt_counters_has(const struct vt_counters *counters, enum vt_counter counter)
{
    return counters->known >> counter & 1;
}

static inline void vt_counters_put(struct vt_counters *counters, enum vt_counter counter, uint64_t value)
{
    counters->value[counter] = value;
    counters->known |= UINT32_C(1) << counter;
}

/* after - before, for what both know. */
struct vt_counters vt_counters_since(const struct vt_counters *before, const struct vt_counters *after);

/* Add `more` to `sum`; what `more` knows is known afterwards. */
void vt_counters_add(struct vt_counters *sum, const struct vt_counters *more);

#endif
