/*
 * One stub per trial: the instruction, then the way out. A record beside it says where
 * it is, how long it is and how it reads; tests decode every stub and compare.
 *
 * On entry RDI points to memory, RBP to the frame, RSP into a stack of its own; RAX,
 * RCX and RDX hold what the trial asks for.
 */
    .intel_syntax noprefix

.macro RECORD name, mode, text
    .section .rodata.str1.1, "aMS", @progbits, 1
text_\name:
    .asciz "\text"
    .section .data.rel.ro, "aw", @progbits
    .p2align 3
    .globl vt_audit_stub_\name
vt_audit_stub_\name:
    .quad stub_\name, text_\name
    .long end_\name - stub_\name, \mode
.endm

.macro STUB name, op
    .section vt_audit, "ax", @progbits
stub_\name:
    \op
end_\name:
    jmp vt_audit_leave
    RECORD \name, 0, "\op"
.endm

.macro STUB32 name, op
    .section vt_audit, "ax", @progbits
    .code32
stub_\name:
    \op
end_\name:
    jmp vt_audit_leave32
    .code64
    RECORD \name, 1, "\op"
.endm

/* Far CALL and JMP with the pointer in the instruction: the assembler's Intel syntax has no form for it. */
.macro DIRECT name, op, text
    .section vt_audit, "ax", @progbits
    .code32
    .att_syntax
stub_\name:
    \op $0, $0
    .intel_syntax noprefix
end_\name:
    jmp vt_audit_leave32
    .code64
    RECORD \name, 2, "\text"
.endm

STUB sgdt, "sgdt [rdi]"
STUB sidt, "sidt [rdi]"
STUB sldt, "sldt eax"
STUB sldt_memory, "sldt word ptr [rdi]"
STUB smsw, "smsw rax"
STUB smsw_memory, "smsw word ptr [rdi]"
STUB str, "str eax"
STUB str_memory, "str word ptr [rdi]"
STUB pushf, "pushfq"
STUB popf, "popfq"
STUB lar, "lar eax, ecx"
STUB lsl, "lsl eax, ecx"
STUB verr, "verr cx"
STUB verw, "verw cx"
STUB pop_fs, "pop fs"
STUB push_fs, "push fs"
STUB push_gs, "push gs"
STUB32 pop_ds, "pop ds"
STUB32 pop_es, "pop es"
STUB32 pop_ss, "pop ss"
STUB32 push_cs, "push cs"
STUB32 push_ss, "push ss"
STUB32 push_ds, "push ds"
STUB32 push_es, "push es"
STUB call_far, "call fword ptr [rdi]"
STUB jmp_far, "jmp fword ptr [rdi]"
DIRECT call_direct, lcall, "call ptr16:32"
DIRECT jmp_direct, ljmp, "jmp ptr16:32"
STUB ret_far, "retfq"
STUB int_gate, "int 0x21"
STUB int_system, "int 0x80"
STUB int3, "int3"
STUB mov_from_cs, "mov eax, cs"
STUB mov_from_ss, "mov eax, ss"
STUB mov_from_ds, "mov eax, ds"
STUB mov_to_ds, "mov ds, ecx"
STUB mov_to_ss, "mov ss, ecx"

STUB cpuid, "cpuid"
STUB rdtsc, "rdtsc"
STUB rdtscp, "rdtscp"
STUB rdpmc, "rdpmc"
STUB rdpru, "rdpru"
STUB rdpid, "rdpid rax"
STUB xgetbv, "xgetbv"
STUB rdpkru, "rdpkru"
STUB wrpkru, "wrpkru"
STUB swapgs, "swapgs"
STUB iret, "iretq"
STUB vmcall, "vmcall"
STUB vmmcall, "vmmcall"

STUB hlt, "hlt"
STUB cli, "cli"
STUB sti, "sti"
STUB mov_from_cr0, "mov rax, cr0"
STUB mov_to_cr0, "mov cr0, rax"
STUB mov_from_cr2, "mov rax, cr2"
STUB mov_to_cr2, "mov cr2, rax"
STUB mov_from_cr3, "mov rax, cr3"
STUB mov_to_cr3, "mov cr3, rax"
STUB mov_from_cr4, "mov rax, cr4"
STUB mov_to_cr4, "mov cr4, rax"
STUB mov_from_cr8, "mov rax, cr8"
STUB mov_to_cr8, "mov cr8, rax"
STUB mov_from_dr0, "mov rax, dr0"
STUB mov_to_dr0, "mov dr0, rax"
STUB mov_from_dr7, "mov rax, dr7"
STUB mov_to_dr7, "mov dr7, rax"
STUB clts, "clts"
STUB lmsw, "lmsw ax"
STUB lgdt, "lgdt [rdi]"
STUB lidt, "lidt [rdi]"
STUB lldt, "lldt ax"
STUB ltr, "ltr ax"
STUB invlpg, "invlpg [rdi]"
STUB invpcid, "invpcid rax, [rdi]"
STUB wbinvd, "wbinvd"
STUB rdmsr, "rdmsr"
STUB wrmsr, "wrmsr"
STUB in, "in al, dx"
STUB out, "out dx, al"
STUB ins, "insb"
STUB outs, "outsb"
STUB xsetbv, "xsetbv"
STUB clac, "clac"
STUB stac, "stac"
STUB sysret, "sysretq"
STUB sysexit, "sysexitq"

    .section .note.GNU-stack, "", @progbits
