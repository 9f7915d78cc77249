/* Exceptions and interrupts the guest handles itself: entry, handler, IRETQ. */
#include "guest/cases/case.h"

CASE int_n, "int 0x80"
CASE int3, "int3"
CASE undefined, "ud2"
CASE divide_error, "div ecx"
CASE page_fault, "mov eax, [rdx]", setup="mov rdx, [r11 + S_ABSENT]"
/* The return alone, to the instruction behind it, with interrupts off; frame and stack are of both twins. */
CASE iret, "iretq", setup="call 5f; 5: pop rdx; lea rdx, [rdx + 8f - 5b]", turn="push [r11 + S_DATA_SELECTOR]; push rbp; push 2; push [r11 + S_CODE_SELECTOR]; push rdx", after="8: mov rsp, rbp"
