/*
 * The loader as QEMU's -kernel, microvm, Firecracker or Cloud Hypervisor start it (PVH) and as GRUB does (Multiboot 2):
 * both enter in 32-bit protected mode, without paging or a stack, with ebx = what they have to say. Goes to 64-bit mode
 * with 4 GiB mapped as they are. No header of Multiboot 1: QEMU would take that one, and refuse a 64-bit ELF.
 */
#include "guest/abi.h"

/* What a test asks for besides (tests/boot/demanding.S). */
#ifndef LOADER_CR4
#define LOADER_CR4  0x20
#define LOADER_EFER 0x100
#define LOADER_TOP
#define LOADER_STATE
#define LOADER_CHECK
#endif

    .intel_syntax noprefix
#include "guest/longmode.inc"

    .set ELFNOTE_PHYS32_ENTRY, 18
    .set MULTIBOOT_MAGIC, 0xe85250d6
    .set MULTIBOOT_LOADED, 0x36d76289

    .section .note.xen, "a", @note
    .align 4
    .long 4, 4, ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_entry

    .section .boot, "awx", @progbits
    .align 8
multiboot_header:
    .long MULTIBOOT_MAGIC, 0, multiboot_end - multiboot_header
    .long -(MULTIBOOT_MAGIC + (multiboot_end - multiboot_header)) & 0xffffffff
    .align 8
    .short 0, 0
    .long 8
multiboot_end:

    .code32
pvh_entry:
    xor ebp, ebp
    jmp 1f
    .globl vt_boot_pc_entry
vt_boot_pc_entry:
    cmp eax, MULTIBOOT_LOADED
    jne 4f
    mov ebp, 1
1:  cli
    cld
    mov esp, offset stack_end
    MAP_FOUR_GIB
    LOADER_TOP
    ENTER_LONG_MODE LOADER_CR4, LOADER_EFER
4:  hlt
    jmp 4b

    .code64
long_mode:
    mov eax, VT_SEL_DATA0
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov rsp, offset stack_end
    lidt [no_idt]
    LOADER_STATE
    mov edi, ebp
    mov esi, ebx
    call vt_boot_pc
    LOADER_CHECK
5:  cli
    hlt
    jmp 5b

    .section .data
    .align 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
boot_gdtr:
    .word . - boot_gdt - 1
    .quad boot_gdt
no_idt:
    .word 0
    .quad 0

    .section .bss
    .align 4096
boot_root:
    .skip 4096
boot_pointers:
    .skip 4096
boot_directories:
    .skip 4 * 4096
    .skip 16384
stack_end:

    .section .note.GNU-stack, "", @progbits
