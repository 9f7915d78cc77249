/*
 * What the processor and the kernel offer to make instructions fault at ring 3
 * that do not by themselves. Each is switched for the calling thread.
 */
#ifndef VT_TRAP_ASSIST_H
#define VT_TRAP_ASSIST_H

#include <stdbool.h>
#include <stdint.h>

enum vt_assist {
    VT_ASSIST_CPUID = 1 << 0,   /* CPUID faulting: arch_prctl(ARCH_CPUID_SET) */
    VT_ASSIST_TSC = 1 << 1,     /* CR4.TSD: prctl(PR_SET_TSC) */
    VT_ASSIST_SYSCALL = 1 << 2, /* syscall user dispatch: INT 80h and SYSCALL of the guest raise SIGSYS */
};

/* Which of them this machine has: each was switched on and off once, and an instruction seen to fault.
 * `code_end`: see vt_assist_switch. */
uint32_t vt_assist_find(uintptr_t code_end);

/* Switch the given ones on or off. System calls from above `code_end` stay what they are. */
void vt_assist_switch(uint32_t assists, bool on, uintptr_t code_end);

#endif
