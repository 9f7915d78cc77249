/*
 * The one macro that makes a case: body, baseline and the text of the
 * instruction under test.
 *
 * C prototype of both twins: void (uint64_t iterations, struct vt_scratch *).
 *
 * Registers inside: r10 counts down, r11 is the scratch block, rbp marks the
 * stack; rax rbx rcx rdx rdi rsi r8 r9 are the case's. The twins differ by
 * exactly `op`; the loop of each starts on its own cache line so that both meet
 * the same front end. Code reaches nothing but the scratch block and is free of
 * relocations: it runs wherever its bytes are copied.
 */
#include "guest/abi.h"
    .include "guest/offsets.inc"

    .intel_syntax noprefix
    .set VECTOR_XAPIC, VT_VECTOR_XAPIC
    .set VECTOR_X2APIC, VT_VECTOR_X2APIC
    .set VECTOR_DEADLINE, VT_VECTOR_DEADLINE
    .set VECTOR_CALL, VT_VECTOR_CALL
    .set EVENTFD_MATCH, VT_EVENTFD_MATCH
    .set VECTOR_PEER, VT_VECTOR_PEER
    .set PEER_APIC_ID, VT_PEER_APIC_ID
    .set NESTED_ASID, VT_NESTED_ASID
    /* STAR's upper half: what SYSCALL takes for the kernel, SYSRET for its program (Intel SDM 2B SYSCALL, SYSRET). */
    .set SYSCALL_SELECTORS, ((VT_SEL_DATA3 - 8) << 16) | VT_SEL_CODE0

.macro TWIN symbol, setup, turn, op, after
    .p2align 6
    .globl \symbol
    .type \symbol, @function
\symbol:
    push rbx
    push rbp
    mov rbp, rsp
    mov r10, rdi
    mov r11, rsi
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor r8d, r8d
    xor r9d, r9d
    \setup
    .p2align 6
7:
    \turn
    \op
    \after
    dec r10
    jnz 7b
    mov [r11 + S_SINK], rax
    mov [r11 + S_SINK + 8], rbx
    mov [r11 + S_SINK + 16], rcx
    mov [r11 + S_SINK + 24], rdx
    mov [r11 + S_SINK + 32], r8
    mov [r11 + S_SINK + 40], r9
    mov rsp, rbp
    pop rbp
    pop rbx
    ret
    .size \symbol, . - \symbol
.endm

/*
 * setup: once before the loop. turn: each turn, in both twins. op: the
 * instruction under test, in the body alone. after: each turn, in both twins.
 */
.macro CASE name, op, setup, turn, after
    .section vt_cases, "ax", @progbits
    TWIN vt_body_\name, "\setup", "\turn", "\op", "\after"
    TWIN vt_baseline_\name, "\setup", "\turn", "", "\after"
    .section .rodata
    .globl vt_text_\name
vt_text_\name:
    .asciz "\op"
.endm

/* A step of a machine's life: `op` in words, no code of a guest. */
.macro STEP name, op
    .section vt_cases, "ax", @progbits
    TWIN vt_body_\name, "", "", "", ""
    TWIN vt_baseline_\name, "", "", "", ""
    .section .rodata
    .globl vt_text_\name
vt_text_\name:
    .asciz "\op"
.endm

/*
 * The same for what a guest under `interface` does instead of the case's
 * instruction: its twins differ by exactly `op`, which may be a sequence with
 * forward branches and one retry to a label that `turn` ends with.
 */
.macro FORM interface, name, op, setup, turn, after
    .section vt_cases, "ax", @progbits
    TWIN vt_pv_body_\interface\()_\name, "\setup", "\turn", "\op", "\after"
    TWIN vt_pv_baseline_\interface\()_\name, "\setup", "\turn", "", "\after"
    .section .rodata
    .globl vt_text_\interface\()_\name
vt_text_\interface\()_\name:
    .asciz "\op"
.endm

    .section .note.GNU-stack, "", @progbits
