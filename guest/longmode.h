/*
 * The architectural state of the payload's machine: page tables, descriptor
 * tables and the special registers that go with them (guest/abi.h). Pure data:
 * fills memory and a kvm_sregs, calls nothing.
 */
#ifndef VT_GUEST_LONGMODE_H
#define VT_GUEST_LONGMODE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* Features of the guest's CPUID that decide bits of CR4. */
struct vt_longmode_features {
    bool xsave, fsgsbase;
};

/*
 * Write page tables, GDT, IDT, TSS and LDT into `memory` (guest-physical 0).
 * `stubs` is the guest address of the vectors' entry stubs.
 */
void vt_longmode_tables(uint8_t *memory, uint64_t stubs);

/* Turn `sregs` (as KVM returned it) into 64-bit mode at `cpl` on those tables. */
void vt_longmode_registers(struct kvm_sregs *sregs, int cpl, const struct vt_longmode_features *features);

#endif
