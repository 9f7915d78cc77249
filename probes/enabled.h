/*
 * Is the extension that CPUID announces switched on? From the register, from the
 * kernel's flags as far as this kernel keeps them true, and from who else could
 * have taken it away.
 */
#ifndef VT_PROBES_ENABLED_H
#define VT_PROBES_ENABLED_H

#include "probes/section.h"

struct vt_extension {
    const char *section, *name, *flag, *module; /* "vt_x", "VT-x", "vmx", "kvm_intel" */
    const char *setting;                        /* what firmware calls it */
    unsigned clears[2];                         /* the kernel that first clears the flag where it is off */
    bool kernel_locks;                          /* a kernel without KVM switches it off itself */
    const char *undumped; /* said behind the reason of a dump that shows it; NULL: nothing */
    uint32_t msr;
    /* What the register comes to, and its bits in words. UNKNOWN: on for a kernel started in `only_in` alone.
     */
    struct vt_finding (*judge)(uint64_t value);
    const char *only_in; /* NULL: there is no such start */
};

/*
 * Put whether the extension is supported, which is known, whether it is enabled, and the reason why it is not
 * or not known to be. Reads the section hypervisor of `document`.
 */
void vt_enabled_record(json_t *document, const struct vt_facts *facts, const struct vt_extension *extension,
                       const struct vt_finding *support);

#endif
