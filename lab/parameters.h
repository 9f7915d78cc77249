/*
 * Parameters of KVM's modules: "kvm_amd.npt=0,kvm.mmio_caching=0", as on the kernel's command
 * line with commas in place of blanks. What is asked for must be in force, or is refused: KVM
 * quietly switches off what the processor or another parameter does not allow.
 */
#ifndef VT_LAB_PARAMETERS_H
#define VT_LAB_PARAMETERS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Is the list one, of parameters of `kvm` and of `module` ("kvm_amd")? On no: -EINVAL and a line. */
int vt_lab_parameters_check(const char *list, const char *module, struct vt_error *error);

/* Those of one module as finit_module(2) takes them: "npt=0 avic=0". */
void vt_lab_parameters_of(const char *list, const char *module, char *text, size_t size);

#define VT_LAB_PARAMETER_VALUE 64

/* What the running kernel shows of one; false: nothing. `folder`: "/sys/module". */
bool vt_lab_parameters_value(const char *folder, const char *module, const char *name,
                             char value[VT_LAB_PARAMETER_VALUE]);

/* Is what sysfs shows ("N") what was asked for ("0")? */
bool vt_lab_parameters_agree(const char *asked, const char *shown);

/* Of the running kernel: is each one in force? `folder`: "/sys/module". */
int vt_lab_parameters_in_force(const char *list, const char *folder, struct vt_error *error);

/* Call `sink` with each parameter of KVM's modules that the running kernel shows, in the order of their
 * names. */
void vt_lab_parameters_each(const char *folder,
                            void (*sink)(void *context, const char *name, const char *value), void *context);

#endif
