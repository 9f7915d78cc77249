/* Exceptions and interrupts the guest handles itself: entry, handler, IRETQ. */
#include "guest/cases/case.h"

CASE int_n, "int 0x80"
CASE int3, "int3"
CASE undefined, "ud2"
CASE divide_error, "div ecx"
CASE page_fault, "mov eax, [rdx]", setup="mov rdx, [r11 + S_ABSENT]"
/* The return alone, to the instruction behind it, with interrupts off; frame and stack are of both twins. */
CASE iret, "iretq", setup="call 5f; 5: pop rdx; lea rdx, [rdx + 8f - 5b]", turn="push [r11 + S_DATA_SELECTOR]; push rbp; push 2; push [r11 + S_CODE_SELECTOR]; push rdx", after="8: mov rsp, rbp"
/*
 * A program of the guest's kernel whose one instruction is its system call: SYSRET leads to it, and LSTAR behind it. Both take
 * RCX and R11, so the scratch block's address waits in RSI; flags are as a program's with interrupts off.
 */
CASE syscall, "sysretq; syscall", setup="mov rsi, r11; call 5f; 5: pop rdi; lea rdi, [rdi + 8f - 5b]; mov ecx, 0xc0000081; mov edx, SYSCALL_SELECTORS; wrmsr; inc ecx; mov rax, rdi; mov rdx, rdi; shr rdx, 32; wrmsr; mov ecx, 0xc0000084; mov eax, 0x47700; xor edx, edx; wrmsr", turn="lea rcx, [rdi - 2]; mov r11d, 2", after="8: mov r11, rsi; mov ecx, 0"
