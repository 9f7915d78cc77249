/* Exceptions and interrupts the guest handles itself: entry, handler, IRETQ. */
#include "guest/cases/case.h"

CASE int_n, "int 0x80"
CASE int3, "int3"
CASE undefined, "ud2"
CASE divide_error, "div ecx"
CASE page_fault, "mov eax, [rdx]", setup="mov rdx, [r11 + S_ABSENT]"
