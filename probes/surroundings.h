/*
 * What the kernel and the firmware's tables say of the machine as a whole, beside
 * CPUID and MSRs: release, command line, /sys/hypervisor, DMI, devices of
 * confidential guests. Raw words only; what they mean is the detectors'.
 */
#ifndef VT_PROBES_SURROUNDINGS_H
#define VT_PROBES_SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum vt_answer { VT_NO, VT_YES, VT_UNKNOWN };

enum vt_dmi { VT_DMI_PRODUCT, VT_DMI_VENDOR, VT_DMI_BOARD, VT_DMI_BIOS, VT_DMI_VERSION, VT_DMI_FIELDS };

/* A text is NULL when there is none or it cannot be read. */
struct vt_surroundings {
    char *release;                     /* of the kernel */
    char *command_line;                /* the kernel's */
    char *hypervisor_type;             /* /sys/hypervisor/type */
    char *guest_type;                  /* /sys/hypervisor/guest_type: "PV", "HVM", "PVH" */
    char *xen_features;                /* /sys/hypervisor/properties/features, hexadecimal */
    char *xen_capabilities;            /* /proc/xen/capabilities */
    char *clock_sources;               /* which the kernel has */
    char *dmi[VT_DMI_FIELDS];          /* SMBIOS structures 0 to 2 */
    char *asset_tag;                   /* of the chassis, by DMI; Azure's machines have one tag */
    char *sev_vmpl;                    /* /sys/devices/system/cpu/sev/vmpl, of SNP guests only */
    bool xen, jailhouse;               /* /proc/xen, /sys/devices/jailhouse */
    bool sev_guest, tdx_guest;         /* devices through which such a guest has itself attested */
    enum vt_answer smbios_vm;          /* SMBIOS structure 0 says that this is a virtual machine */
    enum vt_answer kvm_intel, kvm_amd; /* is the kernel configured with them, built in or as a module */
};

/* `root` stands before every path: "" is this machine's. Releases nothing. */
void vt_surroundings_read(struct vt_surroundings *surroundings, const char *root);

void vt_surroundings_free(struct vt_surroundings *surroundings);

/* Is the kernel at least this one? UNKNOWN when its release is not known. */
enum vt_answer vt_surroundings_kernel_is(const struct vt_surroundings *surroundings, unsigned major,
                                         unsigned minor);

/* Has the kernel the paravirtual clock of KVM? */
bool vt_surroundings_has_kvm_clock(const struct vt_surroundings *surroundings);

/* "Dell Inc. PowerEdge R640": vendor and product by DMI; false when DMI has neither. */
bool vt_surroundings_machine(const struct vt_surroundings *surroundings, char *text, size_t size);

#endif
