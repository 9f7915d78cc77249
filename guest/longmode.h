/*
 * The architectural state of the payload's machine: page tables, descriptor
 * tables, the special registers that go with them, and what cases are told of it
 * (guest/abi.h). Pure data: fills memory and structures, calls nothing.
 */
#ifndef VT_GUEST_LONGMODE_H
#define VT_GUEST_LONGMODE_H

#include "guest/abi.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* Features of the guest's CPUID that decide bits of CR4 and EFER; the last three are for cases that need
 * them.
 */
struct vt_longmode_features {
    bool xsave, fsgsbase, pke, svm, vmx;
};

/*
 * Write page tables, GDT, IDT, TSS and LDT into `memory`, which lies at guest-physical `base` (whole large
 * pages) and is mapped from linear 0 on: what is true of one copy of the guest is true of all.
 * `stubs` is the guest address of the vectors' entry stubs.
 */
void vt_longmode_tables(uint8_t *memory, uint64_t base, uint64_t stubs);

/* Turn `sregs` (as KVM returned it) into 64-bit mode at `cpl` on those tables. */
void vt_longmode_registers(struct kvm_sregs *sregs, int cpl, const struct vt_longmode_features *features);

/* What cases must know of that machine in those registers: addresses, ports, selectors, values to load. */
void vt_longmode_scratch(struct vt_scratch *scratch, const struct kvm_sregs *sregs);

#endif
