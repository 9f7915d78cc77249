/*
 * What KVM really does with guest code, found by running some: a short loop at
 * CPL 0 and at CPL 3, judged by KVM's own counters per instruction.
 */
#ifndef VT_PROBES_KVM_RUN_H
#define VT_PROBES_KVM_RUN_H

#include "base/counter.h"

#include <stdbool.h>
#include <stdint.h>

enum vt_execution { VT_UNAVAILABLE, VT_HARDWARE, VT_DEPRIVILEGED, VT_INTERPRETED };

/* What running the loop at one privilege level came to. */
struct vt_trial {
    bool ran;
    uint64_t instructions, nanoseconds;
    struct vt_counters counters; /* deltas */
    char problem[256];           /* why it did not run */
};

struct vt_trials {
    struct vt_trial cpl0, cpl3;
    uint32_t tsc_khz; /* of the guest; 0: KVM does not say */
};

/* Build a machine and run both trials; a few milliseconds, and at most a second where a guest does not come
 * back. */
void vt_kvm_try(struct vt_trials *trials);

/* `hardware_backend`: the module in charge is KVM's for VT-x or AMD-V. Pure. */
enum vt_execution vt_kvm_judge(const struct vt_trial *trial, bool hardware_backend);

const char *vt_kvm_execution_name(enum vt_execution execution);

#endif
