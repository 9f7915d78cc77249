/* Into the guest, and the ways out of it: one gate per vector. */
#include "guest/abi.h"
#include "monitor/frame.h"

    .intel_syntax noprefix
#include "guest/preserved.inc"
#include "monitor/registers.inc"
    .text
    .globl vt_monitor_gates, vt_monitor_enter, vt_monitor_leave, vt_monitor_bare

    .p2align 4
vt_monitor_gates:
    .set vector, 0
    .rept VT_MONITOR_GATES
    .p2align 4
    /* Vectors whose exception pushes an error code: Intel SDM 3A table 6-1; AMD APM 2, 8.2. */
    .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
    push 0
    .endif
    push vector
    jmp trap
    .set vector, vector + 1
    .endr
    .p2align 4

    /* Stack from here: struct vt_monitor_frame. */
trap:
    test byte ptr [rsp + 24], 3
    jz own
    EACH TAKE
    cld
    mov rdi, rsp
    call [vt_monitor_server_now]
    EACH GIVE
    add rsp, 16
    iretq

    .globl vt_monitor_returned
vt_monitor_returned:
own:
    cmp qword ptr [rsp], VT_MONITOR_TIMER
    je own_timer
    cld
    mov rdi, rsp
    call vt_monitor_own_fault
    ud2

/* Behind an exit that the timer made: nobody waits for it any more. */
own_timer:
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    cld
    call vt_timer_end
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
    add rsp, 16
    iretq

/* The thinnest monitor there is: over the instruction of one byte that faulted, and back. */
    .p2align 4
vt_monitor_bare:
    add rsp, 8
    inc qword ptr [rsp]
    iretq

/* What a call would be whose answer is nothing: on the guest's own stack, with interrupts off. */
    .globl vt_monitor_empty
    .p2align 4
vt_monitor_empty:
    sysretq

/*
 * SYSCALL brings RIP in rcx, RFLAGS in r11 and the guest's own stack (Intel SDM 2B SYSCALL). All but rax, rcx and
 * r11 is kept, as Xen does.
 */
    .globl vt_monitor_syscall
    .p2align 4
vt_monitor_syscall:
    mov [vt_monitor_guest_rsp], rsp
    mov rsp, [vt_hardware_stack]
    push r11
    push rcx
    push r10
    push r9
    push r8
    push rdx
    push rsi
    push rdi
    mov rdi, rsp
    mov rsi, rax
    call [vt_call_server]
    pop rdi
    pop rsi
    pop rdx
    pop r8
    pop r9
    pop r10
    pop rcx
    pop r11
    mov rsp, [vt_monitor_guest_rsp]
    sysretq

/* enum vt_monitor_end vt_monitor_enter(rip, rsp, rflags): with the registers of the virtual CPU. */
    .type vt_monitor_enter, @function
vt_monitor_enter:
    PRESERVE
    mov [host_rsp], rsp
    push VT_SEL_DATA3
    push rsi
    push rdx
    push VT_SEL_CODE3
    push rdi
    EACH GIVE
    iretq
    .size vt_monitor_enter, . - vt_monitor_enter

/* enum vt_monitor_end vt_monitor_inside(inside, context): inside(context), which vt_monitor_leave ends from anywhere. */
    .globl vt_monitor_inside
    .type vt_monitor_inside, @function
vt_monitor_inside:
    PRESERVE
    mov [host_rsp], rsp
    mov rax, rdi
    mov rdi, rsi
    sub rsp, 8
    call rax
    add rsp, 8
    mov edi, eax
    jmp vt_monitor_leave
    .size vt_monitor_inside, . - vt_monitor_inside

/* void vt_monitor_leave(end): back to who entered. */
    .type vt_monitor_leave, @function
vt_monitor_leave:
    mov rsp, [host_rsp]
    mov eax, edi
    cld
    RESTORE
    ret
    .size vt_monitor_leave, . - vt_monitor_leave

    .section .bss
    .align 8
host_rsp:
    .skip 8
    .globl vt_monitor_guest_rsp
vt_monitor_guest_rsp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
