/*
 * Hypervisors by their CPUID signature, and what their leaves mean: data only.
 */
#ifndef VT_PROBES_HYPERVISOR_H
#define VT_PROBES_HYPERVISOR_H

#include <stddef.h>
#include <stdint.h>

/* A bit of a leaf of the hypervisor's range, counted from the range's first leaf. */
struct vt_hypervisor_bit {
    uint32_t offset;
    uint8_t reg, bit; /* enum vt_cpuid_register */
    const char *name;
};

struct vt_hypervisor_features {
    const struct vt_hypervisor_bit *bits;
    size_t count;
};

struct vt_hypervisor {
    const char *signature; /* EBX, ECX, EDX; zeros at the end not counted */
    const char *vendor;
    const struct vt_hypervisor_features *features; /* NULL: none have names */
};

/* NULL: nobody this build knows. */
const struct vt_hypervisor *vt_hypervisor_find(const char *signature);

#endif
