/* A vCPU of KVM as a virtual CPU and back: what both call registers, in one shape that can be compared. */
#ifndef VT_TESTS_DIFFERENCE_KVM_STATE_H
#define VT_TESTS_DIFFERENCE_KVM_STATE_H

#include "vcpu/vcpu.h"

#include <linux/kvm.h>

/* MSRs that are moved; EFER goes with the special registers. */
extern const uint32_t kvm_state_msrs[];
extern const size_t kvm_state_msr_count;

/* Where a virtual CPU holds the value of one of them. */
uint64_t *kvm_state_msr(struct vt_vcpu *vcpu, uint32_t index);

/*
 * Into the vCPU: general and special registers, debug registers and MSRs. `sregs` is what the
 * caller has of the rest: APIC base, pending interrupts. False when KVM refuses any of it.
 */
bool kvm_state_set(int fd, const struct kvm_sregs *sregs, const struct vt_vcpu *vcpu);

/* XCR0, where KVM takes the value and where it has XCRs at all. */
void kvm_state_set_xcr0(int fd, uint64_t value);
uint64_t kvm_state_get_xcr0(int fd);

/* Out of the vCPU; everything else in *vcpu stays. A segment that KVM calls unusable has rights 0. */
bool kvm_state_get(int fd, struct vt_vcpu *vcpu);

#endif
