/*
 * What the guest of a KVM machine shares with its hypervisor: the pages KVM keeps up
 * to date, the page of hypercalls, Xen's ABI where KVM speaks it. Owns their place
 * in guest memory, their set-up, and the proof that KVM honours them.
 */
#ifndef VT_BENCH_ENGINES_HYPERCALL_SHARED_H
#define VT_BENCH_ENGINES_HYPERCALL_SHARED_H

#include "base/error.h"
#include "bench/engines/kvm/machine.h"
#include "guest/catalogue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A machine whose guest knows its hypervisor. */
struct vt_pv_guest {
    struct vt_kvm_machine machine;
};

/*
 * Can KVM here give a guest at `cpl` what the form needs? On no: what is missing.
 */
bool vt_pv_shared_offers(const struct vt_pv_guest *guest, enum vt_pv_interface interface,
                         const struct vt_pv_form *form, int cpl, char *reason, size_t size);

/* Between start and enter of the machine: share what the form needs, and nothing else. Xen's ABI, and calls
 * that user space answers, stay with the machine. */
int vt_pv_shared_set_up(struct vt_pv_guest *guest, enum vt_pv_interface interface,
                        const struct vt_pv_form *form, struct vt_error *error);

/*
 * Run the form and see what it did to the hypervisor: *honoured tells. An end other
 * than VT_BATCH_DONE is that of the run. The machine is left as after enter.
 */
enum vt_batch_end vt_pv_shared_prove(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                     struct vt_error *error);

#endif
