/*
 * What a #VMEXIT comes to: between the control block and the virtual CPU, and through the emulator.
 *
 * The virtual CPU holds what is intercepted, the control block what the guest may change itself; each exit
 * moves what its instruction needs.
 */
#ifndef VT_MONITOR_EXITS_H
#define VT_MONITOR_EXITS_H

#include "guest/svm.h"
#include "monitor/monitor.h"

/* A run begins: the virtual CPU's state into the block. It has ended: all of it back. */
void vt_exits_begin(struct vt_vmcb *vmcb);
void vt_exits_end(struct vt_vmcb *vmcb);

/* 0: go on; else how the run ended. */
enum vt_monitor_end vt_exits_serve(struct vt_vmcb *vmcb);

#endif
