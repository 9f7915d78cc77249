/* Control and debug registers. Writes put back the value that is there. */
#include "guest/cases/case.h"

    .set CR0_WP, 0x10000
    .set CR4_PGE, 0x80

CASE mov_from_cr0, "mov rax, cr0"
CASE mov_to_cr0, "mov cr0, rax", setup="mov rax, [r11 + S_CR0]"
CASE toggle_cr0_wp, "mov cr0, rax; mov cr0, rbx", setup="mov rbx, [r11 + S_CR0]; mov rax, rbx; xor rax, CR0_WP"
CASE mov_from_cr2, "mov rax, cr2"
CASE mov_to_cr2, "mov cr2, rax"
CASE mov_from_cr3, "mov rax, cr3"
CASE mov_to_cr3, "mov cr3, rax", setup="mov rax, [r11 + S_CR3]"
CASE mov_from_cr4, "mov rax, cr4"
CASE mov_to_cr4, "mov cr4, rax", setup="mov rax, [r11 + S_CR4]"
CASE toggle_cr4_pge, "mov cr4, rax; mov cr4, rbx", setup="mov rbx, [r11 + S_CR4]; mov rax, rbx; xor rax, CR4_PGE"
CASE mov_from_cr8, "mov rax, cr8"
CASE mov_to_cr8, "mov cr8, rax", setup="mov rax, [r11 + S_CR8]"
CASE clts, "clts"
CASE lmsw, "lmsw ax", setup="mov rax, [r11 + S_CR0]"
CASE smsw, "smsw rax"
CASE mov_from_dr7, "mov rax, dr7"
CASE mov_to_dr7, "mov dr7, rax", setup="mov rax, [r11 + S_DR7]"
