/* Into the guest by VMRUN, and out of it by #VMEXIT (AMD APM 2, 15.5 and 15.6). */
    .intel_syntax noprefix
    .text
    .globl vt_svm_enter, vt_svm_enter_bare

    .set EXIT_CODE, 0x70
    .set EXIT_CPUID, 0x72
    .set CPUID_LENGTH, 2
    .set STATE_RIP, 0x578

.macro KEEP
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
.endm
.macro LEAVE
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret
.endm
/* All but rax and rsp, which are in the control block. */
.macro EACH operation
    \operation 1, rcx
    \operation 2, rdx
    \operation 3, rbx
    \operation 5, rbp
    \operation 6, rsi
    \operation 7, rdi
    \operation 8, r8
    \operation 9, r9
    \operation 10, r10
    \operation 11, r11
    \operation 12, r12
    \operation 13, r13
    \operation 14, r14
    \operation 15, r15
.endm
.macro TAKE number, register
    mov [vt_monitor + 8 * \number], \register
.endm
.macro GIVE number, register
    mov \register, [vt_monitor + 8 * \number]
.endm

/*
 * void vt_svm_enter(control block): with the registers of the virtual CPU, and back into them. An interrupt may come while the
 * guest runs and is an exit; afterwards they are off.
 */
    .type vt_svm_enter, @function
vt_svm_enter:
    KEEP
    mov rax, rdi
    clgi
    sti
    EACH GIVE
    vmrun rax
    EACH TAKE
    cli
    stgi
    cld
    LEAVE
    .size vt_svm_enter, . - vt_svm_enter

/* The same, where an exit for CPUID only moves past it: the thinnest hypervisor there is. */
    .type vt_svm_enter_bare, @function
vt_svm_enter_bare:
    KEEP
    mov rax, rdi
    clgi
    sti
    EACH GIVE
1:  vmrun rax
    cmp dword ptr [rax + EXIT_CODE], EXIT_CPUID
    jne 2f
    add qword ptr [rax + STATE_RIP], CPUID_LENGTH
    jmp 1b
2:  EACH TAKE
    cli
    stgi
    cld
    LEAVE
    .size vt_svm_enter_bare, . - vt_svm_enter_bare

    .section .note.GNU-stack, "", @progbits
