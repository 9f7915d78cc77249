/*
 * The payload: waits for a batch, times it, rings the doorbell; and its
 * interrupt entries. Enters in 64-bit mode at CPL 0 or CPL 3, rdi = mailbox.
 */
#include "guest/abi.h"
    .include "guest/offsets.inc"

    .intel_syntax noprefix

    .section .head, "a"
    .quad 0x31696f6c6c6f7476 /* VT_PAYLOAD_MAGIC */
    .quad vt_payload_entry
    .quad vt_payload_stubs
    .quad vt_payload_spin
    .quad vt_payload_halt
    .quad vt_payload_inner_call
    .quad vt_payload_run_inner
    .quad vt_payload_lost
    .quad vt_payload_vmx_entry
    .quad vt_payload_vmx_run
    .quad vt_payload_vmx_inner
    .quad vt_payload_vmx_call
    /* Images that need the handlers alone are linked without the rest of the payload. */
    .weak vt_payload_vmx_entry, vt_payload_vmx_run, vt_payload_vmx_inner, vt_payload_vmx_call

    .text
    .globl vt_payload_entry, vt_payload_stubs, vt_payload_start, vt_payload_end
vt_payload_start:
vt_payload_entry:
    mov r15, rdi
    jmp 2f
1:  mov rdi, [r15 + M_FUNCTION]
    mov rsi, [r15 + M_ITERATIONS]
    mov rdx, [r15 + M_SCRATCH]
    lea rcx, [r15 + M_TSC]
    call qword ptr [r15 + M_BATCH]
    mov qword ptr [r15 + M_STATE], VT_STATE_DONE
2:  mov edx, VT_PORT_DOORBELL
    out dx, al
    jmp 1b

/* Second vCPUs, entered with interrupts on. */
vt_payload_spin:
    mov rax, [VT_GUEST_SCRATCH + S_TOKEN]
    mov [VT_GUEST_SCRATCH + S_ECHO], rax
    pause
    jmp vt_payload_spin
vt_payload_halt:
    hlt
    jmp vt_payload_halt

/* The guest of a guest on AMD-V. An exit leaves RIP where it is: each entry calls again. */
vt_payload_inner_call:
    vmmcall
    ud2

/* General registers but RAX and RSP are shared: the guest begins with those of here. */
vt_payload_run_inner:
    mov rax, [VT_GUEST_SCRATCH + S_INNER]
    vmrun
    stgi
    mov qword ptr [VT_GUEST_MAILBOX + M_STATE], VT_STATE_LEFT
    mov edx, VT_PORT_DOORBELL
1:  out dx, al
    jmp 1b

/* One stub per vector brings every frame to the same shape: vector, error code, RIP, CS, ... */
    .p2align 4
vt_payload_stubs:
    .set vector, 0
    .rept VT_VECTORS
    .p2align 4
    /* Vectors whose exception pushes an error code: Intel SDM 3A table 6-1; AMD APM 2, 8.2. */
    .if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && (vector != 14) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
    push 0
    .endif
    push vector
    jmp dispatch
    .set vector, vector + 1
    .endr
    .p2align 4

    /* Stack from here: rax, vector, error, rip, cs, rflags, rsp, ss. */
dispatch:
    push rax
    mov rax, [rsp + 8]
    cmp rax, [VT_GUEST_MAILBOX + M_SKIP_VECTOR]
    je skip
    cmp eax, VT_VECTOR_XAPIC
    je end_of_xapic
    cmp eax, VT_VECTOR_X2APIC
    je end_of_x2apic
    cmp eax, VT_VECTOR_DEADLINE
    je end_of_wait
    cmp eax, VT_VECTOR_CALL
    je end_of_call

    mov [VT_GUEST_MAILBOX + M_EXCEPTION], rax
    mov rax, [rsp + 16]
    mov [VT_GUEST_MAILBOX + M_EXCEPTION + 8], rax
    mov rax, [rsp + 24]
    mov [VT_GUEST_MAILBOX + M_EXCEPTION + 16], rax
    mov rax, [rsp + 32]
    mov [VT_GUEST_MAILBOX + M_EXCEPTION + 24], rax
    mov rax, [rsp + 40]
    mov [VT_GUEST_MAILBOX + M_EXCEPTION + 32], rax
    mov rax, [rsp + 48]
    mov [VT_GUEST_MAILBOX + M_EXCEPTION + 40], rax
    mov rax, cr2
    mov [VT_GUEST_MAILBOX + M_EXCEPTION + 48], rax
    mov qword ptr [VT_GUEST_MAILBOX + M_STATE], VT_STATE_EXCEPTION
    mov rax, [VT_GUEST_MAILBOX + M_RECOVER]
    test rax, rax
    jz vt_payload_lost
    mov rsp, [VT_GUEST_MAILBOX + M_RECOVER_STACK]
    jmp rax
vt_payload_lost:
    mov edx, VT_PORT_DOORBELL
1:  out dx, al
    jmp 1b

skip:
    mov rax, [VT_GUEST_MAILBOX + M_SKIP_LENGTH]
    add [rsp + 24], rax
    jmp return

end_of_xapic:
    mov rax, VT_GUEST_XAPIC
    mov dword ptr [rax + 0xb0], 0
    inc qword ptr [VT_GUEST_MAILBOX + M_INTERRUPTS]
    jmp return

end_of_call:
    inc qword ptr [VT_GUEST_SCRATCH + S_ANSWERED]
    jmp end_of_x2apic
end_of_wait:
    add qword ptr [rsp + 24], VT_WAIT_LENGTH
end_of_x2apic:
    push rcx
    push rdx
    mov ecx, 0x80b
    xor eax, eax
    xor edx, edx
    wrmsr
    pop rdx
    pop rcx
    inc qword ptr [VT_GUEST_MAILBOX + M_INTERRUPTS]

return:
    pop rax
    add rsp, 16
    iretq
vt_payload_end:

    .section .note.GNU-stack, "", @progbits
