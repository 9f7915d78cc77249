/*
 * Entry of the image as a PV domain of Xen: 64-bit mode at CPL 3, paging on, rsi =
 * struct start_info, a stack. What faults comes back through the trap table below
 * (xen/include/public/arch-x86/xen.h).
 */
#include "guest/abi.h"
    .include "guest/offsets.inc"

    .intel_syntax noprefix

    .set ELFNOTE_HYPERCALL_PAGE, 2
    .set ELFNOTE_VIRT_BASE, 3
    .set KERNEL_CS, 0xe033
    .set KERNEL_SS, 0xe02b
    .set PENDING, 2048
    .set HYPERVISOR_IRET, 23
    .set VECTORS, 32

#include "guest/image/note.inc"

    .section .note.xen, "a", @note
    NOTE ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000
    NOTE ELFNOTE_HYPERCALL_PAGE, .quad vt_image_hypercalls

    .section .boot, "ax", @progbits
    .globl vt_image_entry
vt_image_entry:
    cld
    lea rsp, [rip + stack_end]
    mov rdi, rsi
    call vt_image_main
1:  pause
    jmp 1b

    /* Filled by Xen: one hypercall every 32 bytes. */
    .text
    .balign 4096
    .globl vt_image_hypercalls
vt_image_hypercalls:
    .skip 4096

    /* The form that takes its number in eax; the entries of the page bring their own. */
    .globl vt_image_hypercall
    .type vt_image_hypercall, @function
vt_image_hypercall:
    push rcx
    push r11
    syscall
    pop r11
    pop rcx
    ret

    /* As a process: the flags word is 0, CS names level 3, and the stack is nobody's. */
    .globl vt_image_fault_as_process
    .type vt_image_fault_as_process, @function
vt_image_fault_as_process:
    push KERNEL_SS
    push 0
    pushfq
    push KERNEL_CS
    lea rax, [rip + process]
    push rax
    push 0
    jmp vt_image_hypercalls + HYPERVISOR_IRET * 32
process:
    ud2

    /* uint64_t vt_image_call(number, a, b, c, d) */
    .globl vt_image_call
    .type vt_image_call, @function
vt_image_call:
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    mov r10, r8
    jmp vt_image_hypercall

    /* Xen pushes rcx, r11 and, where the exception has one, an error code: bring all to one shape. */
    .set vector, 0
    .rept VECTORS
    .balign 16
    .ifdef first_stub
    .else
first_stub:
    .endif
    pop rcx
    pop r11
    .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) && (vector != 17)
    push 0
    .endif
    push vector
    jmp dispatch
    .set vector, vector + 1
    .endr
    /* An event: struct shared_info has evtchn_pending behind 32 struct vcpu_info. */
    .globl vt_image_callback
vt_image_callback:
    pop rcx
    pop r11
    mov byte ptr [vt_image_shared], 0
    mov qword ptr [vt_image_shared + 8], 0
    mov qword ptr [vt_image_shared + PENDING], 0
    inc qword ptr [vt_image_events]
    jmp return
other_stub:
    pop rcx
    pop r11
    inc qword ptr [vt_image_others]
    jmp return
    .balign 16
software_stub:
    pop rcx
    pop r11
    push 0
    push VT_VECTOR_SOFTWARE
    jmp dispatch

    /* Stack from here: rax, vector, error, rip, cs, rflags, rsp, ss. */
dispatch:
    push rax
    mov rax, [rsp + 8]
    cmp rax, [vt_image_mailbox + M_SKIP_VECTOR]
    je skip
    mov [vt_image_mailbox + M_EXCEPTION], rax
    mov [vt_image_frame], rsp
    mov rsp, [vt_image_mailbox + M_RECOVER_STACK]
    jmp qword ptr [vt_image_mailbox + M_RECOVER]
skip:
    mov rax, [vt_image_mailbox + M_SKIP_LENGTH]
    add [rsp + 24], rax
    pop rax
    add rsp, 16
return:
    /* The saved CS has the event mask in its upper half; HYPERVISOR_iret wants the selector alone, and flags below it. */
    mov word ptr [rsp + 10], 0
    mov dword ptr [rsp + 12], 0
    push 0
    jmp vt_image_hypercalls + HYPERVISOR_IRET * 32

    /* struct trap_info: vector, flags (privilege level that may raise it), cs, address. */
    .section .data
    .balign 8
    .globl vt_image_traps
vt_image_traps:
    .set vector, 0
    .rept VECTORS
    .if vector != 2
    .byte vector, 3
    .word KERNEL_CS
    .long 0
    .quad first_stub + vector * 16
    .endif
    .set vector, vector + 1
    .endr
    .byte VT_VECTOR_SOFTWARE, 3
    .word KERNEL_CS
    .long 0
    .quad software_stub
    .quad 0, 0
    .globl vt_image_other_trap
vt_image_other_trap:
    .byte VT_VECTOR_SOFTWARE, 3
    .word KERNEL_CS
    .long 0
    .quad other_stub
    .quad 0, 0

    .section .bss
    .balign 4096
    .globl vt_image_shared, vt_image_mailbox, vt_image_events, vt_image_others, vt_image_frame
vt_image_shared:
    .skip 4096
vt_image_mailbox:
    .skip 4096
stack:
    .skip 32768
stack_end:
vt_image_events:
    .skip 8
vt_image_others:
    .skip 8
vt_image_frame:
    .skip 8

    .section .note.GNU-stack, "", @progbits
