/*
 * Why /dev/kvm is not there or does not open: each cause has its own fix, and only one that can work here.
 */
#ifndef VT_PROBES_KVM_DEVICE_H
#define VT_PROBES_KVM_DEVICE_H

#include "probes/kvm/module.h"
#include "probes/kvm/node.h"
#include "probes/process.h"
#include "probes/section.h"
#include "vmm/obstacle.h"

/* What this system says besides the document's earlier sections. */
struct vt_kvm_scene {
    struct vt_kvm_node node;
    struct vt_process process;
    struct vt_kvm_module module; /* the one that this processor needs */
};

/* Of this system. `document` has the processor's sections and the system's. */
void vt_kvm_scene_read(const json_t *document, struct vt_kvm_scene *scene);

/* `number` is the errno of opening the device for reading and writing. Pure. */
void vt_kvm_explain_open(const json_t *document, const struct vt_kvm_scene *scene, int number,
                         struct vt_obstacle *obstacle);

/* The device opens, but does not answer as KVM's does to `call`, with errno `number`. Pure. */
void vt_kvm_explain_stranger(const json_t *document, const struct vt_kvm_scene *scene, const char *call,
                             int number, struct vt_obstacle *obstacle);

#endif
