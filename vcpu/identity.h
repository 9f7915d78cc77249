/* The virtual CPUID: this processor's own, less what the virtual CPU has not. */
#ifndef VT_VCPU_IDENTITY_H
#define VT_VCPU_IDENTITY_H

#include "vcpu/vcpu.h"

/* Fill vcpu->cpuid by executing CPUID here. Call vt_vcpu_apply_cpuid afterwards. */
void vt_vcpu_fill_cpuid(struct vt_vcpu *vcpu);

#endif
