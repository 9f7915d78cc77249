/* Model-specific registers: answered by the kernel, sent to user space, or done by the CPU. */
#include "guest/cases/case.h"

CASE rdmsr_kernel, "rdmsr", setup="mov rcx, [r11 + S_MSR_KERNEL_READ]"
CASE wrmsr_kernel, "wrmsr", setup="mov rcx, [r11 + S_MSR_KERNEL_WRITE]"
CASE rdmsr_user, "rdmsr", setup="mov rcx, [r11 + S_MSR_USER]"
CASE wrmsr_user, "wrmsr", setup="mov rcx, [r11 + S_MSR_USER]"
CASE rdmsr_fsbase, "rdmsr", setup="mov ecx, 0xc0000100"
CASE wrmsr_fsbase, "wrmsr", setup="mov ecx, 0xc0000100; mov rax, [r11 + S_FS_BASE]; mov rdx, rax; shr rdx, 32"
CASE rdfsbase, "rdfsbase rax"
CASE wrfsbase, "wrfsbase rax", setup="rdfsbase rax"
