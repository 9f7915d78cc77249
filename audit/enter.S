/*
 * The way to a stub and back. R15 holds the frame throughout: no stub touches it,
 * and a stay in compatibility mode keeps it (Intel SDM 1 3.4.1.1; AMD APM 1 2.1.1).
 */
#include "audit/frame.h"

    .intel_syntax noprefix
#include "guest/preserved.inc"
    .section vt_audit, "ax", @progbits

    .globl vt_audit_enter
    .type vt_audit_enter, @function
vt_audit_enter:
    PRESERVE
    mov r15, rdi
    mov [r15 + VT_FRAME_HOST_RSP], rsp
    mov [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_ES], es
    mov [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_SS], ss
    mov [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_DS], ds
    mov [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_FS], fs
    mov [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_GS], gs
    /* The thread control block begins with its own address (System V ABI, x86-64 TLS). */
    mov rax, fs:[0]
    mov [r15 + VT_FRAME_HOST_FS_BASE], rax
    cmp qword ptr [r15 + VT_FRAME_IS_FAR], 0
    mov rax, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RAX]
    mov rcx, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RCX]
    mov rdx, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RDX]
    mov rbx, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RBX]
    mov rsp, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RSP]
    mov rbp, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RBP]
    mov rsi, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RSI]
    mov rdi, [r15 + VT_FRAME_IN + 8 * VT_FRAME_RDI]
    jne 1f
    jmp qword ptr [r15 + VT_FRAME_TARGET]
1:
    jmp fword ptr [r15 + VT_FRAME_FAR_TARGET]

    .globl vt_audit_leave
vt_audit_leave:
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RAX], rax
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RCX], rcx
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RDX], rdx
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RBX], rbx
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RSP], rsp
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RBP], rbp
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RSI], rsi
    mov [r15 + VT_FRAME_OUT + 8 * VT_FRAME_RDI], rdi
    mov ss, [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_SS]
    mov rsp, [r15 + VT_FRAME_HOST_RSP]
    pushfq
    pop qword ptr [r15 + VT_FRAME_OUT_RFLAGS]
    mov es, [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_ES]
    mov ds, [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_DS]
    mov eax, fs
    cmp ax, [r15 + VT_FRAME_HOST_SELECTORS + 2 * VT_FRAME_FS]
    je 1f
    /* Loading FS replaced the base that thread-local storage hangs on: arch_prctl(ARCH_SET_FS, base). */
    mov eax, 158
    mov edi, 0x1002
    mov rsi, [r15 + VT_FRAME_HOST_FS_BASE]
    syscall
1:
    RESTORE
    ret

    .code32
    .globl vt_audit_leave32
vt_audit_leave32:
    jmp fword ptr [ebp + VT_FRAME_BACK]
    .code64

    .section .note.GNU-stack, "", @progbits
