/*
 * The core's head, and the way in and out: from whatever tables, descriptors and control bits the caller has to the
 * core's own, and back. Where a comment says so, the code runs where the block really lies; everything else is
 * linked at its linear address.
 */
#include "guest/boot/info.h"

    .intel_syntax noprefix
#include "guest/preserved.inc"
#include "guest/longmode.inc"

    /* Where the payload's handlers look for it. */
    .globl vt_image_mailbox
    .set vt_image_mailbox, VT_GUEST_MAILBOX

    .set MSR_EFER, 0xc0000080
    .set MSR_FS_BASE, 0xc0000100
    .set MSR_GS_BASE, 0xc0000101
    .set MSR_KERNEL_GS_BASE, 0xc0000102
    /* What must not be set on the core's tables, whose pages are all of user: CET, PKS, PKE, SMAP, SMEP; and PCIDE, PGE. */
    .set CR4_FOREIGN, (1 << 24) | (1 << 23) | (1 << 22) | (1 << 21) | (1 << 20) | (1 << 17) | (1 << 7)

    .section .boot_head, "awx", @progbits
head:
    .quad VT_BOOT_MAGIC
    .quad enter - head
    .quad vt_payload_stubs
    .quad vt_boot_loaded
    .quad vt_boot_size
    .globl vt_boot_cr3
vt_boot_cr3:
    .quad 0

    .align 8
saved_rsp: .quad 0
saved_cr0: .quad 0
saved_cr3: .quad 0
    .globl vt_boot_caller_cr4
vt_boot_caller_cr4: .quad 0
saved_efer: .quad 0
saved_fs: .quad 0
saved_gs: .quad 0
saved_kernel_gs: .quad 0
way_back: .quad 0
saved_gdtr: .skip 16
saved_idtr: .skip 16
saved_tr: .quad 0
saved_ldt: .quad 0
saved_ds: .quad 0
saved_es: .quad 0
saved_fs_selector: .quad 0
saved_gs_selector: .quad 0
saved_ss: .quad 0
saved_cs: .quad 0

.macro SAVE_MSR number, to
    mov ecx, \number
    rdmsr
    mov [rip + \to], eax
    mov [rip + \to + 4], edx
.endm

.macro RESTORE_MSR number, from
    mov ecx, \number
    mov eax, [rip + \from]
    mov edx, [rip + \from + 4]
    wrmsr
.endm

    /* uint64_t enter(uint64_t what): where the block lies. */
    .align 16
enter:
    PRESERVE
    pushfq
    cli
    cld
    mov r12, rdi
    sgdt [rip + saved_gdtr]
    sidt [rip + saved_idtr]
    xor eax, eax
    str ax
    mov [rip + saved_tr], rax
    sldt ax
    mov [rip + saved_ldt], rax
    mov ax, ds
    mov [rip + saved_ds], rax
    mov ax, es
    mov [rip + saved_es], rax
    mov ax, fs
    mov [rip + saved_fs_selector], rax
    mov ax, gs
    mov [rip + saved_gs_selector], rax
    mov ax, ss
    mov [rip + saved_ss], rax
    mov ax, cs
    mov [rip + saved_cs], rax
    SAVE_MSR MSR_EFER, saved_efer
    SAVE_MSR MSR_FS_BASE, saved_fs
    SAVE_MSR MSR_GS_BASE, saved_gs
    SAVE_MSR MSR_KERNEL_GS_BASE, saved_kernel_gs
    mov [rip + saved_rsp], rsp
    mov rax, cr0
    mov [rip + saved_cr0], rax
    mov rax, cr3
    mov [rip + saved_cr3], rax
    lea rax, [rip + leave]
    mov [rip + way_back], rax
    mov rax, cr4
    mov [rip + vt_boot_caller_cr4], rax
    and rax, ~CR4_FOREIGN
    mov cr4, rax
    /* The firmware's tables may have NX bits, which are reserved without EFER.NXE: they go first. */
    mov rax, [rip + vt_boot_cr3]
    mov cr3, rax
    mov rax, offset inside
    jmp rax

    /* At the linear address, on the core's tables. */
inside:
    mov rsp, VT_GUEST_TRAP_STACK
    mov rdi, r12
    call vt_boot_main
    mov r12, rax
    cli
    jmp qword ptr [way_back]

    /* Where the block lies, on the core's tables still. */
leave:
    RESTORE_MSR MSR_EFER, saved_efer
    mov rax, cr4
    and rax, ~CR4_FOREIGN
    mov cr4, rax
    mov rax, [rip + saved_cr3]
    mov rcx, rax
    and rax, ~0xfff
    mov rdx, [rip + vt_boot_caller_cr4]
    bt rdx, 17
    cmovnc rax, rcx
    mov cr3, rax
    mov rax, [rip + saved_cr0]
    mov cr0, rax
    mov cr4, rdx
    mov cr3, rcx /* the PCID, once PCIDE is set */
    lgdt [rip + saved_gdtr]
    lidt [rip + saved_idtr]
    mov rax, [rip + saved_ds]
    mov ds, ax
    mov rax, [rip + saved_es]
    mov es, ax
    mov rax, [rip + saved_fs_selector]
    mov fs, ax
    mov rax, [rip + saved_gs_selector]
    mov gs, ax
    mov rax, [rip + saved_ss]
    mov ss, ax
    mov rax, [rip + saved_ldt]
    lldt ax
    /* Firmware that has no TSS never loads one, and finds ours from then on: nothing to be put back. */
    mov rax, [rip + saved_tr]
    movzx edx, word ptr [rip + saved_gdtr]
    sub rdx, rax
    cmp rdx, 15
    jl 1f
    mov rcx, [rip + saved_gdtr + 2]
    mov dl, [rcx + rax + 5]
    and dl, 0x1f
    cmp dl, 0x0b /* a busy TSS, which LTR refuses */
    jne 1f
    and byte ptr [rcx + rax + 5], 0xfd
    ltr ax
1:  RESTORE_MSR MSR_FS_BASE, saved_fs
    RESTORE_MSR MSR_GS_BASE, saved_gs
    RESTORE_MSR MSR_KERNEL_GS_BASE, saved_kernel_gs
    mov rsp, [rip + saved_rsp]
    push qword ptr [rip + saved_cs]
    lea rax, [rip + 2f]
    push rax
    retfq
2:  mov rax, r12
    popfq
    RESTORE
    ret

    .text
    /* void vt_image_load_tables(const void *gdtr, const void *idtr): and the selectors of the GDT they lead to. */
    .globl vt_image_load_tables
    .type vt_image_load_tables, @function
vt_image_load_tables:
    LOAD_TABLES

    .section .note.GNU-stack, "", @progbits
