/*
 * Which implementation stands behind /dev/kvm, by the kernel module that
 * registered. A name is not proof: what the backend does with code at CPL 0 is
 * found by running code (probes/, bench/evidence.c).
 */
#ifndef VT_VMM_BACKEND_H
#define VT_VMM_BACKEND_H

#include <stdbool.h>

enum vt_backend { VT_BACKEND_UNKNOWN, VT_BACKEND_VMX, VT_BACKEND_SVM, VT_BACKEND_PVM };

/*
 * UNKNOWN when no known module is loaded, or more than one that could serve here. A kernel with all of
 * KVM built in shows the modules of both vendors, and only this processor's can have registered.
 */
enum vt_backend vt_vmm_backend(void);

/* The choice behind it: `loaded` has a bit per enum vt_backend, `svm`: the processor's kind. Pure. */
enum vt_backend vt_vmm_choose_backend(unsigned loaded, bool svm);

/* "vmx", "svm", "pvm", "unknown" */
const char *vt_vmm_backend_name(enum vt_backend backend);

#endif
