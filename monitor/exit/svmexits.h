/* What a #VMEXIT comes to: between the control block and the virtual CPU, and through the emulator (exits.h).
 */
#ifndef VT_MONITOR_EXIT_SVMEXITS_H
#define VT_MONITOR_EXIT_SVMEXITS_H

#include "guest/svm.h"
#include "monitor/monitor.h"

/* A run begins: the virtual CPU's state into the block. It has ended: all of it back. */
void vt_svmexits_begin(struct vt_vmcb *vmcb);
void vt_svmexits_end(struct vt_vmcb *vmcb);

/* 0: go on; else how the run ended. */
enum vt_monitor_end vt_svmexits_serve(struct vt_vmcb *vmcb);

#endif
