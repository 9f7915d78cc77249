/*
 * void vt_batch(case, iterations, scratch, uint64_t tsc[2])
 *
 * Times one call of a case. LFENCE before a read waits for the work before it,
 * LFENCE after it keeps later work out (Intel SDM 2B RDTSC; AMD APM 3 LFENCE,
 * RDTSC). RDTSCP would save one of them, but KVM's instruction emulator, which
 * runs the guest where ring 0 is interpreted, does not know it.
 */
#include "guest/cases/case.h"

    .section vt_cases, "ax", @progbits
    .p2align 6
    .globl vt_batch, vt_batch_begin, vt_batch_end
    .type vt_batch, @function
vt_batch:
    push rbx
    push r12
    mov r12, rcx
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov r8, rax
    lfence
vt_batch_begin:
    rdtsc
    mov [r12], eax
    mov [r12 + 4], edx
    lfence
    call r8
    lfence
vt_batch_end:
    rdtsc
    lfence
    mov [r12 + 8], eax
    mov [r12 + 12], edx
    pop r12
    pop rbx
    ret
    .size vt_batch, . - vt_batch
