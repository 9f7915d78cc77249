/* The local APIC through its page (xAPIC) and its MSRs (x2APIC), and going idle. */
#include "guest/cases/case.h"

CASE xapic_read, "mov eax, [rdx + 0x80]", setup="mov rdx, [r11 + S_XAPIC]"
CASE xapic_eoi, "mov [rdx + 0xb0], eax", setup="mov rdx, [r11 + S_XAPIC]"
/* ICR: destination shorthand self, edge, fixed. The handler ends the interrupt. */
CASE xapic_self_ipi, "mov [rdx + 0x300], eax", setup="mov rdx, [r11 + S_XAPIC]; mov eax, 0x44000 + VECTOR_XAPIC; sti"
CASE x2apic_read, "rdmsr", setup="mov ecx, 0x808"
CASE x2apic_eoi, "wrmsr", setup="mov ecx, 0x80b"
CASE x2apic_self_ipi, "wrmsr", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC; sti"
/* ICR: destination in its upper half, fixed, edge, asserted. Each turn sends another vector: none merges with the one before. */
CASE x2apic_ipi, "wrmsr", setup="mov ecx, 0x830; mov edx, PEER_APIC_ID", turn="lea eax, [r10 + 0x4000 + VECTOR_PEER]"
/*
 * STI blocks the pending self-IPI for one instruction, so HLT finds its wake-up already there. Where it did not come
 * with HLT's end it comes at the second STI: Bochs masks a virtual interrupt (V_IRQ) at #VMEXIT and unmasks it only
 * where IF changes, so that one that is pending at VMRUN would wait for the CLI of the next turn, and so for ever.
 */
CASE hlt, "hlt", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC", turn="cli; wrmsr; sti", after="cli; sti; nop"
CASE pause, "pause"
