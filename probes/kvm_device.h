/*
 * Why /dev/kvm is not there or does not open: each cause has its own fix.
 */
#ifndef VT_PROBES_KVM_DEVICE_H
#define VT_PROBES_KVM_DEVICE_H

#include "probes/section.h"

#include <stdbool.h>

struct vt_kvm_obstacle {
    const char *code; /* stable word: "no-permission", "module-not-loaded", … */
    char reason[384];
    char fix[384]; /* what to do about it; "" when nothing helps */
};

/* `number` is the errno of opening the device for reading and writing. */
void vt_kvm_explain_open(const json_t *document, int number, struct vt_kvm_obstacle *obstacle);

/* There is no device; `loaded`: the kernel has KVM all the same. Part of the above. */
void vt_kvm_explain_missing(const json_t *document, bool loaded, struct vt_kvm_obstacle *obstacle);

/* `number` is the errno of `call` (KVM_CREATE_VM, KVM_CREATE_VCPU) on the open device. */
void vt_kvm_explain_call(const char *call, int number, struct vt_kvm_obstacle *obstacle);

#endif
