/*
 * The machine's guest as a hypervisor: whether KVM lets it be one, what it needs before its first batch, and
 * whether its own guest did what the case says.
 */
#ifndef VT_BENCH_ENGINES_KVM_NESTED_H
#define VT_BENCH_ENGINES_KVM_NESTED_H

#include "base/error.h"
#include "guest/catalogue.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does KVM offer the guest what these vt_need bits ask for of virtualization? On no: why, and what to do. */
bool vt_kvm_nested_offers(const struct vt_vm *vm, uint32_t needs, char *reason, size_t size);

/* Where the payload begins for this case: VT_INNER_RUNS waits for its batches in the guest's guest, and
 * before others on VT-x it makes that anew. */
uint64_t vt_kvm_nested_entry(const struct vt_vm *vm, const struct vt_case *c);

/* After the start, before the first run: control blocks, nested page tables, and the scratch block's word of
 * them. */
int vt_kvm_nested_set(const struct vt_vm *vm, const struct vt_case *c, struct vt_scratch *scratch,
                      struct vt_error *error);

/* Before a batch of the body: takes away what an earlier one left, so that vt_kvm_nested_check sees this one.
 */
void vt_kvm_nested_forget(const struct vt_vm *vm, const struct vt_case *c);

/* After it: did the guest's guest end as the case says, or the block change as it must? On no: how it was. */
bool vt_kvm_nested_check(const struct vt_vm *vm, const struct vt_case *c, char *reason, size_t size);

/* How the guest's guest was left, or why it was not entered, in words. */
void vt_kvm_nested_tell(const struct vt_vm *vm, const struct vt_case *c, char *text, size_t size);

#endif
