/*
 * What a hypervisor executes that is a guest itself: VT-x. The payload has made its guest, entered it and left it
 * again (guest/payload/vmx.S). R8 is not 0 afterwards where one failed.
 */
#include "guest/cases/case.h"
#include "guest/vmcs.h"
    .set MARK, VT_NESTED_MARK
    .set EXIT_REASON, VT_VMCS_EXIT_REASON
    .set IDT_VECTORING, VT_VMCS_IDT_VECTORING
    .set INSTRUCTION_LENGTH, VT_VMCS_INSTRUCTION_LENGTH
    .set INTERRUPTIBILITY, VT_VMCS_INTERRUPTIBILITY
    .set GUEST_RIP, VT_VMCS_GUEST_RIP
    .set GUEST_RFLAGS, VT_VMCS_GUEST_RFLAGS
    .set HOST_RIP, VT_VMCS_HOST_RIP
    .set HOST_RSP, VT_VMCS_HOST_RSP
    .set SINGLE_CONTEXT, 1

#define FAILED "setbe bl; or r8d, ebx"
/* Its guest is left behind the operation, with the flags clear (Intel SDM 3C 28.5.3). */
#define BACK   "mov edx, HOST_RSP; vmwrite rdx, rsp; call 5f; 5: pop rax; lea rax, [rax + 8f - 5b]; mov edx, HOST_RIP; vmwrite rdx, rax"

CASE vmxoff_vmxon, "vmxoff; vmxon [r11 + S_VMXON]", after=FAILED
CASE vmptrld, "vmptrld [r11 + S_INNER]", after=FAILED
CASE vmptrld_other, "vmptrld [r11 + S_OWN]; vmptrld [r11 + S_INNER]", after=FAILED
CASE vmptrst, "vmptrst [r11 + S_BUFFER]", after=FAILED
CASE vmclear, "vmclear [r11 + S_OWN]", after=FAILED
CASE vmread, "vmread rax, rcx", setup="mov ecx, EXIT_REASON", after=FAILED
CASE vmwrite, "vmwrite rcx, rax", setup="mov ecx, GUEST_RIP; mov eax, MARK", after=FAILED
CASE invept, "invept rax, [r11 + S_INVEPT]", setup="mov eax, SINGLE_CONTEXT", after=FAILED
CASE invvpid, "invvpid rax, [r11 + S_INVVPID]", setup="mov eax, SINGLE_CONTEXT", after=FAILED
CASE vmlaunch_refused, "vmlaunch", setup=BACK, after="8: setbe bl; or r8d, ebx"
CASE vmlaunch, "vmclear [r11 + S_INNER]; vmptrld [r11 + S_INNER]; vmlaunch", setup=BACK, after="8: setbe bl; or r8d, ebx"
CASE vmresume, "vmresume", setup=BACK, after="8: setbe bl; or r8d, ebx"
CASE vmresume_no_ept, "vmresume", setup=BACK, after="8: setbe bl; or r8d, ebx"
/* The way round begins where the last exit ended: RIP, its reason, what was being delivered, the instruction's length; then CPUID is passed. */
CASE vmresume_as_kvm, "mov ecx, EXIT_REASON; vmread rax, rcx; mov ecx, IDT_VECTORING; vmread rax, rcx; mov ecx, INSTRUCTION_LENGTH; vmread rax, rcx; mov ecx, GUEST_RIP; vmread rdx, rcx; mov ecx, INTERRUPTIBILITY; vmread rax, rcx; mov ecx, GUEST_RFLAGS; vmread rax, rcx; mov ecx, GUEST_RIP; vmwrite rcx, rdx; vmresume", setup=BACK, after="8: setbe bl; or r8d, ebx"
/* Runs in the guest's guest. */
CASE inner_rdmsr, "rdmsr", setup="mov rcx, [r11 + S_MSR_KERNEL_READ]"
