/*
 * The payload as a hypervisor on VT-x: before each batch its guest is made anew, entered once and left again, so
 * that a batch finds the same whatever the last one did; after it the payload says what the guest's VMCS holds.
 *
 * r15: mailbox. r14: not 0 once VMXON is done, which the cases leave so.
 */
#include "guest/abi.h"
#include "guest/vmcs.h"
    .include "guest/offsets.inc"

    .intel_syntax noprefix

/* An instruction that fails says so in the flags (Intel SDM 3C 31.2). */
.macro TRY step, instruction:vararg
    mov ebx, \step
    \instruction
    jbe vmx_failed
.endm

    .text
    .globl vt_payload_vmx_entry, vt_payload_vmx_run, vt_payload_vmx_inner
vt_payload_vmx_entry:
    mov r15, rdi
    xor r14d, r14d
    jmp 2f
1:  call enter_once
    mov rdi, [r15 + M_FUNCTION]
    mov rsi, [r15 + M_ITERATIONS]
    mov rdx, [r15 + M_SCRATCH]
    lea rcx, [r15 + M_TSC]
    call qword ptr [r15 + M_BATCH]
    call look
    mov qword ptr [r15 + M_STATE], VT_STATE_DONE
2:  mov edx, VT_PORT_DOORBELL
    out dx, al
    jmp 1b

/* The batches run in the guest's guest, which is left only where something goes wrong. */
vt_payload_vmx_run:
    mov r15, rdi
    xor r14d, r14d
    call enter_once
    mov edx, VT_VMCS_HOST_RIP
    lea rax, [rip + left]
    vmwrite rdx, rax
    mov rdi, r15
    TRY VT_STEP_VMRESUME, vmresume
left:
    call look
    mov qword ptr [r15 + M_LEFT], 0
give_up:
    mov qword ptr [r15 + M_STATE], VT_STATE_LEFT
    mov edx, VT_PORT_DOORBELL
1:  out dx, al
    jmp 1b

/* What was tried, of which field, and why it failed, where there is a VMCS to tell. */
vmx_failed:
    mov [r15 + M_LEFT], rbx
    mov [r15 + M_LEFT + 8], rax
    call look
    jmp give_up

/* Begins where the CPUID stands, whose exit shows that it ran; goes on where the case has it. */
enter_once:
    mov rsi, VT_GUEST_NESTED + VT_NESTED_FIELDS
    test r14d, r14d
    jnz 1f
    TRY VT_STEP_VMXON, vmxon [VT_GUEST_SCRATCH + S_VMXON]
    mov r14d, 1
1:  TRY VT_STEP_VMCLEAR, vmclear [VT_GUEST_SCRATCH + S_INNER]
    TRY VT_STEP_VMPTRLD, vmptrld [VT_GUEST_SCRATCH + S_INNER]
2:  mov rax, [rsi]
    cmp rax, -1
    je 3f
    TRY VT_STEP_VMWRITE, vmwrite rax, [rsi + 8]
    add rsi, 16
    jmp 2b
3:  mov eax, VT_VMCS_HOST_RSP
    TRY VT_STEP_VMWRITE, vmwrite rax, rsp
    mov eax, VT_VMCS_HOST_RIP
    lea rcx, [rip + 4f]
    TRY VT_STEP_VMWRITE, vmwrite rax, rcx
    TRY VT_STEP_VMLAUNCH, vmlaunch
4:  mov eax, VT_VMCS_EXIT_REASON
    vmread rcx, rax
    cmp ecx, VT_EXIT_CPUID
    jne left
    mov eax, VT_VMCS_GUEST_RIP
    TRY VT_STEP_VMWRITE, vmwrite rax, [VT_GUEST_SCRATCH + S_INNER_RIP]
    ret

/* Where it cannot be read: all ones. */
.macro LOOK place, field
    mov rax, -1
    test r14d, r14d
    jz 1f
    mov edx, \field
    vmread rax, rdx
1:  mov [r15 + M_LEFT + \place], rax
.endm

/* Whatever VMCS the case left current: the exits of this are the same after body and baseline. */
look:
    test r14d, r14d
    jz 2f
    vmptrld [VT_GUEST_SCRATCH + S_INNER]
2:  LOOK 16, VT_VMCS_INSTRUCTION_ERROR
    LOOK 24, VT_VMCS_EXIT_REASON
    LOOK 32, VT_VMCS_QUALIFICATION
    LOOK 40, VT_VMCS_GUEST_RIP
    ret

/* The guest's guest. An exit leaves RIP where it is: each entry calls again. */
vt_payload_vmx_inner:
    cpuid
vt_payload_vmx_call:
    vmcall
    ud2
    .globl vt_payload_vmx_call

    .section .note.GNU-stack, "", @progbits
