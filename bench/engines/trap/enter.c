#include "bench/engines/trap/enter.h"

#include <stddef.h>

_Static_assert(offsetof(struct vt_trap_call, guest_rsp) == 8, "known to the assembly");
_Static_assert(offsetof(struct vt_trap_call, function) == 16, "known to the assembly");
_Static_assert(offsetof(struct vt_trap_call, arguments) == 24, "known to the assembly");

__asm__(".text\n"
        ".globl vt_trap_enter\n"
        ".type vt_trap_enter, @function\n"
        "vt_trap_enter:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    pushq %rdi\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rdi, %rbx\n"
        "    movq 8(%rbx), %rsp\n"
        "    movq 24(%rbx), %rdi\n"
        "    movq 32(%rbx), %rsi\n"
        "    movq 40(%rbx), %rdx\n"
        "    movq 48(%rbx), %rcx\n"
        "    call *16(%rbx)\n"
        "    movq (%rbx), %rsp\n"
        "    xorl %eax, %eax\n"
        "    jmp 1f\n"
        ".size vt_trap_enter, . - vt_trap_enter\n"
        ".globl vt_trap_leave\n"
        ".type vt_trap_leave, @function\n"
        "vt_trap_leave:\n"
        "    movl $1, %eax\n"
        "1:  popq %rdi\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size vt_trap_leave, . - vt_trap_leave\n");
