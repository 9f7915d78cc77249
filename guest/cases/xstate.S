/* Extended state. */
#include "guest/cases/case.h"

CASE xgetbv, "xgetbv", setup="xor ecx, ecx"
CASE xsetbv, "xsetbv", setup="xor ecx, ecx; mov rax, [r11 + S_XCR0]; mov rdx, rax; shr rdx, 32"
