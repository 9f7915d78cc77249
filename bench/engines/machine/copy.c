#include "bench/engines/machine/copy.h"

#include "bench/engines/machine/machine.h"

#define COPY_FAULT 0x10000

/* The bytes between `start` and `end` are the only ones whose faults are forgiven. */
__asm__(".text\n"
        ".globl vt_machine_copy\n"
        ".type vt_machine_copy, @function\n"
        ".globl vt_machine_copy_end\n"
        ".globl vt_machine_copy_failed\n"
        "vt_machine_copy:\n"
        "    movzbl (%rsi), %eax\n"
        "    movb %al, (%rdi)\n"
        "    incq %rsi\n"
        "    incq %rdi\n"
        "    decq %rdx\n"
        "    jnz vt_machine_copy\n"
        "    xorl %eax, %eax\n"
        "vt_machine_copy_end:\n"
        "vt_machine_copy_failed:\n"
        "    ret\n"
        ".size vt_machine_copy, . - vt_machine_copy\n");

extern const uint8_t vt_machine_copy_end[], vt_machine_copy_failed[];

bool vt_machine_fix_access(ucontext_t *context)
{
    greg_t *registers = context->uc_mcontext.gregs;
    uintptr_t rip = (uintptr_t)registers[REG_RIP];

    if (rip < (uintptr_t)vt_machine_copy || rip >= (uintptr_t)vt_machine_copy_end)
        return false;
    registers[REG_RIP] = (greg_t)(uintptr_t)vt_machine_copy_failed;
    /* Error code: present and instruction fetch; the emulator knows the rest. */
    registers[REG_RAX] = COPY_FAULT | (registers[REG_ERR] & 0x11);
    return true;
}
