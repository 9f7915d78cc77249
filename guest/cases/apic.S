/* The local APIC through its page (xAPIC) and its MSRs (x2APIC), and going idle. */
#include "guest/cases/case.h"

CASE xapic_read, "mov eax, [rdx + 0x80]", setup="mov rdx, [r11 + S_XAPIC]"
CASE xapic_eoi, "mov [rdx + 0xb0], eax", setup="mov rdx, [r11 + S_XAPIC]"
/* ICR: destination shorthand self, edge, fixed. The handler ends the interrupt. */
CASE xapic_self_ipi, "mov [rdx + 0x300], eax", setup="mov rdx, [r11 + S_XAPIC]; mov eax, 0x44000 + VECTOR_XAPIC; sti"
/*
 * Pending when STI lets it in, behind the HLT that it ends at once. STI and CLI after it: see hlt.
 */
CASE xapic_self_ipi_hlt, "mov [rdx + 0x300], eax; sti; hlt; cli", setup="mov rdx, [r11 + S_XAPIC]; mov eax, 0x44000 + VECTOR_XAPIC", after="sti; nop; cli"
/* Held back by the task priority, which then lets it through. */
CASE xapic_self_ipi_tpr, "mov cr8, rbx; mov [rdx + 0x300], eax; mov cr8, r8", setup="mov rdx, [r11 + S_XAPIC]; mov eax, 0x44000 + VECTOR_XAPIC; mov ebx, 15; sti"
CASE xapic_self_ipi_tpr_hlt, "mov cr8, rbx; mov [rdx + 0x300], eax; mov cr8, r8; sti; hlt; cli", setup="mov rdx, [r11 + S_XAPIC]; mov eax, 0x44000 + VECTOR_XAPIC; mov ebx, 15", after="sti; nop; cli"
CASE x2apic_read, "rdmsr", setup="mov ecx, 0x808"
CASE x2apic_eoi, "wrmsr", setup="mov ecx, 0x80b"
CASE x2apic_self_ipi, "wrmsr", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC; sti"
CASE x2apic_self_ipi_hlt, "wrmsr; sti; hlt; cli", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC", after="sti; nop; cli"
CASE x2apic_self_ipi_tpr, "mov cr8, rbx; wrmsr; mov cr8, r8", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC; mov ebx, 15; sti"
CASE x2apic_self_ipi_tpr_hlt, "mov cr8, rbx; wrmsr; mov cr8, r8; sti; hlt; cli", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC; mov ebx, 15", after="sti; nop; cli"
/* ICR: destination in its upper half, fixed, edge, asserted. Each turn sends another vector: none merges with the one before. */
CASE x2apic_ipi, "wrmsr", setup="mov ecx, 0x830; mov edx, PEER_APIC_ID", turn="lea eax, [r10 + 0x4000 + VECTOR_PEER]"
/* ICR: destination in its upper half. The other side has the interrupt when it counts it. */
#define CALL "mov rbx, [r11 + S_ANSWERED]; wrmsr; 8: cmp [r11 + S_ANSWERED], rbx; jz 8b"
#define CALLED "mov ecx, 0x830; mov edx, PEER_APIC_ID; mov eax, 0x4000 + VECTOR_CALL"
CASE x2apic_ipi_running, CALL, setup=CALLED
/* Reading 2000 bytes gives the other side the time to halt again, in both twins. */
CASE x2apic_ipi_halted, CALL, turn="lea rsi, [r11 + S_BUFFER]; mov ecx, 2000; rep lodsb; mov ecx, 0x830; mov edx, PEER_APIC_ID; mov eax, 0x4000 + VECTOR_CALL"
/* LVT timer: TSC-deadline mode. The JMP waits for its interrupt, whose handler moves behind it. */
#define DEADLINE_MODE "mov ecx, 0x832; mov eax, 0x40000 + VECTOR_DEADLINE; wrmsr; mov ecx, 0x6e0; sti"
CASE tsc_deadline_passed, "wrmsr; 8: jmp 8b", setup=DEADLINE_MODE, turn="rdtsc"
CASE tsc_deadline, "wrmsr; 8: jmp 8b", setup=DEADLINE_MODE, turn="rdtsc; add eax, 3000; adc edx, 0"
/*
 * STI blocks the pending self-IPI for one instruction, so HLT finds its wake-up already there. Where it did not come
 * with HLT's end it comes at the second STI: Bochs masks a virtual interrupt (V_IRQ) at #VMEXIT and unmasks it only
 * where IF changes, so that one that is pending at VMRUN would wait for the CLI of the next turn, and so for ever.
 */
CASE hlt, "hlt", setup="mov ecx, 0x83f; mov eax, VECTOR_X2APIC", turn="cli; wrmsr; sti", after="cli; sti; nop"
CASE pause, "pause"
CASE round_robin, "inc rbx; mov [r11 + S_TOKEN], rbx; 8: pause; cmp [r11 + S_ECHO], rbx; jb 8b", setup="mov rbx, [r11 + S_TOKEN]"
