/*
 * The guest as a hypervisor on AMD-V: the control blocks and nested page tables its
 * guest is run with. Pure data (AMD APM 2, 15.5 and appendix B).
 *
 * Owns: layout and contents. Does not own: who executes VMRUN (guest/cases/,
 * guest/payload/), what an exit means (bench/engines/kvm/).
 */
#ifndef VT_GUEST_SVM_H
#define VT_GUEST_SVM_H

#include "guest/catalogue.h"

#include <linux/kvm.h>
#include <stdint.h>

struct vt_vmcb_segment {
    uint16_t selector, attributes;
    uint32_t limit;
    uint64_t base;
};

/* A control block (AMD APM 2, tables B-1 and B-2); what is not named is 0. */
struct vt_vmcb {
    uint32_t intercepts[6]; /* CR, DR, exceptions, and three words of instructions and events */
    uint8_t ignored_1[0x28];
    uint64_t ports, msrs, tsc_offset;             /* 0x040: physical addresses of the bitmaps */
    uint32_t asid, tlb_control;                   /* 0x058 */
    uint64_t interrupt_control, interrupt_shadow; /* 0x060 */
    uint64_t exit_code, exit_info[2];             /* 0x070 */
    uint8_t ignored_3[8];
    uint64_t nested_control; /* 0x090 */
    uint8_t ignored_4[0x10];
    uint64_t injected;   /* 0x0a8: the event that comes with VMRUN */
    uint64_t nested_cr3; /* 0x0b0 */
    uint8_t ignored_5[0x348];
    struct vt_vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 0x400 */
    uint8_t ignored_6[0x2b];
    uint8_t cpl; /* 0x4cb */
    uint8_t ignored_7[4];
    uint64_t efer; /* 0x4d0 */
    uint8_t ignored_8[0x70];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 0x548 */
    uint8_t ignored_9[0x58];
    uint64_t rsp; /* 0x5d8 */
    uint8_t ignored_10[0x18];
    uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter[3], cr2; /* 0x5f8 */
    uint8_t ignored_11[0x20];
    uint64_t pat; /* 0x668 */
    uint8_t ignored_12[0x990];
};

#define VT_SVM_EFER_SVME UINT64_C(0x1000)
#define VT_SVM_HSAVE_MSR 0xc0010117 /* VM_HSAVE_PA */

/* Of the guest's guest: how it is entered, and where it begins. */
struct vt_svm_inner {
    enum vt_inner kind;
    uint64_t rip, rsp;
};

/* The state of `sregs` with all registers 0, and no intercept. */
void vt_svm_fill_state(struct vt_vmcb *vmcb, const struct kvm_sregs *sregs);

/*
 * Fill the pages at VT_GUEST_NESTED of `memory`, which lies at guest-physical `base`: a guest in the state of
 * `sregs`, with `inner`'s place to begin.
 */
void vt_svm_fill(uint8_t *memory, uint64_t base, const struct kvm_sregs *sregs,
                 const struct vt_svm_inner *inner);

#endif
