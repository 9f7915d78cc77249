/*
 * Paravirtual forms: calls to the hypervisor, and memory shared with it.
 *
 * KVM takes the number in rax, arguments in rbx rcx rdx rsi, and answers in rax
 * (Linux Documentation/virt/kvm/x86/hypercalls.rst). rdi leads to the processor's own
 * hypercall instruction, so that one form serves VMX and SVM.
 */
#include "guest/cases/case.h"

    .set UNUSED, 0x7ffffff0
    .set HC_VAPIC_POLL_IRQ, 1
    .set HC_CLOCK_PAIRING, 9
    .set HC_SEND_IPI, 10
    .set HC_SCHED_YIELD, 11
    .set HC_MAP_GPA_RANGE, 12
    .set STEAL_PREEMPTED, 16

FORM kvm, vmcall, "vmcall", turn="mov eax, UNUSED"
FORM kvm, vmmcall, "vmmcall", turn="mov eax, UNUSED"
FORM kvm, mov_to_cr8, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]", turn="mov eax, HC_VAPIC_POLL_IRQ"
FORM kvm, pause, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]", turn="mov eax, HC_SCHED_YIELD"
FORM kvm, mmio_read_user, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov rbx, [r11 + S_PV_PAIRING]", turn="mov eax, HC_CLOCK_PAIRING"
/* The range is the scratch block's first page, one page, encrypted: what user space makes of it is its affair. */
FORM kvm, wrmsr_user, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov rbx, r11; and rbx, -4096; mov ecx, 1; mov edx, 0x10", turn="mov eax, HC_MAP_GPA_RANGE"
/* APIC ID 0 is bit 0 of the map in rbx; rsi is the low half of an ICR: fixed, edge. */
FORM kvm, xapic_self_ipi, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov ebx, 1; mov esi, VECTOR_XAPIC; sti", turn="mov eax, HC_SEND_IPI"
FORM kvm, x2apic_self_ipi, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov ebx, 1; mov esi, VECTOR_X2APIC; sti", turn="mov eax, HC_SEND_IPI"

/*
 * The time: TSC ticks since the page was written, shifted, times a 32-bit fraction, plus the time then; once
 * more when the page's version has changed meanwhile or was odd (asm/pvclock-abi.h).
 */
    .set PVCLOCK_TSC, 8
    .set PVCLOCK_TIME, 16
    .set PVCLOCK_MULTIPLIER, 24
    .set PVCLOCK_SHIFT, 28
.macro TIME interface, name
FORM \interface, \name, "mov r8d, [rsi]; and r8d, -2; lfence; rdtsc; shl rdx, 0x20; or rax, rdx; sub rax, [rsi + PVCLOCK_TSC]; mov cl, [rsi + PVCLOCK_SHIFT]; test cl, cl; js 8f; shl rax, cl; jmp 9f; 8: neg cl; shr rax, cl; 9: mov ebx, [rsi + PVCLOCK_MULTIPLIER]; mul rbx; shrd rax, rdx, 0x20; add rax, [rsi + PVCLOCK_TIME]; sub r8d, [rsi]; neg r8d; jb 6b", setup="mov rsi, [r11 + S_PV_CLOCK]", turn="6:"
.endm
TIME kvm, rdtsc
TIME xen, rdtscp

FORM kvm, rdmsr_kernel, "mov ecx, [rsi + 0x08]; mov rax, [rsi]; sub ecx, [rsi + 0x08]; neg ecx; jb 6b", setup="mov rsi, [r11 + S_PV_STEAL]", turn="6:"
/* Each turn finds the vCPU preempted. */
FORM kvm, invlpg, "mov al, [rsi]; mov cl, al; or cl, 0x02; lock cmpxchg [rsi], cl", setup="mov rsi, [r11 + S_PV_STEAL]; add rsi, STEAL_PREEMPTED", turn="mov byte ptr [rsi], 1"
FORM kvm, xapic_read, "mov eax, [rsi]", setup="mov rsi, [r11 + S_PV_PRIORITY]"
/* Each turn finds the bit set, as after the delivery of an interrupt; where it is clear the APIC must be told. */
FORM kvm, xapic_eoi, "btr dword ptr [rsi], 0x00; jb 8f; mov [rdx + 0xb0], eax; 8:", setup="mov rsi, [r11 + S_PV_EOI]; mov rdx, [r11 + S_XAPIC]", turn="mov dword ptr [rsi], 1"
FORM kvm, x2apic_eoi, "btr dword ptr [rsi], 0x00; jb 8f; wrmsr; 8:", setup="mov rsi, [r11 + S_PV_EOI]; mov ecx, 0x80b", turn="mov dword ptr [rsi], 1"

/* Slot 17 of the page, xen_version; XENVER_version takes no argument. */
.macro XEN_VERSION name
FORM xen, \name, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]", turn="mov eax, 17"
.endm
XEN_VERSION vmcall
XEN_VERSION vmmcall

/* rcx and r11 are the kernel's after SYSCALL: the scratch block's address stays in r9. */
.macro DISPATCHED name
FORM process, \name, "syscall", setup="mov r9, r11", turn="mov eax, UNUSED", after="mov r11, r9"
.endm
DISPATCHED vmcall
DISPATCHED vmmcall

/*
 * Xen takes the number in rax, arguments in rdi rsi rdx r10, and answers in rax
 * (xen/include/public/arch-x86/xen-x86_64.h); r8 leads to a hypercall that keeps rcx and r11.
 */
    .set XEN_STACK_SWITCH, 3
    .set XEN_FPU_TASKSWITCH, 5
    .set XEN_SET_DEBUGREG, 8
    .set XEN_GET_DEBUGREG, 9
    .set XEN_SET_SEGMENT_BASE, 25
    .set XEN_MMUEXT_OP, 26
    .set XEN_SCHED_OP, 29
    .set XEN_KERNEL_SS, 0xe02b
    .set DOMID_SELF, 0x7ff0
    .set MMUEXT_NEW_BASEPTR, 5
    .set MMUEXT_INVLPG_LOCAL, 7
    .set MMUEXT_FLUSH_CACHE, 12
    .set MMUEXT_SET_LDT, 13

.macro XEN_CALL name, number, setup
FORM xen, \name, "call r8", setup="mov r8, [r11 + S_HYPERCALL]; \setup", turn="mov eax, \number"
.endm
XEN_CALL clts, XEN_FPU_TASKSWITCH, "xor edi, edi"
XEN_CALL mov_to_cr0, XEN_FPU_TASKSWITCH, "xor edi, edi"
XEN_CALL mov_from_dr7, XEN_GET_DEBUGREG, "mov edi, 7"
XEN_CALL mov_to_dr7, XEN_SET_DEBUGREG, "mov edi, 7; mov rsi, [r11 + S_DR7]"
XEN_CALL ltr, XEN_STACK_SWITCH, "mov edi, XEN_KERNEL_SS; mov rsi, rsp"
/* SEGBASE_FS is 0, SCHEDOP_yield is 0. */
XEN_CALL wrmsr_fsbase, XEN_SET_SEGMENT_BASE, "xor edi, edi; mov rsi, [r11 + S_FS_BASE]"
XEN_CALL pause, XEN_SCHED_OP, "xor edi, edi; xor esi, esi"

/* One struct mmuext_op in the scratch block's buffer; the fourth argument's register counts the turns. */
.macro XEN_MMUEXT name, command, setup
FORM xen, \name, "xchg r9, r10; call r8; xchg r9, r10", setup="mov r8, [r11 + S_HYPERCALL]; lea rdi, [r11 + S_BUFFER]; mov qword ptr [rdi], \command; \setup; mov [rdi + 8], rax; mov qword ptr [rdi + 16], 0; mov esi, 1; mov r9d, DOMID_SELF", turn="mov eax, XEN_MMUEXT_OP"
.endm
XEN_MMUEXT mov_to_cr3, MMUEXT_NEW_BASEPTR, "mov rax, [r11 + S_CR3]; shr rax, 12"
XEN_MMUEXT invlpg, MMUEXT_INVLPG_LOCAL, "mov rax, [r11 + S_PAGE]"
XEN_MMUEXT wbinvd, MMUEXT_FLUSH_CACHE
XEN_MMUEXT lldt, MMUEXT_SET_LDT

/* struct vcpu_info: evtchn_upcall_pending, evtchn_upcall_mask, ..., arch.cr2 at 16. */
FORM xen, cli, "mov byte ptr [rdx], 0x01", setup="mov rdx, [r11 + S_EVENT_MASK]"
FORM xen, sti, "mov byte ptr [rdx], 0x00; cmp byte ptr [rdx - 0x01], 0x00; jnz 8f; 8:", setup="mov rdx, [r11 + S_EVENT_MASK]"
FORM xen, mov_from_cr2, "mov rax, [rdx]", setup="mov rdx, [r11 + S_EVENT_MASK]; add rdx, 15"
