/*
 * A second vCPU of a machine, for what a guest sends or leaves to a vCPU that is not
 * running. It has nothing to do: each run ends at once at the doorbell.
 */
#ifndef VT_BENCH_ENGINES_KVM_PEER_H
#define VT_BENCH_ENGINES_KVM_PEER_H

#include "base/error.h"
#include "bench/engines/kvm/machine.h"

#include <stdint.h>

/* Once in the life of a virtual machine, after its start. It lives as long as the machine. */
int vt_kvm_peer_open(struct vt_kvm_machine *machine, struct vt_error *error);

/* Let it run and stop: KVM looks at what it was left on the way in. */
int vt_kvm_peer_run(const struct vt_kvm_machine *machine, struct vt_error *error);

/* How many interrupt vectors wait for it. They are taken back. */
uint64_t vt_kvm_peer_take_interrupts(const struct vt_kvm_machine *machine);

/* Without a peer: nothing. */
void vt_kvm_peer_close(struct vt_kvm_machine *machine);

#endif
