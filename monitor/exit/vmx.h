/*
 * The monitor with VT-x: the guest keeps ring 0 of its own, and what is intercepted comes out as a VM exit to
 * the emulator that serves faults on the other road.
 *
 * Owns: the control structure and its controls, the way in and out. Does not own: what an exit comes to
 * (vmxexits.c), the guest's machine (world.c).
 */
#ifndef VT_MONITOR_EXIT_VMX_H
#define VT_MONITOR_EXIT_VMX_H

#include "monitor/monitor.h"

enum vt_vmx_intercepts {
    VT_VMX_ALL,    /* all that VT-x can and the emulator knows */
    VT_VMX_AS_KVM, /* what Linux's kvm_intel does with EPT (arch/x86/kvm/vmx/vmx.c, setup_vmcs_config) */
};

/* NULL, or why there is no VT-x here. */
const char *vt_vmx_open(void);

/* Run a twin in the prepared guest. Afterwards the image's own world is back. */
enum vt_monitor_end vt_vmx_run(vt_case_function function, uint64_t iterations, enum vt_vmx_intercepts chosen);

/* The same where CPUID is an exit with nothing done. */
enum vt_monitor_end vt_vmx_run_bare(vt_case_function function, uint64_t iterations);

#endif
