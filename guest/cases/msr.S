/* Model-specific registers: answered by the kernel, sent to user space, or done by the CPU. */
#include "guest/cases/case.h"

CASE rdmsr_kernel, "rdmsr", setup="mov rcx, [r11 + S_MSR_KERNEL_READ]"
CASE wrmsr_kernel, "wrmsr", setup="mov rcx, [r11 + S_MSR_KERNEL_WRITE]"
CASE rdmsr_user, "rdmsr", setup="mov rcx, [r11 + S_MSR_USER]"
CASE wrmsr_user, "wrmsr", setup="mov rcx, [r11 + S_MSR_USER]"
CASE rdmsr_fsbase, "rdmsr", setup="mov ecx, 0xc0000100"
CASE wrmsr_fsbase, "wrmsr", setup="mov ecx, 0xc0000100; mov rax, [r11 + S_FS_BASE]; mov rdx, rax; shr rdx, 32"
CASE wrmsr_kernel_gs_base, "wrmsr", setup="mov ecx, 0xc0000102; rdmsr"
CASE rdmsr_tsc_adjust, "rdmsr", setup="mov ecx, 0x3b"
CASE wrmsr_tsc_adjust, "wrmsr", setup="mov ecx, 0x3b; rdmsr"
/* On and off: what a kernel does around a stay in firmware or user space, and the guest ends as it began. */
CASE wrmsr_ibrs, "mov eax, 0x01; wrmsr; xor eax, eax; wrmsr", setup="mov ecx, 0x48"
CASE wrmsr_ibpb, "wrmsr", setup="mov ecx, 0x49; mov eax, 1"
CASE wrmsr_tsx_ctrl, "wrmsr", setup="mov ecx, 0x122; rdmsr"
CASE rdfsbase, "rdfsbase rax"
CASE wrfsbase, "wrfsbase rax", setup="rdfsbase rax"
