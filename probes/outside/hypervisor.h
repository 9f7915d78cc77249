/*
 * Hypervisors by their CPUID signature and by DMI, what their leaves mean, and
 * whether there is one.
 */
#ifndef VT_PROBES_OUTSIDE_HYPERVISOR_H
#define VT_PROBES_OUTSIDE_HYPERVISOR_H

#include "probes/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where ranges of leaves may start (Xen: public/arch-x86/cpuid.h). */
#define VT_HYPERVISOR_FIRST  0x40000000u
#define VT_HYPERVISOR_END    0x40010000u
#define VT_HYPERVISOR_STRIDE 0x100u

/* Of Hyper-V's range the leaf for guests that are hypervisors themselves (TLFS 2.4.11). */
#define VT_HYPERV_NESTING 0xau

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
    const char *signature; /* EBX, ECX, EDX without zeros and blanks around them */
    const char *vendor;
    const struct vt_hypervisor_features *features; /* NULL: none have names */
};

/* NULL: nobody this build knows. */
const struct vt_hypervisor *vt_hypervisor_find(const char *signature);

/* The same of what the first leaf of a range answers. */
const struct vt_hypervisor *vt_hypervisor_of(const uint32_t reg[4]);

/* Hyper-V's, which others answer with too, for guests that know no other interface (TLFS, "Hv#1"). */
const struct vt_hypervisor *vt_hypervisor_interface(void);

/* EBX, ECX, EDX as text; false when it is none, as in a range nobody answers for. */
bool vt_hypervisor_signature(const uint32_t reg[4], char signature[13]);

/* Does the range that starts at `base` conform to Hyper-V's interface? */
bool vt_hypervisor_speaks_hyperv(const struct vt_facts *facts, uint32_t base);

/* The first range that does; 0: none. */
uint32_t vt_hypervisor_hyperv_base(const struct vt_facts *facts);

/* A name in DMI. */
struct vt_dmi_machine {
    const char *name;   /* what a field starts with */
    const char *vendor; /* of the hypervisor; NULL: it names whose machine it is, virtual or not */
    bool speaks_kvm;    /* its CPUID may be KVM's */
};

/* What DMI names, with the field it stands in; NULL: no machine that can be virtual. */
const struct vt_dmi_machine *vt_hypervisor_by_dmi(const struct vt_surroundings *surroundings,
                                                  const char **field);

/* Is there a hypervisor outside? By CPUID, the kernel and DMI together; of a dump by CPUID alone. */
struct vt_finding vt_presence_find(const struct vt_facts *facts);

#endif
