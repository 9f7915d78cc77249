/* Into translated code by SYSRET, and out of it by SYSCALL: both at ring 3 are the translator's own code. */
#include "guest/abi.h"

    .intel_syntax noprefix
#include "guest/preserved.inc"
    .text
    .globl vt_translator_enter, vt_translator_left

#define FLAGS 0x202

/* void vt_translator_enter(address): its way in brings the guest's registers and stack. */
    .type vt_translator_enter, @function
vt_translator_enter:
    PRESERVE
    mov [own_stack], rsp
    mov rcx, rdi
    mov r11d, FLAGS
    sysretq

/* The guest's registers are in the virtual CPU by now. */
vt_translator_left:
    mov rsp, [own_stack]
    RESTORE
    ret
    .size vt_translator_enter, . - vt_translator_enter

    .section .bss
    .align 8
own_stack:
    .skip 8

    .section .note.GNU-stack, "", @progbits
