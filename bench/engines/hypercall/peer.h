/*
 * A second vCPU, for what a guest leaves to a vCPU that is not running. It has a
 * steal-time page and nothing to do: each run ends at once at the doorbell.
 */
#ifndef VT_BENCH_ENGINES_HYPERCALL_PEER_H
#define VT_BENCH_ENGINES_HYPERCALL_PEER_H

#include "base/error.h"
#include "bench/engines/hypercall/shared.h"

/* Once in the life of a virtual machine, between its start and enter. */
int vt_pv_peer_open(struct vt_pv_guest *guest, struct vt_error *error);

/* Let it run and stop: KVM looks at its page on the way in. */
int vt_pv_peer_run(const struct vt_pv_guest *guest, struct vt_error *error);

/* The machine it belonged to is to be made anew. Without a peer: nothing. */
void vt_pv_peer_close(struct vt_pv_guest *guest);

#endif
