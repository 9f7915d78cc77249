/*
 * Which implementation stands behind /dev/kvm, by the kernel module that
 * registered. A name is not proof: what the backend does with code at CPL 0 is
 * found by running code (probes/, bench/evidence.c).
 */
#ifndef VT_VMM_BACKEND_H
#define VT_VMM_BACKEND_H

enum vt_backend { VT_BACKEND_UNKNOWN, VT_BACKEND_VMX, VT_BACKEND_SVM, VT_BACKEND_PVM };

/* UNKNOWN when no known module is loaded, or when more than one is. */
enum vt_backend vt_vmm_backend(void);

/* "vmx", "svm", "pvm", "unknown" */
const char *vt_vmm_backend_name(enum vt_backend backend);

#endif
