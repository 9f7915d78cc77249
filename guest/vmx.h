/*
 * The guest as a hypervisor on VT-x: regions, nested page tables, and what it writes into its guest's VMCS,
 * which only its own VMWRITE can do: the layout is the processor's, or the hypervisor's below. Pure data
 * (Intel SDM 3C, 25 and 3D appendix A).
 *
 * Owns: layout and contents. Does not own: who executes it (guest/cases/, guest/payload/), what an exit means
 * (bench/engines/kvm/).
 */
#ifndef VT_GUEST_VMX_H
#define VT_GUEST_VMX_H

#include "guest/catalogue.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define VT_VMX_FEATURE_CONTROL_MSR 0x3a /* IA32_FEATURE_CONTROL */
#define VT_VMX_FEATURE_CONTROL     5    /* locked, VMXON outside SMX */
#define VT_VMX_BASIC_MSR           0x480

/* What the processor offers: its capability MSRs (Intel SDM 3D appendix A). */
struct vt_vmx_capabilities {
    uint64_t basic;
    uint64_t pin, processor, exit,
        entry;          /* allowed settings: those that must be 1 below, that may be above */
    uint64_t secondary; /* 0: no secondary controls */
    uint64_t ept_vpid;
};

/* A capability MSR by number. 0, or not 0 where there is none. */
typedef int vt_vmx_reader(void *context, uint32_t msr, uint64_t *value);

/* Read them; those that other bits say are not there stay 0. 0, or what the reader answered. */
int vt_vmx_read_capabilities(struct vt_vmx_capabilities *capabilities, vt_vmx_reader *read, void *context);

/* Nested paging of a hypervisor's guests with INVEPT, and their tags in the TLB with INVVPID. */
bool vt_vmx_has_ept(const struct vt_vmx_capabilities *capabilities);
bool vt_vmx_has_vpid(const struct vt_vmx_capabilities *capabilities);

struct vt_vmx_field {
    uint64_t encoding, value;
};

#define VT_VMX_FIELDS_END UINT64_MAX /* as an encoding, behind the last */

/* Of the guest's guest: how it is entered, and where it begins. */
struct vt_vmx_inner {
    enum vt_inner kind;
    uint64_t rip, rsp;
};

/*
 * Fill the pages at VT_GUEST_NESTED of `memory`, which lies at guest-physical `base`: regions with the
 * revision of `capabilities`, nested page tables, and the list of fields of a guest in the state of `sregs`,
 * with `inner`'s place to begin. Fields of the host's RIP and RSP are left to who enters.
 */
void vt_vmx_fill(uint8_t *memory, uint64_t base, const struct kvm_sregs *sregs,
                 const struct vt_vmx_capabilities *capabilities, const struct vt_vmx_inner *inner);

/* What INVEPT takes as its first word: the pointer to those nested page tables. */
uint64_t vt_vmx_ept_pointer(uint64_t base);

#endif
