/* Into the guest by VMLAUNCH and VMRESUME, and out of it by a VM exit (Intel SDM 3C 27 and 28). */
#include "guest/vmcs.h"
#include "monitor/exit/controls.h"

    .intel_syntax noprefix
#include "guest/preserved.inc"
#include "monitor/registers.inc"
    .text
    .globl vt_vmx_enter, vt_vmx_enter_bare, vt_vmx_exited, vt_vmx_exited_bare

    .set CPUID_LENGTH, 2

/*
 * bool vt_vmx_enter(launched): with the registers of the virtual CPU, and back into them; rsp is the structure's. False: the
 * processor refuses the structure. An interrupt that comes while the guest runs is an exit; afterwards they are off.
 */
    .type vt_vmx_enter, @function
vt_vmx_enter:
    PRESERVE
    mov eax, VT_VMCS_HOST_RSP
    vmwrite rax, rsp
    test edi, edi
    EACH GIVE
    jnz 1f
    vmlaunch
    jmp 2f
1:  vmresume
2:  xor eax, eax
    RESTORE
    ret
vt_vmx_exited:
    EACH TAKE
    mov eax, 1
    RESTORE
    ret
    .size vt_vmx_enter, . - vt_vmx_enter

/* bool vt_vmx_enter_bare(): the same, where an exit for CPUID only moves past it: the thinnest hypervisor there is. It has no
 * register of its own before it has put one of the guest's aside. */
    .type vt_vmx_enter_bare, @function
vt_vmx_enter_bare:
    PRESERVE
    mov eax, VT_VMCS_HOST_RSP
    vmwrite rax, rsp
    EACH GIVE
    vmlaunch
3:  xor eax, eax
    RESTORE
    ret
vt_vmx_exited_bare:
    push rax
    push rdx
    mov eax, VT_VMCS_EXIT_REASON
    vmread rdx, rax
    cmp edx, VT_VMX_EXIT_CPUID
    jne 4f
    mov eax, VT_VMCS_GUEST_RIP
    vmread rdx, rax
    add rdx, CPUID_LENGTH
    vmwrite rax, rdx
    pop rdx
    pop rax
    vmresume
    jmp 3b
4:  pop rdx
    pop rax
    EACH TAKE
    mov eax, 1
    RESTORE
    ret
    .size vt_vmx_enter_bare, . - vt_vmx_enter_bare

    .section .note.GNU-stack, "", @progbits
