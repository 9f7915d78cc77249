/*
 * Entry of the image as QEMU and Xen start it (PVH) and as GRUB does (Multiboot 2): 32-bit protected mode, no paging, no
 * stack, ebx = struct hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h), or what GRUB has to say. Goes to
 * 64-bit mode with 4 GiB mapped as they are. No header of Multiboot 1: QEMU would take that one, and refuse a 64-bit ELF.
 */
#include "guest/abi.h"

    .intel_syntax noprefix

    .set ELFNOTE_PHYS32_ENTRY, 18
    .set MULTIBOOT_MAGIC, 0xe85250d6
    .set MULTIBOOT_LOADED, 0x36d76289

    /* The mailbox lies where the payload's handlers look for it. */
    .globl vt_image_mailbox
    .set vt_image_mailbox, VT_GUEST_MAILBOX

#include "guest/longmode.inc"
#include "guest/image/note.inc"

    .section .note.xen, "a", @note
    NOTE ELFNOTE_PHYS32_ENTRY, .long vt_image_entry

    .section .boot, "ax", @progbits
    .align 8
multiboot_header:
    .long MULTIBOOT_MAGIC, 0, multiboot_end - multiboot_header
    .long -(MULTIBOOT_MAGIC + (multiboot_end - multiboot_header)) & 0xffffffff
    .short 0, 0
    .long 8
multiboot_end:

    .code32
    .globl vt_image_multiboot
vt_image_multiboot:
    mov ebp, 1
    cmp eax, MULTIBOOT_LOADED
    je 4f
5:  hlt
    jmp 5b
vt_image_entry:
    xor ebp, ebp
4:  cli
    cld
    mov esp, VT_GUEST_TRAP_STACK
    MAP_FOUR_GIB
    ENTER_LONG_MODE 0x20, 0x100

    .code64
long_mode:
    mov eax, VT_SEL_DATA0
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov rsp, VT_GUEST_TRAP_STACK
    mov edi, ebx
    mov esi, ebp
    call vt_image_main
    /* All is said. HLT with interrupts off would be somebody's last words: Bochs 3.1 asks what to do then. */
3:  pause
    jmp 3b

    .globl vt_image_load_tables
    .type vt_image_load_tables, @function
/* void vt_image_load_tables(const void *gdtr, const void *idtr): and the selectors of the GDT they lead to. */
vt_image_load_tables:
    LOAD_TABLES

    /* uint64_t vt_image_call(number, a, b, c, d): by slots of 32 bytes, the fourth argument in r10. */
    .globl vt_image_call
    .type vt_image_call, @function
vt_image_call:
    shl edi, 5
    lea rax, [rdi + vt_image_hypercalls]
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    mov r10, r8
    jmp rax

    .section .data
    .align 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
boot_gdtr:
    .word . - boot_gdt - 1
    .quad boot_gdt

    .section .bss
    .align 4096
    .globl vt_image_hypercalls
vt_image_hypercalls:
    .skip 4096
boot_root:
    .skip 4096
boot_pointers:
    .skip 4096
boot_directories:
    .skip 4 * 4096

    .section .note.GNU-stack, "", @progbits
