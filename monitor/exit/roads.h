/* The roads through the processor's own virtualization: all intercepted, and what Linux's KVM intercepts. */
#ifndef VT_MONITOR_EXIT_ROADS_H
#define VT_MONITOR_EXIT_ROADS_H

#include "guest/image/road.h"

extern const struct vt_image_road vt_road_svm, vt_road_svm_kvm, vt_road_vmx, vt_road_vmx_kvm;

#endif
