/* Code that a guest's kernel should not have: each function leaves something wrong, or never returns. */
#include "tests/monitor/bad.h"

    .intel_syntax noprefix

.macro BAD name
    .section .rodata
9:  .asciz "\name"
    .section bad_names, "a"
    .quad 9b
    .section bad_code, "a"
    .quad 8f
    .section vt_cases, "ax", @progbits
    .p2align 4
8:
.endm

/* A table register of limit 0, on the stack. */
.macro EMPTY_TABLE
    sub rsp, 16
    mov qword ptr [rsp], 0
    mov qword ptr [rsp + 8], 0
.endm

/* What follows is a program of this kernel's. IRETQ leads there, too, but is no fault at ring 3, where levels 0 and 3 are one. */
.macro PROGRAM
    mov ecx, 0xc0000081
    xor eax, eax
    mov edx, ((VT_SEL_DATA3 - 8) << 16) | VT_SEL_CODE0
    wrmsr
    lea rcx, [rip + 7f]
    mov r11d, 2
    sysretq
7:
.endm

BAD "never returns"
1:  jmp 1b
BAD "traps for ever"
1:  cli
    jmp 1b
BAD "asks for ever"
1:  cpuid
    jmp 1b
BAD "halts"
    cli
    hlt
BAD "empty IDT"
    EMPTY_TABLE
    lidt [rsp]
    ud2
BAD "empty IDT and GDT"
    EMPTY_TABLE
    lidt [rsp]
    lgdt [rsp]
    cli
    ud2
BAD "empty GDT"
    EMPTY_TABLE
    lgdt [rsp]
    int3
BAD "stack nowhere"
    mov esp, 0x1000
    ud2
BAD "stack not canonical"
    mov rsp, 0x8000000000000000
    ud2
BAD "writes the monitor's memory"
    mov eax, BAD_ELSEWHERE
    mov [rax], eax
BAD "jumps into the monitor's memory"
    mov eax, BAD_ELSEWHERE
    jmp rax
BAD "jumps out of the address space"
    mov rax, 0x8000000000000000
    jmp rax
BAD "clears its root page table"
    mov eax, BAD_TABLES
    mov qword ptr [rax], 0
    ret
BAD "unmaps its memory"
    mov eax, BAD_TABLES + 0x2000
    mov qword ptr [rax + 16], 0
    mov eax, [BAD_TOUCH]
BAD "page tables nowhere"
    mov eax, 0xdead000
    mov cr3, rax
    ret
BAD "paging off"
    mov rax, cr0
    btr rax, 31
    mov cr0, rax
BAD "single steps"
    pushfq
    or qword ptr [rsp], 0x100
    popfq
    nop
BAD "runs backwards"
    std
    ud2
BAD "returns to nowhere"
    push -1
    push -1
    push -1
    push -1
    push -1
    iretq
BAD "null stack segment"
    xor eax, eax
    mov ss, ax
    ret
BAD "unknown MSR"
    mov ecx, 0x12345678
    wrmsr
BAD "leaves long mode"
    mov ecx, 0xc0000080
    xor eax, eax
    xor edx, edx
    wrmsr
BAD "system call to nowhere"
    syscall
BAD "its program halts"
    PROGRAM
    hlt
BAD "its program reads nothing"
    PROGRAM
    mov eax, BAD_NOTHING
    mov eax, [rax]
BAD "calls an NMI"
    int 2
BAD "calls the timer"
    int 0xfc
BAD "strings without end"
    mov rcx, -1
    mov edx, 0x80
    mov esi, BAD_TOUCH + VT_GUEST_TOUCH_SIZE - 0x10000
    rep outsb
BAD "loads an absent selector"
    mov eax, 0xfff8
    mov gs, eax

BAD "changes its code"
    call 1f
    cmp eax, 1
    jne 2f
    lea rdx, [rip + 1f + 1]
    mov dword ptr [rdx], 2
    call 1f
    cmp eax, 2
    jne 2f
    ret
1:  mov eax, 1
    ret
2:  ud2
BAD "ruins its virtual CPU"
    mov rdi, [BAD_PLACE]
    mov ecx, 4096
    mov al, 0xff
    rep stosb
    cpuid
    out 0x80, al
    ret

    .section .note.GNU-stack, "", @progbits
