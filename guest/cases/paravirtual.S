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
    .set HC_KICK_CPU, 5
    .set HC_CLOCK_PAIRING, 9
    .set HC_SEND_IPI, 10
    .set HC_SCHED_YIELD, 11
    .set HC_MAP_GPA_RANGE, 12
    .set STEAL_PREEMPTED, 16

FORM kvm, vmcall, "vmcall", turn="mov eax, UNUSED"
FORM kvm, vmmcall, "vmmcall", turn="mov eax, UNUSED"
FORM kvm, mov_to_cr8, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]", turn="mov eax, HC_VAPIC_POLL_IRQ"
/* APIC ID 0 in rcx. No interrupt wakes the HLT, they are off: the kick does. */
FORM kvm, hlt, "call rdi; hlt", setup="mov rdi, [r11 + S_HYPERCALL]", turn="mov eax, HC_KICK_CPU"
FORM kvm, pause, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]", turn="mov eax, HC_SCHED_YIELD"
FORM kvm, mmio_read_user, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov rbx, [r11 + S_PV_PAIRING]", turn="mov eax, HC_CLOCK_PAIRING"
/* The range is the scratch block's first page, one page, encrypted: what user space makes of it is its affair. */
FORM kvm, wrmsr_user, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov rbx, r11; and rbx, -4096; mov ecx, 1; mov edx, 0x10", turn="mov eax, HC_MAP_GPA_RANGE"
/* APIC ID 0 is bit 0 of the map in rbx; rsi is the low half of an ICR: fixed, edge. */
FORM kvm, xapic_self_ipi, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov ebx, 1; mov esi, VECTOR_XAPIC; sti", turn="mov eax, HC_SEND_IPI"
FORM kvm, x2apic_self_ipi, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov ebx, 1; mov esi, VECTOR_X2APIC; sti", turn="mov eax, HC_SEND_IPI"
/* Bit 0 of the map is the APIC ID in rdx. */
FORM kvm, x2apic_ipi, "call rdi", setup="mov rdi, [r11 + S_HYPERCALL]; mov ebx, 1; mov edx, PEER_APIC_ID", turn="lea esi, [r10 + VECTOR_PEER]; mov eax, HC_SEND_IPI"

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

/* Slot 17 of the page, xen_version; its command 0, XENVER_version, takes no argument. */
.macro XEN_VERSION name
FORM xen, \name, "call r8", setup="mov r8, [r11 + S_HYPERCALL]; xor edi, edi", turn="mov eax, 17"
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
    .set XEN_SET_TRAP_TABLE, 0
    .set XEN_MMU_UPDATE, 1
    .set XEN_SET_GDT, 2
    .set XEN_STACK_SWITCH, 3
    .set XEN_SET_CALLBACKS, 4
    .set XEN_FPU_TASKSWITCH, 5
    .set XEN_SET_DEBUGREG, 8
    .set XEN_GET_DEBUGREG, 9
    .set XEN_UPDATE_DESCRIPTOR, 10
    .set XEN_UPDATE_VA_MAPPING, 14
    .set XEN_VCPU_OP, 24
    .set XEN_SET_SEGMENT_BASE, 25
    .set XEN_MMUEXT_OP, 26
    .set XEN_SCHED_OP, 29
    .set XEN_EVENT_CHANNEL_OP, 32
    .set XEN_KERNEL_CS, 0xe030
    .set XEN_KERNEL_SS, 0xe02b
    .set XEN_PROGRAM_CS, 0xe033
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
XEN_CALL ltr, XEN_STACK_SWITCH, "mov edi, XEN_KERNEL_SS; lea rsi, [r11 + S_BUFFER + 4096]"
/* Arguments that only the domain knows: frames, a table, a command and its structure, a machine address. */
XEN_CALL lgdt, XEN_SET_GDT, "mov rdi, [r11 + S_CALL]; mov rsi, [r11 + S_CALL + 8]"
XEN_CALL lidt, XEN_SET_TRAP_TABLE, "mov rdi, [r11 + S_CALL]"
XEN_CALL rdmsr_kernel, XEN_VCPU_OP, "mov rdi, [r11 + S_CALL]; mov rsi, [r11 + S_CALL + 8]; mov rdx, [r11 + S_CALL + 16]"
XEN_CALL write_descriptor, XEN_UPDATE_DESCRIPTOR, "mov rdi, [r11 + S_CALL]; mov rsi, [r11 + S_CALL + 8]"
/* SEGBASE_FS is 0, SCHEDOP_yield is 0. */
XEN_CALL wrmsr_fsbase, XEN_SET_SEGMENT_BASE, "xor edi, edi; mov rsi, [r11 + S_FS_BASE]"
XEN_CALL pause, XEN_SCHED_OP, "xor edi, edi; xor esi, esi"

/* One struct mmuext_op in the scratch block's buffer; the fourth argument's register counts the turns. */
.macro XEN_MMUEXT name, command, setup, turn
FORM xen, \name, "xchg r9, r10; call r8; xchg r9, r10", setup="mov r8, [r11 + S_HYPERCALL]; lea rdi, [r11 + S_BUFFER]; mov qword ptr [rdi], \command; \setup; mov [rdi + 8], rax; mov qword ptr [rdi + 16], 3; mov esi, 1; mov r9d, DOMID_SELF", turn="mov eax, XEN_MMUEXT_OP; \turn"
.endm
XEN_MMUEXT mov_to_cr3, MMUEXT_NEW_BASEPTR, "mov rax, [r11 + S_CR3]; shr rax, 12"
XEN_MMUEXT invlpg, MMUEXT_INVLPG_LOCAL, "mov rax, [r11 + S_PAGE]"
XEN_MMUEXT wbinvd, MMUEXT_FLUSH_CACHE
/* Of two and three entries in turn: Xen leaves a table that it knows alone. */
XEN_MMUEXT lldt, MMUEXT_SET_LDT, "mov rax, [r11 + S_LDT]", "xor byte ptr [rdi + 16], 1"

FORM xen, write_pte, "call r8", setup="mov r8, [r11 + S_HYPERCALL]; mov rdi, [r11 + S_CALL]; mov rsi, [r11 + S_PTE_VALUE]; mov rcx, [r11 + S_PTE_FLIP]", turn="mov eax, XEN_UPDATE_VA_MAPPING; xor rsi, rcx"
FORM xen, write_4_ptes, "xchg r9, r10; call r8; xchg r9, r10", setup="mov r8, [r11 + S_HYPERCALL]; mov rdi, [r11 + S_CALL]; mov rbx, [r11 + S_CALL + 8]; mov esi, 4; mov r9d, DOMID_SELF", turn="mov eax, XEN_MMU_UPDATE; xchg rdi, rbx"

/* struct iret_context; CS with level 0 is the kernel's. Xen gives back the rcx, r11 and rax it finds there. */
FORM xen, iret, "push 0x00; push rcx; push r11; push rax; mov eax, 0x17; syscall", setup="call 5f; 5: pop rdx; lea rdx, [rdx + 8f - 5b]", turn="push XEN_KERNEL_SS; push rbp; push 2; push XEN_KERNEL_CS; push rdx", after="8: mov rsp, rbp"

/*
 * VGCF_in_syscall: back as from a system call, with RIP in rcx and RFLAGS in r11. The program's SYSCALL comes to the kernel
 * where set_callbacks said, on the stack that stack_switch named.
 */
FORM xen, syscall, "push 0x100; push rcx; push r11; push rax; mov eax, 0x17; syscall; syscall", setup="mov r9, r11; mov r8, [r11 + S_HYPERCALL]; call 5f; 5: pop rbx; lea rbx, [rbx + 8f - 5b]; mov edi, XEN_KERNEL_SS; lea rsi, [r11 + S_BUFFER + 4096]; mov eax, XEN_STACK_SWITCH; call r8; mov rdi, [r11 + S_CALL]; mov rsi, rdi; mov rdx, rbx; mov eax, XEN_SET_CALLBACKS; call r8; lea rdx, [rbx - 2]", turn="push XEN_KERNEL_SS; push rbp; push 2; push XEN_PROGRAM_CS; push rdx", after="8: mov rsp, rbp; mov r11, r9"

/* An event of its own comes with the hypercall's return, through a handler that ends in HYPERVISOR_iret. */
FORM xen, x2apic_self_ipi, "call r8", setup="mov r8, [r11 + S_HYPERCALL]; mov rdi, [r11 + S_CALL]; mov rsi, [r11 + S_CALL + 8]; mov rdx, [r11 + S_EVENT_MASK]; mov byte ptr [rdx], 0", turn="mov eax, XEN_EVENT_CHANNEL_OP"
/* Each turn finds the event pending and masked, as it was sent anew; SCHEDOP_block, which is 1, unmasks it. */
FORM xen, hlt, "call r8", setup="mov r8, [r11 + S_HYPERCALL]; mov rsi, [r11 + S_CALL + 8]; mov rdx, [r11 + S_EVENT_MASK]", turn="mov byte ptr [rdx], 1; mov byte ptr [rdx - 1], 0; mov qword ptr [rdx + 7], 0; mov qword ptr [rdx + 2047], 0; mov rdi, [r11 + S_CALL]; mov eax, XEN_EVENT_CHANNEL_OP; call r8; mov edi, 1; mov eax, XEN_SCHED_OP"

/* struct vcpu_info: evtchn_upcall_pending, evtchn_upcall_mask, ..., arch.cr2 at 16. */
FORM xen, cli, "mov byte ptr [rdx], 0x01", setup="mov rdx, [r11 + S_EVENT_MASK]"
FORM xen, sti, "mov byte ptr [rdx], 0x00; cmp byte ptr [rdx - 0x01], 0x00; jnz 8f; 8:", setup="mov rdx, [r11 + S_EVENT_MASK]"
FORM xen, mov_from_cr2, "mov rax, [rdx]", setup="mov rdx, [r11 + S_EVENT_MASK]; add rdx, 15"
