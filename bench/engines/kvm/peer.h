/*
 * A second vCPU of a machine, for what a guest sends or leaves to a vCPU that is not
 * running. It has nothing to do: each run ends at once at the doorbell.
 */
#ifndef VT_BENCH_ENGINES_KVM_PEER_H
#define VT_BENCH_ENGINES_KVM_PEER_H

#include "base/error.h"
#include "vmm/vm.h"

#include <stdint.h>

/*
 * Once in the life of a virtual machine, after its start. It lives as long as the machine. *peer is its
 * descriptor, -1 on failure.
 */
int vt_kvm_peer_open(const struct vt_vm *vm, int *peer, struct vt_error *error);

/* Let it run and stop: KVM looks at what it was left on the way in. */
int vt_kvm_peer_run(int peer, struct vt_error *error);

/* How many interrupt vectors wait for it. They are taken back. */
uint64_t vt_kvm_peer_take_interrupts(int peer);

/* Where *peer is -1: nothing. */
void vt_kvm_peer_close(int *peer);

#endif
