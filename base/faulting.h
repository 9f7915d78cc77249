/*
 * Instructions that the kernel can be asked to let fault at ring 3, for the calling thread. Asking proves
 * nothing: a kernel that is itself a guest may set a bit that the processor below never sees.
 */
#ifndef VT_BASE_FAULTING_H
#define VT_BASE_FAULTING_H

#include <stdbool.h>

enum vt_faulting {
    VT_FAULTING_CPUID, /* Intel: MISC_FEATURES_ENABLES[0]; AMD: HWCR.CpuidUserDis; arch_prctl(2) */
    VT_FAULTING_TSC,   /* CR4.TSD: Intel SDM 3A 2.5; AMD APM 2 3.1.3; PR_SET_TSC of prctl(2) */
};

/* Is it on: 1, 0, or a negative errno when that cannot be told. */
int vt_faulting_is_on(enum vt_faulting which);

/* Returns 0 or a negative errno. Async-signal-safe. */
int vt_faulting_switch(enum vt_faulting which, bool on);

/*
 * Switches it on, executes the instruction, and leaves everything as it was. 1: it faulted; 0: the kernel
 * took the request and nothing came of it; a negative errno: the kernel refused. Takes SIGSEGV for as long:
 * not beside other threads that fault.
 */
int vt_faulting_try(enum vt_faulting which);

#endif
