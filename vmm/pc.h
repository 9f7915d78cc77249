/*
 * A virtual machine that boots Linux: memory from address 0 on, one vCPU, KVM's own interrupt
 * controllers and timer.
 *
 * Owns: descriptors, memory, the vCPU's first state. Does not own: devices in user space (whoever runs it
 * answers its exits), the image (vmm/bzimage.h).
 */
#ifndef VT_VMM_PC_H
#define VT_VMM_PC_H

#include "base/error.h"
#include "vmm/bzimage.h"
#include "vmm/stats.h"

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

struct vt_pc {
    int system, vm, vcpu; /* descriptors, -1 when closed */
    struct kvm_run *run;  /* shared with the kernel */
    size_t run_size;
    uint8_t *memory;
    size_t size;           /* of it */
    struct vt_stats stats; /* KVM's counters of the vCPU */
};

/* With `size` bytes of memory, at most 1 GiB. On failure nothing stays open. */
int vt_pc_open(struct vt_pc *pc, size_t size, struct vt_error *error);

/* Lay the image and put the vCPU at its entry. */
int vt_pc_boot(struct vt_pc *pc, const struct vt_bzimage *image, struct vt_error *error);

/* To the next exit that is user space's: pc->run says which. */
int vt_pc_run(struct vt_pc *pc, struct vt_error *error);

/* Safe on one that failed to open or is already closed. */
void vt_pc_close(struct vt_pc *pc);

#endif
