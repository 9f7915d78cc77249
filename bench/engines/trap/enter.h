/* In and out of guest code that runs at ring 3 on a stack of its own. */
#ifndef VT_TRAP_ENTER_H
#define VT_TRAP_ENTER_H

#include <stdint.h>

/* The first two members are known to the assembly in enter.c. */
struct vt_trap_call {
    uint64_t host_rsp;  /* where vt_trap_leave finds the host's registers */
    uint64_t guest_rsp; /* 16-byte aligned */
    uint64_t function;
    uint64_t arguments[4];
};

/* Calls the function on the guest's stack: 0 when it returned, 1 when vt_trap_leave ended it. */
int vt_trap_enter(struct vt_trap_call *call);

/* Never called: a signal handler makes it the place to go on, with RSP = host_rsp and DF clear. */
void vt_trap_leave(void);

#endif
