/*
 * What a test and its judge agree on: QEMU's processor (TCG) runs each state as an SVM guest, entered with
 * VMRUN and left at the first HLT. All of it lies in memory that both share; the test writes the control
 * block (VMCB), the page tables and the world, the image inside only moves general registers in and out.
 */
#ifndef VT_TESTS_JUDGE_H
#define VT_TESTS_JUDGE_H

#include <stdint.h>

#define JUDGE_MEMORY  0x2000000 /* bytes of the machine; offsets are guest-physical addresses */
#define JUDGE_CONTROL 0x0f00000
#define JUDGE_SLOTS   0x1000000
#define JUDGE_HALVES  2
#define JUDGE_HALF    32 /* slots that are run together */
#define JUDGE_PAGES   10 /* of a state's world */
#define JUDGE_LEAVES  64

/* Read by the image before VMRUN, written after #VMEXIT. RAX, RSP and RIP are in the VMCB. */
struct judge_registers {
    uint64_t gpr[16];
    uint64_t dr[4];
    uint64_t xcr0, pkru;
    uint64_t used;    /* 0: nothing to run */
    uint64_t code[2]; /* written by the image, or QEMU would not see that the code is another */
};

struct judge_slot {
    uint8_t vmcb[4096];
    uint64_t tables[4][512]; /* PML4 and what it leads to */
    uint8_t world[JUDGE_PAGES * 4096];
    union {
        struct judge_registers registers;
        uint8_t page[4096];
    };
};

struct judge_control {
    uint64_t ready; /* 1: the image waits for work; 2: its processor has no SVM */
    volatile uint64_t go[JUDGE_HALVES],
        done[JUDGE_HALVES]; /* a half is to be run while go is ahead of done */
    uint32_t leaves;
    uint32_t cpuid[JUDGE_LEAVES][6]; /* leaf, subleaf, EAX to EDX */
};

/* Offsets in the VMCB (AMD APM 2 appendix B). */
#define VMCB_INTERCEPT   0x00c /* misc 1: INTR is bit 0, HLT 24, SHUTDOWN 31 */
#define VMCB_INTERCEPT2  0x010 /* misc 2: VMRUN is bit 0 */
#define VMCB_ASID        0x058
#define VMCB_INT_CONTROL 0x060 /* V_TPR in bits 0-3, V_INTR_MASKING in bit 24 */
#define VMCB_INT_STATE   0x068
#define VMCB_EXIT_CODE   0x070
#define VMCB_SEGMENTS    0x400 /* ES CS SS DS FS GS GDTR LDTR IDTR TR, 16 bytes each */
#define VMCB_CPL         0x4cb
#define VMCB_EFER        0x4d0
#define VMCB_CR4         0x548
#define VMCB_CR3         0x550
#define VMCB_CR0         0x558
#define VMCB_DR7         0x560
#define VMCB_DR6         0x568
#define VMCB_RFLAGS      0x570
#define VMCB_RIP         0x578
#define VMCB_RSP         0x5d8
#define VMCB_RAX         0x5f8
#define VMCB_STAR        0x600
#define VMCB_LSTAR       0x608
#define VMCB_CSTAR       0x610
#define VMCB_SFMASK      0x618
#define VMCB_KERNEL_GS   0x620
#define VMCB_SYSENTER_CS 0x628
#define VMCB_SYSENTER_SP 0x630
#define VMCB_SYSENTER_IP 0x638
#define VMCB_CR2         0x640
#define VMCB_G_PAT       0x668

#define SVM_EXIT_INTR     0x60
#define SVM_EXIT_HLT      0x78
#define SVM_EXIT_SHUTDOWN 0x7f

#endif
