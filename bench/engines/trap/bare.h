/*
 * The bare trap: a fault and a return that does nothing. What no emulation can go below.
 */
#ifndef VT_TRAP_BARE_H
#define VT_TRAP_BARE_H

/* TSC cycles of one, over a few dozen taken now. Handlers are as before afterwards. */
double vt_trap_bare(void);

#endif
