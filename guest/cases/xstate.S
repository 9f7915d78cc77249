/* Extended state. */
#include "guest/cases/case.h"

CASE xgetbv, "xgetbv", setup="xor ecx, ecx"
CASE xsetbv, "xsetbv", setup="xor ecx, ecx; mov rax, [r11 + S_XCR0]; mov rdx, rax; shr rdx, 32"
CASE rdpkru, "rdpkru", setup="xor ecx, ecx"
CASE wrpkru, "wrpkru", setup="xor ecx, ecx; rdpkru"
