/*
 * Entry of the image as QEMU and Xen start it: 32-bit protected mode, no paging, no
 * stack, ebx = struct hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h). Goes to 64-bit mode with
 * 4 GiB mapped as they are.
 */
#include "guest/abi.h"

    .intel_syntax noprefix

    .set ELFNOTE_PHYS32_ENTRY, 18

    /* The mailbox lies where the payload's handlers look for it. */
    .globl vt_image_mailbox
    .set vt_image_mailbox, VT_GUEST_MAILBOX

#include "guest/image/note.inc"

    .section .note.xen, "a", @note
    NOTE ELFNOTE_PHYS32_ENTRY, .long vt_image_entry

    .section .boot, "ax", @progbits
    .code32
    .globl vt_image_entry
vt_image_entry:
    cli
    cld
    mov esp, VT_GUEST_TRAP_STACK
    mov edi, offset boot_directories
    xor ecx, ecx
1:  mov eax, ecx
    shl eax, 21
    or eax, 0x83
    mov [edi + ecx * 8], eax
    mov dword ptr [edi + ecx * 8 + 4], 0
    inc ecx
    cmp ecx, 2048
    jb 1b
    xor ecx, ecx
2:  mov eax, ecx
    shl eax, 12
    lea eax, [eax + edi + 3]
    mov [boot_pointers + ecx * 8], eax
    inc ecx
    cmp ecx, 4
    jb 2b
    mov eax, offset boot_pointers + 3
    mov [boot_root], eax
    mov eax, offset boot_root
    mov cr3, eax
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    or eax, 0x80000001
    mov cr0, eax
    lgdt [boot_gdtr]
    ljmp VT_SEL_CODE0, offset long_mode

    .code64
long_mode:
    mov eax, VT_SEL_DATA0
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov rsp, VT_GUEST_TRAP_STACK
    mov edi, ebx
    call vt_image_main
3:  hlt
    jmp 3b

    .globl vt_image_load_tables
    .type vt_image_load_tables, @function
/* void vt_image_load_tables(const void *gdtr, const void *idtr): and the selectors of the GDT they lead to. */
vt_image_load_tables:
    lgdt [rdi]
    lidt [rsi]
    mov eax, VT_SEL_DATA0
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ss, eax
    mov eax, VT_SEL_LDT
    lldt ax
    mov eax, VT_SEL_TSS
    ltr ax
    pop rax
    push VT_SEL_CODE0
    push rax
    retfq

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
