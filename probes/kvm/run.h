/*
 * What KVM really does with guest code, found by running some: a short loop at
 * CPL 0 and at CPL 3, judged by KVM's own counters per instruction, and where
 * there are none by how much longer it takes than the same loop in this process.
 */
#ifndef VT_PROBES_KVM_RUN_H
#define VT_PROBES_KVM_RUN_H

#include "base/counter.h"
#include "vmm/backend.h"
#include "vmm/obstacle.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vt_execution { VT_UNAVAILABLE, VT_HARDWARE, VT_DEPRIVILEGED, VT_INTERPRETED, VT_UNDECIDED };

/* What running the loop at one privilege level came to. */
struct vt_trial {
    bool ran;
    uint64_t instructions, nanoseconds;
    struct vt_counters counters; /* deltas */
    double slowdown;             /* time of a turn over its time in this process; NAN: not asked */
    struct vt_obstacle obstacle; /* why it did not run */
};

struct vt_trials {
    struct vt_trial cpl0, cpl3;
    uint32_t tsc_khz; /* of the guest; 0: KVM does not say */
};

/* Build a machine and run both trials; a few milliseconds, and at most some seconds where a guest does not
 * come back. */
void vt_kvm_try(struct vt_trials *trials);

/* Does guest code run to its end at any level? A millisecond or two where it does. */
bool vt_kvm_runs(void);

/* Pure. `backend` is what the modules say. */
enum vt_execution vt_kvm_judge(const struct vt_trial *trial, enum vt_backend backend);

/* NULL for VT_UNDECIDED */
const char *vt_kvm_execution_name(enum vt_execution execution);

/* Why it is judged so, or why it cannot be. */
void vt_kvm_tell(const struct vt_trial *trial, enum vt_backend backend, char *text, size_t size);

#endif
