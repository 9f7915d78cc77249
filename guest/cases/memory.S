/* Translations and caches, and what a missing translation costs. */
#include "guest/cases/case.h"

CASE invlpg, "invlpg [rdx]", setup="mov rdx, [r11 + S_PAGE]"
CASE invpcid, "invpcid rax, [r11 + S_INVPCID]", setup="mov eax, 2"
CASE wbinvd, "wbinvd"
CASE tlb_miss, "mov rax, [rdx]", setup="mov rdx, [r11 + S_PAGE]", turn="invlpg [rdx]"
CASE first_touch, "mov [rdx], rax", setup="mov rdx, [r11 + S_TOUCH]; sub rdx, 4096", turn="add rdx, 4096"
