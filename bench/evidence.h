/*
 * From counters to a verdict: which crossing took place, and does that agree
 * with what must have happened. Pure: numbers in, verdict out.
 */
#ifndef VT_BENCH_EVIDENCE_H
#define VT_BENCH_EVIDENCE_H

#include "bench/measurement.h"
#include "vmm/backend.h"

#include <stdbool.h>

/* What the verdict depends on beside the counters. */
struct vt_evidence_context {
    enum vt_backend backend; /* behind /dev/kvm; matters for VM exits only */
    bool inside;             /* this machine is itself a guest: CPUID.1:ECX.31 */
    bool amd;                /* the CPU's virtualization is SVM (AMD, Hygon), not VMX */
};

/*
 * Fill crossing, status (ok or unverified), reason, exits_per_op and, where the
 * counters contradict the backend's name, path. Needs iterations, batches and both
 * counter totals.
 */
void vt_evidence_judge(struct vt_measurement *measurement, const struct vt_evidence_context *context);

#endif
