/*
 * Why /dev/kvm is not there or does not open: each cause has its own fix.
 */
#ifndef VT_PROBES_KVM_DEVICE_H
#define VT_PROBES_KVM_DEVICE_H

#include "probes/section.h"
#include "vmm/obstacle.h"

#include <stdbool.h>

/* `number` is the errno of opening the device for reading and writing. */
void vt_kvm_explain_open(const json_t *document, int number, struct vt_obstacle *obstacle);

/* There is no device; `loaded`: the kernel has KVM all the same. Part of the above. */
void vt_kvm_explain_missing(const json_t *document, bool loaded, struct vt_obstacle *obstacle);

#endif
