/* Into a state and out of it, and the timer that ends a rest. */
    .intel_syntax noprefix
#include "guest/preserved.inc"
    .text
    .globl judge_run
    .type judge_run, @function
/*
 * void judge_run(struct judge_registers *, uint64_t vmcb). VMRUN and #VMEXIT move RAX, RSP and RIP; the
 * host's FS, GS, TR and LDTR are not used and not kept.
 */
judge_run:
    PRESERVE
    push rdi
    mov rax, rsi
    /* Only the timer may come, and only as a #VMEXIT: it ends a state that goes round in circles. */
    clgi
    sti
    vmload rax
    mov rcx, [rdi + 8]
    mov rdx, [rdi + 16]
    mov rbx, [rdi + 24]
    mov rbp, [rdi + 40]
    mov rsi, [rdi + 48]
    mov r8, [rdi + 64]
    mov r9, [rdi + 72]
    mov r10, [rdi + 80]
    mov r11, [rdi + 88]
    mov r12, [rdi + 96]
    mov r13, [rdi + 104]
    mov r14, [rdi + 112]
    mov r15, [rdi + 120]
    mov rdi, [rdi + 56]
    vmrun rax
    push rdi
    /* Breakpoints the state has set are not for the code here. */
    mov edi, 0x400
    mov dr7, rdi
    vmsave rax
    mov rdi, [rsp + 8]
    mov [rdi + 8], rcx
    mov [rdi + 16], rdx
    mov [rdi + 24], rbx
    mov [rdi + 40], rbp
    mov [rdi + 48], rsi
    mov [rdi + 64], r8
    mov [rdi + 72], r9
    mov [rdi + 80], r10
    mov [rdi + 88], r11
    mov [rdi + 96], r12
    mov [rdi + 104], r13
    mov [rdi + 112], r14
    mov [rdi + 120], r15
    pop rcx
    mov [rdi + 56], rcx
    cli
    stgi
    cld
    pop rdi
    RESTORE
    ret
    .size judge_run, . - judge_run

    .globl judge_timer
    .type judge_timer, @function
judge_timer:
    push rax
    mov eax, 0xfee000b0
    mov dword ptr [rax], 0
    pop rax
    iretq
    .size judge_timer, . - judge_timer

    .section .note.GNU-stack, "", @progbits
