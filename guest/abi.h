/*
 * What host and guest agree on: the address map, ports and selectors of the
 * payload's machine, the mailbox between the payload and its host, and the
 * scratch block every case works on. Included by the host, by the freestanding
 * payload and by the assembler.
 *
 * Owns: layout. Does not own: how a virtual machine is made (vmm/), what a case
 * does (guest/cases/), what is measured (bench/).
 */
#ifndef VT_GUEST_ABI_H
#define VT_GUEST_ABI_H

/* Guest-physical addresses; the payload runs identity-mapped with 2 MiB pages. */
#define VT_GUEST_TABLES     0x010000 /* PML4, PDPT and four page directories */
#define VT_GUEST_GDT        0x018000
#define VT_GUEST_IDT        0x019000
#define VT_GUEST_TSS        0x01a000
#define VT_GUEST_LDT        0x01b000
#define VT_GUEST_MAILBOX    0x020000
#define VT_GUEST_SCRATCH    0x022000
#define VT_GUEST_PV         0x030000 /* one page shared with the hypervisor, one with hypercalls */
#define VT_GUEST_PEER       0x038000 /* code of a second vCPU */
#define VT_GUEST_PEER_STACK 0x040000 /* grows down; of a second vCPU that runs */
#define VT_GUEST_STACK      0x050000 /* grows down; the code under test runs on it */
#define VT_GUEST_TRAP_STACK 0x060000 /* grows down; CPL 0 handlers of exceptions at CPL 3 */
#define VT_GUEST_PAYLOAD    0x100000
#define VT_GUEST_NESTED     0x180000 /* pages of a guest that is a hypervisor itself */
#define VT_GUEST_CASES      0x200000
#define VT_GUEST_TOUCH      0x400000 /* pages the host discards before a batch */
#define VT_GUEST_TOUCH_SIZE 0x800000
#define VT_GUEST_MEMORY     0xc00000
#define VT_GUEST_ABSENT     0x30000000 /* no page-table entry leads here */
#define VT_GUEST_FREE_ENTRY (VT_GUEST_TABLES + 0x2000 + (VT_GUEST_ABSENT >> 21) * 8) /* what maps it */
#define VT_GUEST_MMIO       0xd0000000 /* three pages with no memory behind them */
#define VT_GUEST_XAPIC      0xfee00000

/* Offsets into VT_GUEST_NESTED, a page each. */
#define VT_NESTED_SAVE                                                                                       \
    0x0000 /* where the processor keeps the hypervisor's state (VM_HSAVE_PA; the VMXON region) */
#define VT_NESTED_INNER       0x1000 /* control block of its guest; its VMCS */
#define VT_NESTED_OWN         0x2000 /* control block for VMSAVE and VMLOAD of its own state; another VMCS */
#define VT_NESTED_TABLES      0x3000 /* nested page tables: PML4, PDPT, one directory */
#define VT_NESTED_BITMAP      0x6000 /* all ones, for ports (three pages) and MSRs (two) */
#define VT_NESTED_APIC        0x9000 /* a virtual APIC page (VT-x) */
#define VT_NESTED_FIELDS      0xa000 /* what is written into its guest's VMCS: pairs of encoding and value */
#define VT_NESTED_SIZE        0xb000
#define VT_NESTED_BITMAP_SIZE 0x3000
#define VT_NESTED_ASID        1      /* and VPID */
#define VT_NESTED_MARK        0x5555 /* what is written to see that it was */

#define VT_MMIO_USER      0x0000 /* offsets into VT_GUEST_MMIO */
#define VT_MMIO_EVENTFD   0x1000
#define VT_MMIO_MATCH     0x1400 /* in the same page: rings for VT_EVENTFD_MATCH alone */
#define VT_MMIO_ANY       0x1800 /* rings for a write of any length: KVM need not look at the instruction */
#define VT_MMIO_COALESCED 0x2000

#define VT_EVENTFD_MATCH 0x5a
#define VT_PM_TIMER_HZ   3579545 /* ACPI 6.5, 4.8.3.3 */

/* Ports. The kernel port is the interrupt mask of the 8259A in KVM's irqchip. */
#define VT_PORT_KERNEL   0x21
#define VT_PORT_ELCR     0x4d0 /* edge or level, of the same: what is written there changes nothing else */
#define VT_PORT_DOORBELL 0x5e0
#define VT_PORT_USER     0x5e4
#define VT_PORT_EVENTFD  0x5e8
#define VT_PORT_PM_TIMER 0x5ec /* 32 bits: ACPI's power management timer, kept by user space */
#define VT_PORT_MATCH    0x5f8 /* an eventfd that rings for VT_EVENTFD_MATCH alone */

/* Selectors of the guest's GDT. */
#define VT_SEL_CODE0 0x08
#define VT_SEL_DATA0 0x10
#define VT_SEL_DATA3 0x2b
#define VT_SEL_CODE3 0x33
#define VT_SEL_TSS   0x40
#define VT_SEL_LDT   0x50
#define VT_GDT_SIZE  0x60

/* Interrupt vectors: two for self-IPIs, because xAPIC and x2APIC end an interrupt differently. */
#define VT_VECTOR_SOFTWARE 0x80
#define VT_VECTOR_XAPIC    0xe0
#define VT_VECTOR_X2APIC   0xe1
#define VT_VECTOR_DEADLINE                                                                                   \
    0xe2 /* its handler moves RIP over the JMP of VT_WAIT_LENGTH bytes that waits for it */
#define VT_WAIT_LENGTH  2
#define VT_VECTOR_CALL  0xe3 /* a call to a second vCPU that runs, which answers in scratch.answered */
#define VT_VECTOR_PEER  0x40 /* below the first of VT_PEER_VECTORS that are sent to a second vCPU */
#define VT_PEER_VECTORS 100
#define VT_PEER_APIC_ID 1
#define VT_VECTORS      256
#define VT_STUB_SIZE    16 /* bytes from one vector's entry stub to the next */

/* MSRs: one KVM answers itself on every vendor, one the host asks to see in user space. */
#define VT_MSR_KERNEL_READ  0x1b       /* IA32_APIC_BASE */
#define VT_MSR_KERNEL_WRITE 0x8b       /* IA32_BIOS_SIGN_ID; the write is without effect in a guest */
#define VT_MSR_USER         0x4d544f4c /* no CPU has it; the filter hands it to user space */

/* Where an image that boots by itself writes what it has to say (lab/link.h). */
#define VT_PORT_LINK  0x5f0
#define VT_PORT_DEBUG 0xe9 /* where the emulator has that one alone: Bochs' port_e9_hack */

/* vt_mailbox.state */
#define VT_STATE_DONE      1 /* the batch ended; tsc[] holds its times */
#define VT_STATE_EXCEPTION 2 /* an unexpected exception ended it; exception holds it */
#define VT_STATE_LEFT      3 /* the guest's own guest was not entered, or left where it should not be */

/* vt_guest_left.step: what the payload tried of VT-x when it failed; 0: nothing did */
#define VT_STEP_VMXON    1
#define VT_STEP_VMCLEAR  2
#define VT_STEP_VMPTRLD  3
#define VT_STEP_VMWRITE  4
#define VT_STEP_VMLAUNCH 5
#define VT_STEP_VMRESUME 6

/* Of a guest that was entered to see whether it can be (Intel SDM 3D appendix C). */
#define VT_EXIT_CPUID 10

#ifndef __ASSEMBLER__
#include <stdint.h>

struct vt_guest_exception {
    uint64_t vector, error, rip, cs, rflags, rsp, cr2;
};

/* How the guest's own guest was left, as its VMCS has it after a batch; all ones where there is none. */
struct vt_guest_left {
    uint64_t step, field; /* VT_STEP_, and of VMWRITE which */
    uint64_t error;       /* VM-instruction error */
    uint64_t reason, qualification, rip;
};

/* Host writes function and iterations, runs the guest, reads the rest at the doorbell. */
struct vt_mailbox {
    uint64_t batch;      /* guest address of vt_batch */
    uint64_t function;   /* guest address of a body or baseline */
    uint64_t iterations; /* at least 1 */
    uint64_t scratch;    /* guest address of struct vt_scratch */
    uint64_t tsc[2];     /* before and after the batch */
    uint64_t state;
    uint64_t skip_vector; /* exception the case provokes on purpose ... */
    uint64_t skip_length; /* ... and how far its handler moves RIP; vector ~0: none */
    uint64_t interrupts;  /* self-IPIs delivered */
    struct vt_guest_exception exception;
    uint64_t recover; /* not 0: an unexpected exception continues here, with this stack, instead of at the
                         doorbell */
    uint64_t recover_stack;
    struct vt_guest_left left; /* VT-x */
};

/*
 * Everything a case needs to know of where it runs. Filled by the engine, which
 * is why the machine code is the same everywhere. Addresses are those of the
 * address space the case runs in.
 */
struct vt_scratch {
    uint64_t cr0, cr3, cr4, cr8, dr7; /* values to be written back unchanged */
    uint64_t xcr0;
    uint64_t fs_base;
    uint64_t msr_user, msr_kernel_read, msr_kernel_write;
    uint64_t port_kernel, port_user, port_eventfd;
    uint64_t mmio_user, mmio_eventfd, mmio_coalesced, xapic;
    uint64_t code_selector, data_selector, tss_selector, ldt_selector;
    uint64_t tss_descriptor;    /* address of the TSS descriptor in the GDT */
    uint64_t absent;            /* an address whose access raises #PF */
    uint64_t touch;             /* first of the pages that are discarded before each batch */
    uint64_t page;              /* a mapped page whose translation may be flushed */
    uint8_t gdtr[16], idtr[16]; /* 10-byte operands of LGDT and LIDT */
    uint64_t invpcid[2];        /* descriptor: PCID, linear address */
    uint64_t sink[8];           /* rax rbx rcx rdx r8 r9 rflags 0 as the last turn left them */
    uint8_t buffer[4096] __attribute__((aligned(64)));
    /* Of the paravirtual forms: addresses of what guest and hypervisor share; 0 where there is none. */
    uint64_t hypercall;   /* code to be called: the processor's own hypercall instruction and RET */
    uint64_t pv_clock;    /* struct pvclock_vcpu_time_info (asm/pvclock-abi.h; Xen: struct vcpu_time_info) */
    uint64_t pv_eoi;      /* the word of MSR_KVM_PV_EOI_EN */
    uint64_t pv_steal;    /* struct kvm_steal_time (asm/kvm_para.h) */
    uint64_t pv_priority; /* KVM_SET_VAPIC_ADDR: task priority in the low byte */
    uint64_t pv_pairing;  /* struct kvm_clock_pairing, to be written by KVM_HC_CLOCK_PAIRING */
    uint64_t event_mask;  /* Xen: vcpu_info.evtchn_upcall_mask */
    uint64_t shared_info; /* Xen: struct shared_info */
    uint64_t ldt;         /* Xen: a page of descriptors */
    uint64_t call[3];     /* Xen: arguments of a form's hypercall, where only the domain knows them */
    /* Of the cases that write page tables: the first of four entries, a value for it, and the bits that lead
     * to another page. */
    uint64_t pte, pte_value, pte_flip;
    uint64_t port_elcr, port_pm_timer, port_match, mmio_match, mmio_any;
    /* Of a guest that is a hypervisor: physical addresses of its guest's control block and of its own. */
    uint64_t inner, own;
    /* VT-x: of its VMXON region; where its guest goes on; what INVEPT and INVVPID take. */
    uint64_t vmxon, inner_rip, invept[2], invvpid[2];
    /* Shared with a second vCPU that runs: calls it has answered; a token, and its copy of it. */
    uint64_t answered __attribute__((aligned(64)));
    uint64_t token __attribute__((aligned(64)));
    uint64_t echo __attribute__((aligned(64)));
};

/* First bytes of the payload image; the host reads it to build the IDT. */
struct vt_payload_header {
    uint64_t magic;
    uint64_t entry;      /* rdi = address of the mailbox */
    uint64_t stubs;      /* VT_VECTORS entry stubs, VT_STUB_SIZE bytes apart */
    uint64_t spin;       /* what a second vCPU runs: copies the token, never stops */
    uint64_t halt;       /* ... halts until it is called */
    uint64_t inner_call; /* what a guest's own guest runs: calls its hypervisor */
    uint64_t run_inner;  /* instead of entry: waits for batches in a guest of its own (AMD-V) */
    uint64_t lost;       /* where a batch ends that an exception ended */
    uint64_t vmx_entry;  /* entry of a hypervisor on VT-x: before each batch it makes its guest anew */
    uint64_t vmx_run;    /* ... waits for batches in a guest of its own */
    uint64_t vmx_inner;  /* what such a guest runs first: CPUID */
    uint64_t vmx_call;   /* ... and then: calls its hypervisor */
};
#define VT_PAYLOAD_MAGIC UINT64_C(0x31696f6c6c6f7476)
#endif

#endif
