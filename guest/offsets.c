/* Compiled to assembly only: offsets of the ABI's structures, for the assembler. */
#include "guest/abi.h"

#include <stddef.h>

#define EMIT(name, value)     __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))
#define SCRATCH(name, member) EMIT(S_##name, offsetof(struct vt_scratch, member))
#define MAILBOX(name, member) EMIT(M_##name, offsetof(struct vt_mailbox, member))

void vt_guest_offsets(void);
void vt_guest_offsets(void)
{
    SCRATCH(CR0, cr0);
    SCRATCH(CR3, cr3);
    SCRATCH(CR4, cr4);
    SCRATCH(CR8, cr8);
    SCRATCH(DR7, dr7);
    SCRATCH(XCR0, xcr0);
    SCRATCH(FS_BASE, fs_base);
    SCRATCH(MSR_USER, msr_user);
    SCRATCH(MSR_KERNEL_READ, msr_kernel_read);
    SCRATCH(MSR_KERNEL_WRITE, msr_kernel_write);
    SCRATCH(PORT_KERNEL, port_kernel);
    SCRATCH(PORT_USER, port_user);
    SCRATCH(PORT_EVENTFD, port_eventfd);
    SCRATCH(MMIO_USER, mmio_user);
    SCRATCH(MMIO_EVENTFD, mmio_eventfd);
    SCRATCH(MMIO_COALESCED, mmio_coalesced);
    SCRATCH(XAPIC, xapic);
    SCRATCH(CODE_SELECTOR, code_selector);
    SCRATCH(DATA_SELECTOR, data_selector);
    SCRATCH(TSS_SELECTOR, tss_selector);
    SCRATCH(LDT_SELECTOR, ldt_selector);
    SCRATCH(TSS_DESCRIPTOR, tss_descriptor);
    SCRATCH(ABSENT, absent);
    SCRATCH(TOUCH, touch);
    SCRATCH(PAGE, page);
    SCRATCH(GDTR, gdtr);
    SCRATCH(IDTR, idtr);
    SCRATCH(INVPCID, invpcid);
    SCRATCH(SINK, sink);
    SCRATCH(BUFFER, buffer);
    SCRATCH(HYPERCALL, hypercall);
    SCRATCH(PV_CLOCK, pv_clock);
    SCRATCH(PV_EOI, pv_eoi);
    SCRATCH(PV_STEAL, pv_steal);
    SCRATCH(PV_PRIORITY, pv_priority);
    SCRATCH(PV_PAIRING, pv_pairing);
    SCRATCH(EVENT_MASK, event_mask);
    SCRATCH(SHARED_INFO, shared_info);
    SCRATCH(LDT, ldt);
    SCRATCH(CALL, call);
    SCRATCH(PTE, pte);
    SCRATCH(PTE_VALUE, pte_value);
    SCRATCH(PTE_FLIP, pte_flip);
    SCRATCH(PORT_ELCR, port_elcr);
    SCRATCH(PORT_PM_TIMER, port_pm_timer);
    SCRATCH(PORT_MATCH, port_match);
    SCRATCH(MMIO_MATCH, mmio_match);
    SCRATCH(MMIO_ANY, mmio_any);
    SCRATCH(INNER, inner);
    SCRATCH(OWN, own);
    SCRATCH(VMXON, vmxon);
    SCRATCH(INNER_RIP, inner_rip);
    SCRATCH(INVEPT, invept);
    SCRATCH(INVVPID, invvpid);
    SCRATCH(ANSWERED, answered);
    SCRATCH(TOKEN, token);
    SCRATCH(ECHO, echo);
    MAILBOX(BATCH, batch);
    MAILBOX(FUNCTION, function);
    MAILBOX(ITERATIONS, iterations);
    MAILBOX(SCRATCH, scratch);
    MAILBOX(TSC, tsc);
    MAILBOX(STATE, state);
    MAILBOX(SKIP_VECTOR, skip_vector);
    MAILBOX(SKIP_LENGTH, skip_length);
    MAILBOX(INTERRUPTS, interrupts);
    MAILBOX(EXCEPTION, exception);
    MAILBOX(RECOVER, recover);
    MAILBOX(RECOVER_STACK, recover_stack);
    MAILBOX(LEFT, left);
}
