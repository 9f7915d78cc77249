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
/* rbx keeps what the hypervisor made of the last flush; each turn finds the vCPU preempted. */
FORM kvm, invlpg, "mov al, [rsi]; mov cl, al; or cl, 0x02; lock cmpxchg [rsi], cl", setup="mov rsi, [r11 + S_PV_STEAL]; add rsi, STEAL_PREEMPTED; mov bl, [rsi]", turn="mov byte ptr [rsi], 1"
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
