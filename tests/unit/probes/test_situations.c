/*
 * Machines as they are met, put together from CPUID leaves, files below a root
 * folder and registers: the right answer for each, and, for each and for all dumps
 * under every state of KVM, no two answers that contradict one another.
 */
#include "probes/dump/dump.h"
#include "probes/kvm/device.h"
#include "probes/probe.h"
#include "probes/section.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define DELL                                                                                                 \
    {"/sys/class/dmi/id/sys_vendor", "Dell Inc."},                                                           \
    {                                                                                                        \
        "/sys/class/dmi/id/product_name", "PowerEdge R640"                                                   \
    }
#define FLAGS(words)                                                                                         \
    {                                                                                                        \
        "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc " words "\n"                                    \
    }
#define KERNEL(release)                                                                                      \
    {                                                                                                        \
        "/proc/sys/kernel/osrelease", release                                                                \
    }
#define WITH_KVM                                                                                             \
    {"/sys/module/kvm_intel/x", ""},                                                                         \
    {                                                                                                        \
        "/sys/module/kvm_amd/x", ""                                                                          \
    }

enum { ANNOUNCED = 1, EXTENSION = 2, SEV = 4, TME = 8, TDX = 16 };
enum { NO_MSR = -1 };

/* What a machine consists of, and what is to be said of it. */
struct machine {
    const char *name, *vendor;
    int traits;
    struct {
        uint32_t base;
        const char *signature;
        bool hyperv;
        uint32_t feature; /* EAX of the next leaf where that is no interface, EBX of Hyper-V's features where
                             it is */
        uint32_t isolation[2];
    } layers[2];
    struct {
        const char *path, *text;
    } files[8];
    int64_t control, sev_status; /* IA32_FEATURE_CONTROL or VM_CR; SEV_STATUS */
    /* true, false, null or a text, as JSON; NULL: not looked at */
    const char *present, *who, *own, *enabled, *kind, *bare;
    const char *says, *never; /* somewhere in what is said of it; nowhere in it */
};

#define NO_REGISTERS .control = NO_MSR, .sev_status = NO_MSR
#define HYPERV(ebx, isolation_eax, isolation_ebx)                                                            \
    {                                                                                                        \
        0x40000000, "Microsoft Hv", true, ebx,                                                               \
        {                                                                                                    \
            isolation_eax, isolation_ebx                                                                     \
        }                                                                                                    \
    }
#define LAYER(base, signature)                                                                               \
    {                                                                                                        \
        base, signature, false, 0,                                                                           \
        {                                                                                                    \
            0, 0                                                                                             \
        }                                                                                                    \
    }

static const struct machine machines[] = {
    /* clang-format off */
    {"bare Intel, firmware on", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("vmx"), KERNEL("6.1.0"), WITH_KVM}, NO_REGISTERS,
     "false", "null", "false", "true", "\"none\"", "true", "not loaded", "firmware switched"},
    {"bare Intel, firmware off", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("sse"), KERNEL("6.1.0"), WITH_KVM}, NO_REGISTERS,
     "false", "null", "false", "false", "\"none\"", "true", "firmware switched", "modprobe"},
    {"bare Intel, register off", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("vmx"), KERNEL("5.4.0")}, .control = 1, .sev_status = NO_MSR,
     "false", "null", "false", "false", "\"none\"", "true", "firmware switched", "modprobe"},
    {"Intel before 5.6", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("vmx"), KERNEL("5.4.0-150-generic"), WITH_KVM}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", "tells nothing", "firmware switched"},
    {"AMD before 6.7", "AuthenticAMD", EXTENSION, {{0}}, {DELL, FLAGS("svm"), KERNEL("6.1.0-13-amd64"), WITH_KVM}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", "6.7", "firmware switched"},
    {"AMD before 6.7, SVMDIS read", "AuthenticAMD", EXTENSION, {{0}}, {DELL, FLAGS("svm"), KERNEL("6.1.0-13-amd64"), WITH_KVM}, .control = 0x10, .sev_status = NO_MSR,
     "false", "null", "false", "false", NULL, "true", "SVMDIS", "modprobe"},
    {"AMD since 6.7, off", "AuthenticAMD", EXTENSION, {{0}}, {DELL, FLAGS("sse"), KERNEL("6.12.1"), WITH_KVM}, NO_REGISTERS,
     "false", "null", "false", "false", NULL, "true", "firmware switched", "modprobe"},
    {"AMD since 6.7, on", "AuthenticAMD", EXTENSION, {{0}}, {DELL, FLAGS("svm"), KERNEL("6.12.1"), WITH_KVM}, NO_REGISTERS,
     "false", "null", "false", "true", NULL, "true", NULL, "firmware switched"},
    {"a kernel without KVM for AMD", "AuthenticAMD", EXTENSION, {{0}},
     {DELL, FLAGS("sse"), KERNEL("6.12.1"), {"/boot/config-6.12.1", "CONFIG_KVM=m\nCONFIG_KVM_INTEL=m\n# CONFIG_KVM_AMD is not set\n"}}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", "built without kvm_amd", "firmware switched"},
    {"a kernel without KVM for Intel", "GenuineIntel", EXTENSION, {{0}},
     {DELL, FLAGS("sse"), KERNEL("6.12.1"), {"/boot/config-6.12.1", "# CONFIG_KVM is not set\n"}}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", "built without kvm_intel", "firmware switched"},
    {"a kernel that tells its configuration itself", "AuthenticAMD", EXTENSION, {{0}},
     {DELL, FLAGS("sse"), KERNEL("6.12.1"), {"/proc/config.gz", "CONFIG_KVM=m\nCONFIG_KVM_INTEL=m\n# CONFIG_KVM_AMD is not set\n"}}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", "built without kvm_amd", "firmware switched"},
    {"a kernel whose own configuration has it", "AuthenticAMD", EXTENSION, {{0}},
     {DELL, FLAGS("sse"), KERNEL("6.12.1"), {"/proc/config.gz", "CONFIG_KVM_AMD=m"}, {"/boot/config-6.12.1", "# CONFIG_KVM is not set\n"}}, NO_REGISTERS,
     "false", "null", "false", "false", "\"none\"", "true", "firmware switched", "built without"},
    {"a configuration that a container hides", "AuthenticAMD", EXTENSION, {{0}},
     {DELL, FLAGS("sse"), KERNEL("6.12.1"), {"/proc/config.gz", NULL}}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", NULL, "built without kvm_amd"},
    {"a configuration that is damaged", "AuthenticAMD", EXTENSION, {{0}},
     {DELL, FLAGS("sse"), KERNEL("6.12.1"), {"/boot/config-6.12.1", "\037\213\010 no deflated data"}}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", NULL, "built without kvm_amd"},
    {"a flag cleared on request", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("sse"), KERNEL("6.12.1"), WITH_KVM, {"/proc/cmdline", "quiet clearcpuid=vmx"}}, NO_REGISTERS,
     "false", "null", "false", "null", NULL, "true", "clearcpuid", "firmware switched"},
    {"nobody tells of the machine", "GenuineIntel", EXTENSION, {{0}}, {FLAGS("vmx"), KERNEL("6.1.0")}, NO_REGISTERS,
     "null", "null", "null", "true", NULL, "null", "may hide", "names a hypervisor:"},
    {"nobody tells, and the flag is gone", "GenuineIntel", EXTENSION, {{0}}, {FLAGS("sse"), KERNEL("6.1.0"), WITH_KVM}, NO_REGISTERS,
     "null", "null", "null", "null", NULL, "null", "a hypervisor", NULL},
    {"Xen PV dom0", "GenuineIntel", EXTENSION, {{0}},
     {DELL, FLAGS("hypervisor"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "PV"}, {"/proc/xen/capabilities", "control_d"}}, .control = 1, .sev_status = NO_MSR,
     "true", "\"Xen\"", "true", "false", "\"none\"", "false", "used by Xen: this is its dom0", "firmware"},
    {"Xen PV dom0 without xenfs", "AuthenticAMD", EXTENSION, {{0}},
     {DELL, FLAGS("hypervisor"), KERNEL("5.10.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/properties/features", "00002f05"}}, NO_REGISTERS,
     "true", "\"Xen\"", "true", "false", NULL, "false", "used by Xen: this is its dom0", "firmware"},
    {"Xen PV dom0 inside QEMU", "GenuineIntel", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "TCGTCGTCGTCG")},
     {{"/sys/class/dmi/id/sys_vendor", "QEMU"}, FLAGS("hypervisor"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "PV"}, {"/sys/hypervisor/properties/features", "000228f0"}}, NO_REGISTERS,
     "true", "\"Xen\"", "true", "false", NULL, "false", "under Xen, in its dom0", "under QEMU"},
    {"Xen PV dom0 inside Hyper-V", "GenuineIntel", ANNOUNCED, {HYPERV(0x30, 0, 0)},
     {FLAGS("hypervisor"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/proc/xen/capabilities", "control_d"}}, NO_REGISTERS,
     "true", "\"Xen\"", "true", "false", NULL, "false", "used by Xen: this is its dom0", "under Hyper-V"},
    {"Xen PVH dom0", "GenuineIntel", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "XenVMMXenVMM")},
     {DELL, FLAGS("hypervisor"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "PVH"}, {"/sys/hypervisor/properties/features", "00000b05"}}, NO_REGISTERS,
     "true", "\"Xen\"", "true", "false", NULL, "false", "its dom0", "firmware"},
    {"Xen PV domU", "GenuineIntel", EXTENSION, {{0}},
     {FLAGS("hypervisor"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "PV"}, {"/sys/hypervisor/properties/features", "00000705"}}, NO_REGISTERS,
     "true", "\"Xen\"", "false", "false", NULL, "false", "Xen keeps the processor's VT-x", "firmware"},
    {"Xen PV domU, only /proc/xen", "AuthenticAMD", EXTENSION, {{0}}, {FLAGS("hypervisor"), KERNEL("4.19.0"), {"/proc/xen/capabilities", ""}}, NO_REGISTERS,
     "true", "\"Xen\"", NULL, "false", NULL, "false", "Xen", "firmware"},
    {"Xen HVM domU", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "XenVMMXenVMM")},
     {{"/sys/class/dmi/id/sys_vendor", "Xen"}, {"/sys/class/dmi/id/product_name", "HVM domU"}, FLAGS("hypervisor"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "HVM"}, {"/sys/hypervisor/properties/features", "00000705"}}, NO_REGISTERS,
     "true", "\"Xen\"", "false", "false", NULL, "false", "(Xen) does not pass", "firmware"},
    {"Xen under Hyper-V's interface", "GenuineIntel", ANNOUNCED, {HYPERV(0x30, 0, 0), LAYER(0x40000100, "XenVMMXenVMM")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Xen\"", NULL, "false", NULL, "false", "under Xen", "under Hyper-V"},
    {"KVM with Xen's interface", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "XenVMMXenVMM"), LAYER(0x40000100, "KVMKVMKVM")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "under KVM", "under Xen"},
    {"KVM that takes its announcement back", "GenuineIntel", EXTENSION, {LAYER(0x40000000, "KVMKVMKVM")}, {DELL, FLAGS("sse"), KERNEL("6.1.0"), WITH_KVM}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "null", NULL, "false", "under KVM", "firmware switched"},
    {"KVM under another name", "GenuineIntel", ANNOUNCED, {{0x40000000, "whatever", true, 0x20, {0}}, LAYER(0x40000100, "KVMKVMKVM")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "\"whatever\" at 0x40000000 with Hyper-V's interface", "under Hyper-V"},
    {"an interface and no name", "GenuineIntel", ANNOUNCED, {{0x40000000, "whatever", true, 0x20, {0}}}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "null", "null", "false", NULL, "false", "not known by name", "under Hyper-V"},
    {"QEMU hides KVM behind Hyper-V's interface", "GenuineIntel", ANNOUNCED, {HYPERV(0x20, 0, 0)}, {{"/sys/class/dmi/id/sys_vendor", "QEMU"}, {"/sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"QEMU\"", "false", "false", NULL, "false", "under QEMU", "under Hyper-V"},
    {"DMI alone names the virtual machine", "AuthenticAMD", 0, {{0}}, {{"/sys/class/dmi/id/sys_vendor", "VMware, Inc."}, FLAGS("sse")}, NO_REGISTERS,
     "true", "\"VMware\"", "false", "false", NULL, "false", "(VMware) does not pass", "neither the kernel nor DMI"},
    {"VirtualBox with KVM's interface", "AuthenticAMD", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {{"/sys/class/dmi/id/sys_vendor", "innotek GmbH"}, {"/sys/class/dmi/id/product_name", "VirtualBox"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"VirtualBox\"", "false", "false", NULL, "false", "--nested-hw-virt", "kvm_intel"},
    {"VirtualBox with Hyper-V's interface", "AuthenticAMD", ANNOUNCED, {HYPERV(0x20, 0, 0)}, {{"/sys/class/dmi/id/bios_vendor", "innotek GmbH"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"VirtualBox\"", "false", "false", NULL, "false", "under VirtualBox", "under Hyper-V"},
    {"VirtualBox by itself", "AuthenticAMD", ANNOUNCED, {{0x40000000, "VBoxVBoxVBox", true, 0x20, {0}}}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"VirtualBox\"", "false", "false", NULL, "false", NULL, "under Hyper-V"},
    {"Hyper-V guest", "GenuineIntel", ANNOUNCED, {HYPERV(0x30, 0, 0)}, {{"/sys/class/dmi/id/sys_vendor", "Microsoft Corporation"}, {"/sys/class/dmi/id/product_name", "Virtual Machine"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", "\"none\"", "false", "ExposeVirtualizationExtensions", "root partition"},
    {"Hyper-V guest with VT-x", "GenuineIntel", ANNOUNCED | EXTENSION, {HYPERV(0x30, 0, 0)}, {FLAGS("hypervisor vmx"), KERNEL("6.1.0"), WITH_KVM}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "true", NULL, "false", "not loaded", "root partition"},
    {"Hyper-V root partition", "GenuineIntel", ANNOUNCED, {HYPERV(0x2bb9ff, 0, 0)}, {DELL, FLAGS("hypervisor"), KERNEL("6.6.0")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "true", "false", "\"none\"", "false", "used by Hyper-V: this is its root partition, the host's own system", "guest of"},
    {"Hyper-V root partition inside QEMU", "GenuineIntel", ANNOUNCED, {HYPERV(0x2bb9ff, 0, 0)}, {{"/sys/class/dmi/id/sys_vendor", "QEMU"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "true", "false", NULL, "false", "its root partition", "under QEMU"},
    {"a machine of Hyper-V that makes others", "GenuineIntel", ANNOUNCED, {HYPERV(0x31, 0, 0)}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", NULL, "false", NULL, "root partition"},
    {"TDX behind a paravisor", "GenuineIntel", ANNOUNCED, {HYPERV(0x7b8030, 1, 0xbe3)}, {FLAGS("hypervisor"), KERNEL("6.8.0")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", "\"tdx\"", "false", "TDX behind a paravisor", "nested virtualization on"},
    {"SNP behind a paravisor", "AuthenticAMD", ANNOUNCED, {HYPERV(0x7b8030, 1, 0xbe2)}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", "\"sev-snp\"", "false", "SEV-SNP behind a paravisor", "nested virtualization on"},
    {"VBS isolation", "GenuineIntel", ANNOUNCED, {HYPERV(0x7b8030, 1, 0xbe1)}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", "\"vbs\"", "false", NULL, NULL},
    {"TDX guest without a device", "GenuineIntel", ANNOUNCED | TDX, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "\"tdx\"", "false", "encrypted guest (TDX)", "nested virtualization on"},
    {"TDX guest with a device and no leaf", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), {"/dev/tdx_guest", ""}}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "\"tdx\"", "false", NULL, NULL},
    {"TDX guest by the kernel's flag", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor tdx_guest")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "\"tdx\"", "false", NULL, NULL},
    {"SEV or not, without the register", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "null", "false", NULL, NULL},
    {"SEV guest", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor")}, .control = NO_MSR, .sev_status = 1,
     "true", "\"KVM\"", "false", "false", "\"sev\"", "false", "encrypted guest (SEV)", "nested virtualization on"},
    {"SEV-ES guest", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor")}, .control = NO_MSR, .sev_status = 3,
     "true", "\"KVM\"", "false", "false", "\"sev-es\"", "false", "encrypted guest (SEV-ES)", NULL},
    {"a guest that sees SEV and has none", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor")}, .control = NO_MSR, .sev_status = 0,
     "true", "\"KVM\"", "false", "false", "\"none\"", "false", NULL, NULL},
    {"SNP guest by its device", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), {"/dev/sev-guest", ""}}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "\"sev-snp\"", "false", NULL, NULL},
    {"SNP guest by its level", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), {"/sys/devices/system/cpu/sev/vmpl", "0"}}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "\"sev-snp\"", "false", NULL, NULL},
    {"guest told off by its register", "GenuineIntel", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "VMwareVMware")}, {FLAGS("hypervisor"), KERNEL("6.1.0")}, .control = 1, .sev_status = NO_MSR,
     "true", "\"VMware\"", "false", "false", NULL, "false", "(VMware)", "firmware"},
    {"guest whose flag is gone", "AuthenticAMD", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), KERNEL("6.12.0"), WITH_KVM}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "null", NULL, "false", NULL, "firmware"},
    {"bhyve", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "bhyve bhyve ")}, {{"/sys/class/dmi/id/product_name", "BHYVE"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"bhyve\"", "false", "false", NULL, "false", "(bhyve) does not pass", "nested virtualization on"},
    {"ACRN service VM", "GenuineIntel", ANNOUNCED, {{0x40000000, "ACRNACRNACRN", false, 1, {0}}}, {DELL, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"ACRN\"", "true", "false", NULL, "false", "used by ACRN: this is its service VM", "does not pass"},
    {"ACRN guest", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "ACRNACRNACRN")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"ACRN\"", "false", "false", NULL, "false", "(ACRN) does not pass", "service VM"},
    {"QNX", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "QNXQVMBSQG")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"QNX\"", "false", "false", NULL, "false", "(QNX)", "nested virtualization on"},
    {"Jailhouse root cell", "GenuineIntel", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "Jailhouse")}, {DELL, FLAGS("hypervisor vmx"), {"/sys/devices/jailhouse/enabled", "1"}}, NO_REGISTERS,
     "true", "\"Jailhouse\"", "true", "false", NULL, "false", "its root cell", "modprobe"},
    {"Jailhouse inmate", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "Jailhouse")}, {FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Jailhouse\"", "false", "false", NULL, "false", NULL, "root cell"},
    {"Apple Virtualization", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "Apple VZ")}, {{"/sys/class/dmi/id/product_name", "Apple Virtualization Generic Platform"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Apple Virtualization\"", "false", "false", NULL, "false", NULL, NULL},
    {"Parallels", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "prl hyperv  ")}, {{"/sys/class/dmi/id/sys_vendor", "Parallels International GmbH."}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Parallels\"", "false", "false", NULL, "false", NULL, NULL},
    {"a whole machine of a cloud", "GenuineIntel", EXTENSION, {{0}}, {{"/sys/class/dmi/id/sys_vendor", "Amazon EC2"}, {"/sys/class/dmi/id/product_name", "m5.metal"}, FLAGS("vmx"), KERNEL("6.1.0")}, NO_REGISTERS,
     "false", "null", "false", "true", NULL, "true", NULL, NULL},
    {"a cloud that lets both", "GenuineIntel", EXTENSION, {{0}}, {{"/sys/class/dmi/id/sys_vendor", "Google"}, {"/sys/class/dmi/id/product_name", "Google Compute Engine"}, FLAGS("vmx"), KERNEL("6.1.0")}, NO_REGISTERS,
     "null", "null", "null", "true", NULL, "null", NULL, NULL},
    {"neither vendor's extension", "GenuineIntel", 0, {{0}}, {DELL, FLAGS("sse"), KERNEL("6.1.0")}, NO_REGISTERS,
     "false", "null", "false", "false", "\"none\"", "true", NULL, "hypervisor outside"},
    /* clang-format on */
};

static int64_t control_value, sev_value;

static bool read_register(const struct vt_facts *facts, uint32_t index, struct vt_msr *msr)
{
    (void)facts;
    const int64_t value = index == 0x3a || index == 0xc0010114 ? control_value
                          : index == 0xc0010131                ? sev_value
                                                               : NO_MSR;
    *msr = (struct vt_msr){(uint64_t)value, VT_MSR_REGISTER};
    return value != NO_MSR;
}

static void add(struct vt_facts *facts, uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    struct vt_leaf row = {.leaf = leaf, .reg = {eax, ebx, ecx, edx}};
    ck_assert_int_eq(vt_facts_add_leaf(&facts->processors[0], &row), 0);
}

/* Twelve characters in the order of three registers. */
static void add_name(struct vt_facts *facts, uint32_t leaf, uint32_t eax, const char *name, const char *order)
{
    char padded[13] = "";
    uint32_t w[3], reg[4] = {eax, 0, 0, 0};
    for (size_t i = 0; i < 12 && name[i]; i++)
        padded[i] = name[i];
    memcpy(w, padded, sizeof w);
    for (int i = 0; i < 3; i++)
        reg[order[i] - 'a'] = w[i];
    add(facts, leaf, reg[0], reg[1], reg[2], reg[3]);
}

static void add_layers(struct vt_facts *facts, const struct machine *m)
{
    uint32_t hv;
    memcpy(&hv, "Hv#1", 4);
    for (int i = 0; i < 2 && m->layers[i].signature; i++) {
        const uint32_t base = m->layers[i].base, feature = m->layers[i].feature;
        const bool hyperv = m->layers[i].hyperv;
        add_name(facts, base, base + (hyperv ? 0xc : 1), m->layers[i].signature, "bcd");
        add(facts, base + 1, hyperv ? hv : feature, 0, 0, 0);
        if (hyperv) {
            add(facts, base + 3, 0, feature, 0, 0);
            add(facts, base + 0xc, m->layers[i].isolation[0], m->layers[i].isolation[1], 0, 0);
        }
        facts->processors[0].unannounced = !(m->traits & ANNOUNCED);
    }
}

static void add_processor(struct vt_facts *facts, const struct machine *m)
{
    const bool intel = strcmp(m->vendor, "GenuineIntel") == 0, extension = m->traits & EXTENSION;
    ck_assert_ptr_nonnull(vt_facts_add_processor(facts, 0, 0));
    add_name(facts, 0, 0x21, m->vendor, "bdc");
    add(facts, 1, 0x50657, 0,
        (m->traits & ANNOUNCED ? UINT32_C(1) << 31 : 0) | (intel && extension ? 1u << 5 : 0), 1 << 4);
    add(facts, 7, 0, 0, m->traits & TME ? 1 << 13 : 0, 0);
    add_name(facts, 0x21, 0, m->traits & TDX ? "IntelTDX    " : "", "bdc");
    add(facts, 0x80000000, 0x8000001f, 0, 0, 0);
    add(facts, 0x80000001, 0, 0, !intel && extension ? 1 << 2 : 0, 0);
    add(facts, 0x80000007, 0, 0, 0, 1 << 8);
    add(facts, 0x8000001f, m->traits & SEV ? 2 : 0, 51, 15, 0);
    add_layers(facts, m);
    vt_facts_sort(&facts->processors[0]);
}

/* As its name says; no text: nothing. */
static void write_text(const char *name, const char *text)
{
    bool packed = strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".gz") == 0;
    gzFile file = gzopen(name, packed ? "w" : "wT");
    ck_assert_ptr_nonnull(file);
    if (text)
        ck_assert_int_gt(gzprintf(file, "%s\n", text), 0);
    ck_assert_int_eq(gzclose(file), Z_OK);
    if (!text)
        ck_assert_int_eq(truncate(name, 0), 0);
}

/* A file and the folders above it. */
static void put_file(const char *root, const char *path, const char *text)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", root, path);
    for (char *slash = name + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        ck_assert(mkdir(name, 0755) == 0 || errno == EEXIST);
    }
    write_text(name, text);
}

static void build(struct vt_facts *facts, const struct machine *m)
{
    char root[] = "/tmp/vmtoll-situation-XXXXXX", command[64];
    ck_assert_ptr_nonnull(mkdtemp(root));
    for (size_t i = 0; i < sizeof m->files / sizeof m->files[0] && m->files[i].path; i++)
        put_file(root, m->files[i].path, m->files[i].text);
    vt_facts_init(facts);
    facts->live = true;
    facts->read_msr = read_register;
    facts->msr_device_errno = ENOENT;
    control_value = m->control;
    sev_value = m->sev_status;
    vt_facts_read_kernel(facts, root);
    add_processor(facts, m);
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
}

/* What /dev/kvm may come to. */
static const struct kvm {
    const char *name, *backend, *cpl0, *cpl3;
    bool device, runs;
    int nested; /* -1: not known */
} kvms[] = {
    {"no device", "unknown", "unavailable", "unavailable", false, false, -1},
    {"no device in a container", "unknown", "unavailable", "unavailable", false, false, -1},
    {"no permission", "unknown", "unavailable", "unavailable", true, false, -1},
    {"pvm", "pvm", "interpreted", "deprivileged", true, true, 0},
    {"vmx", "vmx", "hardware", "hardware", true, true, 1},
    {"svm without nesting", "svm", "hardware", "hardware", true, true, 0},
    {"vmx, interpreted", "vmx", "interpreted", "interpreted", true, true, 0},
    {"svm, untold", "svm", NULL, NULL, true, true, 0},
    {"pvm, untold", "pvm", NULL, "deprivileged", true, true, 0},
    {"ring 3 only", "pvm", "unavailable", "deprivileged", true, true, 0},
};

static void put_word(json_t *document, const char *path, const char *word)
{
    if (word)
        vt_document_put(document, path, json_string(word), "counted");
    else
        vt_document_unknown(document, path, "KVM offers no counters here");
}

static void put_kvm(json_t *document, const struct kvm *kvm)
{
    const char *needed = vt_document_is_true(document, "amd_v.supported") ? "kvm_amd" : "kvm_intel";
    struct vt_kvm_scene scene = {
        .node = {.number = ENOENT},
        .module = {.registered = kvm == &kvms[1] ? VT_YES : VT_NO, .minor = 232, .state = VT_MODULE_THERE},
    };
    struct vt_obstacle obstacle = {.code = "no-permission"};
    snprintf(obstacle.reason, sizeof obstacle.reason, "/dev/kvm is for the group kvm");
    snprintf(obstacle.fix, sizeof obstacle.fix, "sudo usermod -aG kvm me");
    snprintf(scene.module.name, sizeof scene.module.name, "%s", needed);
    if (!kvm->device)
        vt_kvm_explain_open(document, &scene, ENOENT, &obstacle);
    vt_document_put(document, "kvm.device", json_boolean(kvm->device), NULL);
    vt_document_put(document, "kvm.accessible", json_boolean(kvm->runs), NULL);
    put_word(document, "kvm.backend", kvm->backend);
    vt_document_put(document, "kvm.creates_vm", json_boolean(kvm->runs), NULL);
    vt_document_put(document, "kvm.runs_guest", json_boolean(kvm->runs), NULL);
    put_word(document, "kvm.cpl0", kvm->cpl0);
    put_word(document, "kvm.cpl3", kvm->cpl3);
    vt_document_put(document, "kvm.reason", kvm->runs ? json_null() : json_string(obstacle.reason), NULL);
    vt_document_put(document, "kvm.obstacle", kvm->runs ? json_null() : json_string(obstacle.code), NULL);
    vt_document_put(document, "kvm.fix",
                    kvm->runs || !*obstacle.fix ? json_null() : json_string(obstacle.fix), NULL);
    if (kvm->nested < 0)
        vt_document_unknown(document, "kvm.nested", obstacle.reason);
    else
        vt_document_put(document, "kvm.nested", json_boolean(kvm->nested), NULL);
}

static json_t *describe(const struct vt_facts *facts, const struct kvm *kvm)
{
    json_t *document = vt_document_new();
    vt_document_put(document, "source", json_string("machine"), NULL);
    vt_detect_cpu(document, facts);
    vt_detect_hypervisor(document, facts);
    vt_detect_confidential(document, facts);
    vt_detect_vt_x(document, facts);
    vt_detect_amd_v(document, facts);
    if (kvm == &kvms[1])
        vt_document_put(document, "system.container", json_string("docker"), NULL);
    put_kvm(document, kvm);
    vt_detect_proven(document, facts);
    vt_detect_verdict(document, facts);
    return document;
}

/* Everything that is said, one sentence a line. */
static char *all_said(const json_t *document)
{
    static const char *const paths[] = {"kvm.reason", "kvm.fix", "vt_x.reason", "amd_v.reason"};
    static char text[32768];
    const char *key;
    json_t *value, *map;
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (vt_document_text(document, paths[i]))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\n",
                                     vt_document_text(document, paths[i]));
    json_object_foreach(vt_document_get(document, "verdict"), key, map)
    {
        const char *said = json_string_value(json_object_get(map, "text")),
                   *fix = json_string_value(json_object_get(map, "fix"));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n%s\n", said, fix ? fix : "");
    }
    json_object_foreach(vt_document_get(document, "evidence"), key,
                        value) if (strncmp(key, "hypervisor.", 11) == 0 ||
                                   strncmp(key, "confidential.", 13) == 0) used +=
        (size_t)snprintf(text + used, sizeof text - used, "%s\n", json_string_value(value));
    ck_assert_uint_lt(used, sizeof text);
    return text;
}

/* One output under examination: what stands there, in short. */
struct said {
    const json_t *document;
    const char *text, *fix, *hardware, *obstacle, *vms, *nested, *inside;
    bool live;
};

static const char *answer_of(const json_t *document, const char *key)
{
    char path[128];
    snprintf(path, sizeof path, "verdict.%s.answer", key);
    const char *answer = vt_document_text(document, path);
    ck_assert_ptr_nonnull(answer);
    return answer;
}

static bool are(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_true(const struct said *s, const char *path)
{
    return vt_document_is_true(s->document, path);
}

static bool is_false(const struct said *s, const char *path)
{
    return vt_document_is_false(s->document, path);
}

static bool says(const struct said *s, const char *words)
{
    return strstr(s->text, words);
}

static bool has_text(const struct said *s, const char *path)
{
    return vt_document_text(s->document, path);
}

static bool met(const struct said *s, const char *capability)
{
    char why[512];
    return vt_probes_require(s->document, capability, why, sizeof why) == VT_REQUIREMENT_MET;
}

static bool encrypted(const struct said *s)
{
    return is_true(s, "confidential.sev_guest") || is_true(s, "confidential.tdx_guest");
}

static bool is_kind(const struct said *s, const char *start)
{
    const char *kind = vt_document_text(s->document, "confidential.guest");
    return kind && strncmp(kind, start, strlen(start)) == 0;
}

static bool outside_is_possible(const struct said *s)
{
    return s->live && !is_false(s, "hypervisor.present");
}

static bool blames_firmware_alone(const struct said *s)
{
    for (const char *at = s->text; (at = strstr(at, "firmware")); at++) {
        const char *end = strchr(at, '\n'), *other = strstr(at, "a hypervisor");
        if (strncmp(at, "firmware set-up", 15) != 0 && strncmp(at, "firmware and its", 16) != 0 &&
            (!other || other > end))
            return true;
    }
    return false;
}

static bool fix_is_for_guests(const struct said *s)
{
    return strstr(s->fix, "nested virtualization on") || strstr(s->fix, "for this guest");
}

static bool runs(const struct said *s)
{
    return is_true(s, "kvm.runs_guest");
}

#define HW(is)   are(s->hardware, is)
#define IF(a, b) (!(a) || (b))

/* Pairs of answers of which the first forbids the other, each as what must hold. */
#define RULES(X)                                                                                             \
    X(IF(is_true(s, "hypervisor.present"), are(s->inside, "yes")))                                           \
    X(IF(are(s->inside, "yes"), is_true(s, "hypervisor.present")))                                           \
    X(IF(are(s->inside, "no"), is_false(s, "hypervisor.present") && is_true(s, "hypervisor.bare_metal")))    \
    X(IF(has_text(s, "hypervisor.vendor"), is_true(s, "hypervisor.present")))                                \
    X(IF(has_text(s, "hypervisor.signature"), is_true(s, "hypervisor.present")))                             \
    X(IF(is_true(s, "hypervisor.present"), is_false(s, "hypervisor.bare_metal")))                            \
    X(IF(is_true(s, "hypervisor.control_domain"), is_true(s, "hypervisor.present")))                         \
    X(IF(is_true(s, "hypervisor.present"), !says(s, "there is no hypervisor")))                              \
    X(IF(is_true(s, "hypervisor.present"),                                                                   \
         !says(s, "processor lacks") && !says(s, "this processor has neither")))                             \
    X(IF(is_true(s, "hypervisor.present"), !says(s, "names a hypervisor")))                                  \
    X(IF(!is_true(s, "hypervisor.present"), !says(s, "hypervisor outside")))                                 \
    X(met(s, "hypervisor") == is_true(s, "hypervisor.present"))                                              \
    X(met(s, "bare-metal") == is_true(s, "hypervisor.bare_metal"))                                           \
    X(IF(outside_is_possible(s), !blames_firmware_alone(s)))                                                 \
    X(IF(is_true(s, "hypervisor.present"), !says(s, "set-up")))                                              \
    X(IF(is_true(s, "hypervisor.control_domain"), !says(s, "guest of") && !says(s, "this guest") &&          \
                                                      !says(s, "this is a guest") && !fix_is_for_guests(s))) \
    X(IF(encrypted(s), !strstr(s->fix, "nested") && !strstr(s->fix, "modprobe")))                            \
    X(is_kind(s, "tdx") == is_true(s, "confidential.tdx_guest"))                                             \
    X(is_kind(s, "sev") == is_true(s, "confidential.sev_guest"))                                             \
    X(IF(is_kind(s, "none"),                                                                                 \
         is_false(s, "confidential.sev_guest") && is_false(s, "confidential.tdx_guest")))                    \
    X(!(is_true(s, "confidential.sev_guest") && is_true(s, "confidential.tdx_guest")))                       \
    X(IF(encrypted(s), is_true(s, "hypervisor.present")))                                                    \
    X(!(encrypted(s) && is_true(s, "confidential.tdx_host")))                                                \
    X(IF(is_true(s, "confidential.paravisor"),                                                               \
         !are(vt_document_text(s->document, "confidential.guest"), "none")))                                 \
    X(HW("yes") == are(s->obstacle, "no"))                                                                   \
    X(HW("no") == are(s->obstacle, "yes"))                                                                   \
    X(IF(HW("yes"), are(s->vms, "yes")))                                                                     \
    X(IF(HW("yes"), runs(s) && met(s, "kvm-hardware")))                                                      \
    X(met(s, "kvm-hardware") == HW("yes"))                                                                   \
    X(IF(HW("yes"), is_true(s, "vt_x.enabled") || is_true(s, "amd_v.enabled")))                              \
    X(IF(HW("yes"), !*s->fix || are(s->nested, "no")))                                                       \
    X(IF(runs(s), are(s->vms, "yes")))                                                                       \
    X(IF(are(s->vms, "yes"), runs(s) || is_true(s, "hypervisor.control_domain")))                            \
    X(IF(are(s->nested, "yes"), runs(s)))                                                                    \
    X(IF(runs(s), !has_text(s, "kvm.reason") && !has_text(s, "kvm.fix")))                                    \
    X(IF(strstr(s->fix, "modprobe"), !is_false(s, "vt_x.enabled") || !is_false(s, "amd_v.enabled")))         \
    X(IF(strstr(s->fix, "modprobe kvm_intel"),                                                               \
         is_true(s, "vt_x.supported") && !is_false(s, "vt_x.enabled")))                                      \
    X(IF(strstr(s->fix, "modprobe kvm_amd"),                                                                 \
         is_true(s, "amd_v.supported") && !is_false(s, "amd_v.enabled")))                                    \
    X(IF(strstr(s->fix, "firmware set-up"), !is_true(s, "vt_x.enabled") && !is_true(s, "amd_v.enabled")))    \
    X(IF(has_text(s, "kvm.fix"), strstr(s->fix, vt_document_text(s->document, "kvm.fix"))))                  \
    X(IF(is_true(s, "vt_x.enabled"), is_true(s, "vt_x.supported") && !has_text(s, "vt_x.reason")))           \
    X(IF(is_true(s, "amd_v.enabled"), is_true(s, "amd_v.supported") && !has_text(s, "amd_v.reason")))        \
    X(IF(s->live &&met(s, "vt-x"), is_true(s, "vt_x.enabled")))                                              \
    X(IF(s->live &&met(s, "amd-v"), is_true(s, "amd_v.enabled")))                                            \
    X(IF(is_false(s, "vt_x.enabled"), !met(s, "vt-x")))                                                      \
    X(IF(is_false(s, "amd_v.enabled"), !met(s, "amd-v")))

static char *fixes(const json_t *document)
{
    static char text[2048];
    const char *one = vt_document_text(document, "verdict.hardware_vms.fix"),
               *two = vt_document_text(document, "verdict.nested.fix"),
               *three = vt_document_text(document, "verdict.obstacle.fix");
    ck_assert_msg((!one && !three) || (one && three && strcmp(one, three) == 0), "two fixes: '%s' and '%s'",
                  one, three);
    snprintf(text, sizeof text, "%s%s", one ? one : "", two ? two : "");
    return text;
}

static void check_screen(const json_t *document, const char *name)
{
    char *text;
    size_t size, lines = 0;
    FILE *stream = open_memstream(&text, &size);
    vt_probes_render_brief(document, stream, false, 80);
    fclose(stream);
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        lines++;
        ck_assert_msg(end - line <= 80, "%s: a line is %ld wide: %.*s", name, (long)(end - line),
                      (int)(end - line), line);
    }
    ck_assert_msg(lines <= 24, "%s: %zu lines do not fit the screen:\n%s", name, lines, text);
    free(text);
}

static void check(const json_t *document, const char *name)
{
    const struct said said =
                          {
                              .document = document,
                              .text = all_said(document),
                              .fix = fixes(document),
                              .hardware = answer_of(document, "hardware_vms"),
                              .obstacle = answer_of(document, "obstacle"),
                              .vms = answer_of(document, "vms"),
                              .nested = answer_of(document, "nested"),
                              .inside = answer_of(document, "inside_vm"),
                              .live = are(vt_document_text(document, "source"), "machine"),
                          },
                      *s = &said;
#define CHECK(rule) ck_assert_msg(rule, "%s: not so: %s\n%s", name, #rule, s->text);
    RULES(CHECK)
    check_screen(document, name);
}

/* KVM that runs on VT-x or AMD-V without there being one is nobody's machine. */
static bool can_be(const json_t *document, const struct kvm *kvm)
{
    const bool hardware = are(kvm->backend, "vmx") || are(kvm->backend, "svm");
    const char *section = are(kvm->backend, "vmx") ? "vt_x" : "amd_v";
    char path[128];
    return !hardware || (vt_document_is_true(document, vt_document_path(path, section, "supported")) &&
                         !vt_document_is_false(document, vt_document_path(path, section, "enabled")));
}

static void check_under_every_kvm(const struct vt_facts *facts, const char *name)
{
    for (size_t k = 0; k < sizeof kvms / sizeof kvms[0]; k++) {
        char title[256];
        json_t *document = describe(facts, &kvms[0]);
        const bool possible = can_be(document, &kvms[k]);
        json_decref(document);
        if (!possible)
            continue;
        snprintf(title, sizeof title, "%s; KVM: %s", name, kvms[k].name);
        document = describe(facts, &kvms[k]);
        check(document, title);
        json_decref(document);
    }
}

static void expect(const json_t *document, const char *name, const char *path, const char *wanted)
{
    if (!wanted)
        return;
    char *got = json_dumps(vt_document_get(document, path), JSON_ENCODE_ANY);
    ck_assert_msg(got && strcmp(got, wanted) == 0, "%s: %s is %s, not %s\n%s", name, path, got, wanted,
                  all_said(document));
    free(got);
}

START_TEST(every_machine_gets_its_answer)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        const struct machine *m = &machines[i];
        struct vt_facts facts;
        build(&facts, m);
        json_t *document = describe(&facts, &kvms[0]);
        expect(document, m->name, "hypervisor.present", m->present);
        expect(document, m->name, "hypervisor.vendor", m->who);
        expect(document, m->name, "hypervisor.control_domain", m->own);
        expect(document, m->name, "hypervisor.bare_metal", m->bare);
        expect(document, m->name, are(m->vendor, "GenuineIntel") ? "vt_x.enabled" : "amd_v.enabled",
               m->enabled);
        expect(document, m->name, "confidential.guest", m->kind);
        const char *said = all_said(document);
        ck_assert_msg(!m->says || strstr(said, m->says), "%s: nothing says '%s':\n%s", m->name, m->says,
                      said);
        ck_assert_msg(!m->never || !strstr(said, m->never), "%s: says '%s':\n%s", m->name, m->never, said);
        json_decref(document);
        vt_facts_free(&facts);
    }
}
END_TEST

START_TEST(no_machine_contradicts_itself)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        struct vt_facts facts;
        build(&facts, &machines[i]);
        check_under_every_kvm(&facts, machines[i].name);
        vt_facts_free(&facts);
    }
}
END_TEST

/* Each dump as it is, and as if it were this machine, with and without DMI, and under Xen. */
static void check_dump(const char *path)
{
    static const char *const types[] = {NULL, "xen"};
    struct vt_error error;
    struct vt_facts facts;
    json_t *document = vt_probes_dump(path, &error);
    ck_assert_msg(document, "%s: %s", path, error.text);
    check(document, path);
    json_decref(document);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(vt_dump_load(&facts, path, &error), 0);
        facts.live = true;
        facts.read_msr = read_register;
        control_value = sev_value = NO_MSR;
        facts.flags = strdup("fpu");
        facts.surroundings.release = strdup("6.8.0");
        if (types[i / 2])
            facts.surroundings.hypervisor_type = strdup(types[i / 2]);
        if (i % 2)
            facts.surroundings.dmi[VT_DMI_VENDOR] = strdup("Dell Inc.");
        check_under_every_kvm(&facts, path);
        vt_facts_free(&facts);
    }
}

START_TEST(no_dump_contradicts_itself)
{
    glob_t dumps;
    ck_assert_int_eq(glob("tests/data/cpuid/*.[tr][xa][tw]", 0, NULL, &dumps), 0);
    ck_assert_uint_gt(dumps.gl_pathc, 20);
    for (size_t i = 0; i < dumps.gl_pathc; i++)
        check_dump(dumps.gl_pathv[i]);
    globfree(&dumps);
}
END_TEST

/* Hosts of trust domains: a flag that old kernels do not know, the register that all processors with it have.
 */
START_TEST(a_host_of_trust_domains_is_not_denied_for_want_of_a_flag)
{
    static const struct {
        int traits;
        const char *vendor, *flags, *answer;
    } rows[] = {
        {EXTENSION | TME, "GenuineIntel", "vmx", "null"},
        {EXTENSION | TME, "GenuineIntel", "vmx tdx_host_platform", "true"},
        {EXTENSION, "GenuineIntel", "vmx", "false"},
        {TME, "GenuineIntel", "sse", "false"},
        {EXTENSION, "AuthenticAMD", "svm", "false"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct machine m = {"host", rows[i].vendor,          rows[i].traits,
                            {{0}},  {DELL, KERNEL("6.1.0")}, NO_REGISTERS};
        struct vt_facts facts;
        build(&facts, &m);
        facts.flags = strdup(rows[i].flags);
        json_t *document = describe(&facts, &kvms[0]);
        expect(document, rows[i].flags, "confidential.tdx_host", rows[i].answer);
        json_decref(document);
        vt_facts_free(&facts);
    }
}
END_TEST

VT_SUITE(every_machine_gets_its_answer, no_machine_contradicts_itself, no_dump_contradicts_itself,
         a_host_of_trust_domains_is_not_denied_for_want_of_a_flag)
