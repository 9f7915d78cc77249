/* Into the guest by VMRUN, and out of it by #VMEXIT (AMD APM 2, 15.5 and 15.6). */
    .intel_syntax noprefix
#include "guest/preserved.inc"
#include "monitor/registers.inc"
    .text
    .globl vt_svm_enter, vt_svm_enter_bare

    .set EXIT_CODE, 0x70
    .set EXIT_CPUID, 0x72
    .set CPUID_LENGTH, 2
    .set STATE_RIP, 0x578

/*
 * void vt_svm_enter(control block): with the registers of the virtual CPU, and back into them; rax and rsp are in the block. An
 * interrupt may come while the guest runs and is an exit; afterwards they are off.
 */
    .type vt_svm_enter, @function
vt_svm_enter:
    PRESERVE
    mov rax, rdi
    clgi
    sti
    EACH_BUT_RAX GIVE
    vmrun rax
    EACH_BUT_RAX TAKE
    cli
    stgi
    cld
    RESTORE
    ret
    .size vt_svm_enter, . - vt_svm_enter

/* The same, where an exit for CPUID only moves past it: the thinnest hypervisor there is. */
    .type vt_svm_enter_bare, @function
vt_svm_enter_bare:
    PRESERVE
    mov rax, rdi
    clgi
    sti
    EACH_BUT_RAX GIVE
1:  vmrun rax
    cmp dword ptr [rax + EXIT_CODE], EXIT_CPUID
    jne 2f
    add qword ptr [rax + STATE_RIP], CPUID_LENGTH
    jmp 1b
2:  EACH_BUT_RAX TAKE
    cli
    stgi
    cld
    RESTORE
    ret
    .size vt_svm_enter_bare, . - vt_svm_enter_bare

    .section .note.GNU-stack, "", @progbits
