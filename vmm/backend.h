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
 * UNKNOWN when no known module is loaded, when KVM has not registered its device, or when more than one could
 * serve here. What is built in stands in /sys/module even where its start failed: for want of the extension,
 * or because the processor is the other vendor's.
 */
enum vt_backend vt_vmm_backend(void);

/* The choice behind it: `loaded` and `possible` have a bit per enum vt_backend. Pure. */
enum vt_backend vt_vmm_choose_backend(unsigned loaded, unsigned possible);

/* Bits of the backends that this processor has the extension for; those that need none are among them. */
unsigned vt_vmm_possible_backends(void);

/* Has KVM registered its device? 1: yes, *minor is its number; 0: no; -1: /proc/misc below `root` cannot be
 * read. */
int vt_vmm_registered(const char *root, unsigned *minor);

/* "vmx", "svm", "pvm", "unknown" */
const char *vt_vmm_backend_name(enum vt_backend backend);

#endif
