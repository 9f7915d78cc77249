/* bool vt_image_batch(function, iterations, scratch, tsc): vt_batch with a way back from exceptions. */
#include "guest/abi.h"
    .include "guest/offsets.inc"

    .intel_syntax noprefix
#include "guest/preserved.inc"
    .text
    .globl vt_image_batch
    .type vt_image_batch, @function
vt_image_batch:
    PRESERVE
    lea rax, [rip + recovered]
    mov [vt_image_mailbox + M_RECOVER], rax
    mov [vt_image_mailbox + M_RECOVER_STACK], rsp
    call vt_batch
    mov eax, 1
    jmp done
recovered:
    xor eax, eax
done:
    mov qword ptr [vt_image_mailbox + M_RECOVER], 0
    cld
    RESTORE
    ret
    .size vt_image_batch, . - vt_image_batch

    .section .note.GNU-stack, "", @progbits
