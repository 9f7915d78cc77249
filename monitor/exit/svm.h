/*
 * The monitor with AMD-V: the guest keeps ring 0 of its own, and what is intercepted comes out as a #VMEXIT
 * to the emulator that serves faults on the other road.
 *
 * Owns: the control block, the nested page tables, what an exit comes to. Does not own: the guest's machine
 * (world.c).
 */
#ifndef VT_MONITOR_EXIT_SVM_H
#define VT_MONITOR_EXIT_SVM_H

#include "monitor/monitor.h"

enum vt_svm_intercepts {
    VT_SVM_ALL,    /* all that AMD-V can, but INT n and IRET */
    VT_SVM_AS_KVM, /* what Linux's kvm_amd does with nested paging (arch/x86/kvm/svm/svm.c, init_vmcb) */
};

/* NULL, or why there is no AMD-V here. */
const char *vt_svm_open(void);

/* Run a twin in the prepared guest. Afterwards the image's own world is back. */
enum vt_monitor_end vt_svm_run(vt_case_function function, uint64_t iterations, enum vt_svm_intercepts chosen);

/* The same where CPUID is an exit with nothing done. */
enum vt_monitor_end vt_svm_run_bare(vt_case_function function, uint64_t iterations);

#endif
