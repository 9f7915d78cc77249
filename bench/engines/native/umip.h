/*
 * User-mode instruction prevention (UMIP), found by running code. With UMIP on,
 * SGDT and its kin fault at ring 3 and Linux answers in their place, with dummy
 * values and without a signal: no counter of the process shows it, the values do.
 */
#ifndef VT_BENCH_ENGINES_NATIVE_UMIP_H
#define VT_BENCH_ENGINES_NATIVE_UMIP_H

#include "guest/catalogue.h"

#include <stdbool.h>

/*
 * Does SGDT return the kernel's dummy descriptor? The engine's signal handlers
 * must be installed: without Linux's emulation SGDT under UMIP raises SIGSEGV.
 */
bool vt_native_umip_is_emulated(void);

/* Is the case one of the five instructions UMIP covers? (Intel SDM 3A 2.5, CR4.UMIP) */
bool vt_native_umip_covers(const struct vt_case *c);

#endif
