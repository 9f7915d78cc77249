/*
 * The loader of guest/boot/pc.S with all that a firmware may have switched on where the core is entered: five levels of page tables,
 * NX, UMIP, global pages, PCID, SMEP, SMAP and protection keys. What of it is there afterwards it says through the debug port:
 * "given back", or "CHANGED", and ends the machine by an exception without a handler.
 */
#define LOADER_CR4  (0x20 | 0x80 | 0x800 | 0x1000 | 0x700000)
#define LOADER_EFER 0x900
#define LOADER_TOP  or eax, 3; mov [demanding_top], eax; mov eax, offset demanding_top
#define LOADER_STATE call demand
#define LOADER_CHECK call check

#include "guest/boot/pc.S"

    .text
    .code64
demand:
    mov rax, cr4
    bts rax, 17 /* PCIDE */
    mov cr4, rax
    mov rax, cr3
    or rax, 5
    mov cr3, rax
    mov edi, offset before
state: /* to rdi */
    mov rax, cr0
    stosq
    mov rax, cr3
    stosq
    mov rax, cr4
    stosq
    mov ecx, 0xc0000080
    rdmsr
    stosd
    sgdt [rdi]
    sidt [rdi + 10]
    in al, 0x21
    mov [rdi + 20], al
    in al, 0xa1
    mov [rdi + 21], al
    ret

check:
    mov edi, offset after
    call state
    mov esi, offset before
    mov edi, offset after
    mov ecx, 50
    repe cmpsb
    mov esi, offset same
    je 1f
    mov esi, offset changed
1:  lodsb
    test al, al
    jz 2f
    out 0xe9, al
    jmp 1b
2:  ud2

    .section .rodata
same:
    .asciz "given back\n"
changed:
    .asciz "CHANGED\n"

    .section .bss
    .align 4096
demanding_top:
    .skip 4096
before:
    .skip 64
after:
    .skip 64
