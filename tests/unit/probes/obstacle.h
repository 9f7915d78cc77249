/*
 * Scenes in which KVM cannot be used, and what is said of them. Facts are those of a document, as JSON.
 */
#ifndef VT_TESTS_PROBES_OBSTACLE_H
#define VT_TESTS_PROBES_OBSTACLE_H

#include "probes/kvm/device.h"

#define INTEL(enabled) "\"vt_x\": {\"supported\": true, \"enabled\": " enabled "}"
#define HOST           "\"system\": {\"contained\": false}"
#define DOCKER         "\"system\": {\"contained\": true, \"container\": \"docker\"}"
#define IN(manager)    "{\"system\": {\"contained\": true, \"container\": \"" manager "\"}}"

/* What was said last. */
extern struct vt_obstacle obstacle_told;

/* A person at a usual Linux, /dev/kvm as udev makes it, KVM in the kernel; tests change what they are about.
 */
struct vt_kvm_scene scene_usual(void);

/* No device and no KVM in the kernel. */
struct vt_kvm_scene scene_without(enum vt_module_state state);

/* Opening the device failed with `number`. */
void obstacle_explain(const char *facts, const struct vt_kvm_scene *scene, int number);

/* The code is this one; reason and fix hold these words. */
void obstacle_says(const char *code, const char *reason, const char *fix);
void obstacle_never_offers(const char *fix);

#endif
