/*
 * What stands behind the ports, pages and MSRs the cases touch: the parts of the
 * machine that KVM answers itself on our behalf (eventfds, coalesced MMIO, the MSR
 * filter) and which of them this kernel offers.
 */
#ifndef VT_BENCH_ENGINES_KVM_DEVICES_H
#define VT_BENCH_ENGINES_KVM_DEVICES_H

#include "vmm/vm.h"

#include <stdbool.h>
#include <stdint.h>

struct vt_kvm_devices {
    int eventfd;             /* -1 when closed */
    uint32_t offered;        /* enum vt_need bits that work on this machine */
    uint32_t coalesced_page; /* of the ring in the vCPU's mapping; 0: none */
    bool rewrites_calls;     /* KVM replaces the other vendor's hypercall instruction in guest memory */
    uint64_t xen_calls;      /* Xen's hypercalls answered; KVM's own count leaves them out */
};

/* Attach to a machine that is open. What the kernel does not offer is left out of `offered`. */
void vt_kvm_devices_open(struct vt_kvm_devices *devices, const struct vt_vm *vm);
void vt_kvm_devices_close(struct vt_kvm_devices *devices);

/* Take what the kernel has gathered of coalesced writes: it can gather as many again before it must ask. */
void vt_kvm_devices_drain(const struct vt_kvm_devices *devices, struct kvm_run *run);

/* Answer the user exit that kvm_run describes. False: it is none of these devices'. */
bool vt_kvm_devices_answer(struct vt_kvm_devices *devices, struct kvm_run *run);

#endif
