/* Descriptor tables and segments. */
#include "guest/cases/case.h"

CASE sgdt, "sgdt [r11 + S_BUFFER]"
CASE sidt, "sidt [r11 + S_BUFFER]"
CASE sldt, "sldt eax"
CASE str, "str eax"
CASE lgdt, "lgdt [r11 + S_GDTR]"
CASE lidt, "lidt [r11 + S_IDTR]"
CASE lldt, "lldt ax", setup="mov rax, [r11 + S_LDT_SELECTOR]"
/* LTR marks the descriptor busy and faults on a busy one: each turn makes it available again. */
CASE ltr, "ltr ax", setup="mov rax, [r11 + S_TSS_SELECTOR]; mov rdx, [r11 + S_TSS_DESCRIPTOR]", turn="and byte ptr [rdx + 5], 0xfd"
/* A descriptor in its table; it stays what it is. */
CASE write_descriptor, "mov [rdx], rax", setup="mov rdx, [r11 + S_TSS_DESCRIPTOR]", turn="mov rax, [rdx]", after="xor eax, eax"
CASE lar, "lar rax, rcx", setup="mov rcx, [r11 + S_CODE_SELECTOR]"
CASE lsl, "lsl eax, ecx", setup="mov rcx, [r11 + S_CODE_SELECTOR]"
CASE verr, "verr cx", setup="mov rcx, [r11 + S_DATA_SELECTOR]"
CASE verw, "verw cx", setup="mov rcx, [r11 + S_DATA_SELECTOR]"
CASE mov_from_cs, "mov eax, cs"
CASE mov_to_es, "mov es, ax", setup="mov rax, [r11 + S_DATA_SELECTOR]"
CASE swapgs, "swapgs"
