/* Translations and caches, and what a missing translation costs. */
#include "guest/cases/case.h"

CASE invlpg, "invlpg [rdx]", setup="mov rdx, [r11 + S_PAGE]"
CASE invpcid, "invpcid rax, [r11 + S_INVPCID]", setup="mov eax, 2"
CASE wbinvd, "wbinvd"
CASE invd, "invd"
CASE tlb_miss, "mov rax, [rdx]", setup="mov rdx, [r11 + S_PAGE]", turn="invlpg [rdx]"
CASE first_touch, "mov [rdx], rax", setup="mov rdx, [r11 + S_TOUCH]; sub rdx, 4096", turn="add rdx, 4096"
/* Each turn leads the entries to another page. */
CASE write_pte, "mov [rdx], rax", setup="mov rdx, [r11 + S_PTE]; mov rax, [r11 + S_PTE_VALUE]; mov rcx, [r11 + S_PTE_FLIP]", turn="xor rax, rcx"
CASE write_4_ptes, "mov [rdx], rax; mov [rdx + 0x08], rax; mov [rdx + 0x10], rax; mov [rdx + 0x18], rax", setup="mov rdx, [r11 + S_PTE]; mov rax, [r11 + S_PTE_VALUE]; mov rcx, [r11 + S_PTE_FLIP]", turn="xor rax, rcx"
