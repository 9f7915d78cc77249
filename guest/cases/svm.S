/* What a hypervisor executes that is a guest itself: AMD-V. RAX is the physical address of a control block. */
#include "guest/cases/case.h"

#define INNER "mov rax, [r11 + S_INNER]"
#define OWN   "mov rax, [r11 + S_OWN]"

CASE clgi, "clgi", after="stgi"
CASE stgi, "stgi", turn="clgi", after="stgi"
CASE vmsave, "vmsave rax", setup=OWN
CASE vmload, "vmload rax", setup=OWN
CASE invlpga, "invlpga rax, ecx", setup="mov rax, [r11 + S_PAGE]; mov ecx, NESTED_ASID"
/* #VMEXIT clears the global interrupt flag and gives RAX back. */
CASE vmrun_refused, "vmrun rax", setup=INNER, after="stgi"
CASE vmrun, "vmrun rax", setup=INNER, after="stgi"
CASE vmrun_no_npt, "vmrun rax", setup=INNER, after="stgi"
CASE vmrun_as_kvm, "clgi; mov rax, rdi; vmsave rax; mov rax, rsi; vmload rax; vmrun rax; vmsave rax; mov rax, rdi; vmload rax; stgi", setup="mov rsi, [r11 + S_INNER]; mov rdi, [r11 + S_OWN]"
/* Runs in the guest's own guest, whose hypervisor does not ask for the exit. */
CASE inner_cpuid, "cpuid", turn="mov eax, 1; xor ecx, ecx"
