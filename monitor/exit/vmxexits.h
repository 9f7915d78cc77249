/* What a VM exit comes to: between the current control structure and the virtual CPU, and through the
 * emulator (exits.h). */
#ifndef VT_MONITOR_EXIT_VMXEXITS_H
#define VT_MONITOR_EXIT_VMXEXITS_H

#include "monitor/monitor.h"

/* What the guest has of its own, beside what VT-x always gives it. */
struct vt_vmx_share {
    bool debug;        /* debug registers: MOV DR does not exit */
    uint8_t *priority; /* the page that holds its task priority; NULL: MOV CR8 exits */
    uint64_t cr0;      /* bits of CR0 and CR4 that it may change */
    uint64_t cr4;
};

/* A run begins: the virtual CPU's state into the structure. It has ended: all of it back. */
void vt_vmxexits_begin(const struct vt_vmx_share *share);
void vt_vmxexits_end(void);

/* 0: go on; else how the run ended. */
enum vt_monitor_end vt_vmxexits_serve(void);

#endif
