/*
 * KVM's binary statistics of a vCPU, by name (Documentation/virt/kvm/api.rst,
 * KVM_GET_STATS_FD). Reading needs no privilege beyond the vCPU descriptor.
 */
#ifndef VT_VMM_STATS_H
#define VT_VMM_STATS_H

#include "base/counter.h"
#include "base/error.h"

struct vt_stats {
    int fd; /* -1: this kernel offers none; every counter is then unknown */
    uint64_t data_offset;
    uint32_t data_size;          /* bytes that hold all values this build knows */
    int32_t offset[VT_COUNTERS]; /* byte offset into the data block, -1: not offered */
};

/* Look the counters up once. A kernel without KVM_GET_STATS_FD is not an error. */
int vt_stats_open(struct vt_stats *stats, int vcpu, struct vt_error *error);

/* The same for a descriptor at hand, which *stats owns from here on; -1: there is none. */
int vt_stats_adopt(struct vt_stats *stats, int fd, struct vt_error *error);

/* Current values; unknown where the kernel has no such counter. */
void vt_stats_read(const struct vt_stats *stats, struct vt_counters *counters);

void vt_stats_close(struct vt_stats *stats);

#endif
