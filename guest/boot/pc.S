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
    mov edi, offset boot_directories
    xor ecx, ecx
2:  mov eax, ecx
    shl eax, 21
    or eax, 0x83
    mov [edi + ecx * 8], eax
    mov dword ptr [edi + ecx * 8 + 4], 0
    inc ecx
    cmp ecx, 2048
    jb 2b
    xor ecx, ecx
3:  mov eax, ecx
    shl eax, 12
    lea eax, [eax + edi + 3]
    mov [boot_pointers + ecx * 8], eax
    inc ecx
    cmp ecx, 4
    jb 3b
    mov eax, offset boot_pointers + 3
    mov [boot_root], eax
    mov eax, offset boot_root
    LOADER_TOP
    mov cr3, eax
    mov eax, cr4
    or eax, LOADER_CR4
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, LOADER_EFER
    wrmsr
    mov eax, cr0
    or eax, 0x80000001
    mov cr0, eax
    lgdt [boot_gdtr]
    ljmp VT_SEL_CODE0, offset long_mode
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
