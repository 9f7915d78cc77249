#include "tests/unit/probes/machine.h"
#include "probes/section.h"
#include "tests/unit/suite.h"

#include <errno.h>
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

#define KVM_CLOCK                                                                                            \
    {                                                                                                        \
        "/sys/devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock tsc"                \
    }

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

const struct vt_test_machine vt_test_machines[] = {
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
    {"a guest of PVM, itself inside bhyve", "AuthenticAMD", ANNOUNCED, {LAYER(0x40000000, "bhyve bhyve ")}, {FLAGS("hypervisor"), KERNEL("6.18.0"), KVM_CLOCK}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "KVM keeps the processor's AMD-V: this is a paravirtual guest", "under bhyve"},
    {"a guest of PVM on a whole machine", "GenuineIntel", EXTENSION, {{0}}, {FLAGS("hypervisor"), KERNEL("6.18.0"), WITH_KVM, KVM_CLOCK}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "instead of kvm_pvm", "firmware switched"},
    {"a guest of KVM with its clock", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), KERNEL("6.18.0"), KVM_CLOCK}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "nested=1 for its kvm_intel", "paravirtual guest"},
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
    {"WSL 2", "GenuineIntel", ANNOUNCED, {HYPERV(0x2e30, 0, 0)}, {FLAGS("hypervisor"), KERNEL("5.15.167.4-microsoft-standard-WSL2")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", NULL, "false", "nestedVirtualization=true", "Set-VMProcessor"},
    {"WSL 2 with nesting", "AuthenticAMD", ANNOUNCED | EXTENSION, {HYPERV(0x2e30, 0, 0)}, {FLAGS("hypervisor svm"), KERNEL("6.6.87.2-microsoft-standard-WSL2"), {"/sys/module/kvm_amd/x", ""}}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "null", NULL, "false", NULL, "root partition"},
    {"Azure", "GenuineIntel", ANNOUNCED, {HYPERV(0x2e30, 0, 0)}, {{"/sys/class/dmi/id/sys_vendor", "Microsoft Corporation"}, {"/sys/class/dmi/id/product_name", "Virtual Machine"}, {"/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", NULL, "false", "choose a size", "Set-VMProcessor"},
    {"Google Compute Engine", "AuthenticAMD", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {{"/sys/class/dmi/id/sys_vendor", "Google"}, {"/sys/class/dmi/id/product_name", "Google Compute Engine"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "--enable-nested-virtualization", "-cpu host"},
    {"Amazon's Nitro", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {{"/sys/class/dmi/id/sys_vendor", "Amazon EC2"}, {"/sys/class/dmi/id/product_name", "m5.large"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", ".metal", "-cpu host"},
    {"a hosted Xen guest of Amazon", "GenuineIntel", EXTENSION, {{0}}, {FLAGS("hypervisor"), KERNEL("4.19.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "PV"}, {"/sys/class/dmi/id/sys_vendor", "Amazon EC2"}}, NO_REGISTERS,
     "true", "\"Xen\"", "null", "false", NULL, "false", "paravirtual guest", ".metal"},
    {"Firecracker", "GenuineIntel", ANNOUNCED, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), KERNEL("5.10.223")}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", NULL, "false", "(KVM) does not pass", "firmware"},
    {"VMware without a signature, extension on", "GenuineIntel", EXTENSION, {{0}}, {{"/sys/class/dmi/id/sys_vendor", "VMware, Inc."}, {"/sys/class/dmi/id/product_name", "VMware7,1"}, FLAGS("vmx"), KERNEL("6.1.0"), WITH_KVM}, NO_REGISTERS,
     "true", "\"VMware\"", "false", "true", NULL, "false", "not loaded", "firmware"},
    {"VMware under the name of Hyper-V", "GenuineIntel", ANNOUNCED, {HYPERV(0x20, 0, 0)}, {{"/sys/class/dmi/id/sys_vendor", "VMware, Inc."}, {"/sys/class/dmi/id/product_name", "VMware20,1"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"VMware\"", "false", "false", NULL, "false", "vhv.enable", "under Hyper-V"},
    {"a partition below a nested Hyper-V", "GenuineIntel", ANNOUNCED, {HYPERV(0x2bb9ff, 0, 0)}, {{"/sys/class/dmi/id/sys_vendor", "Microsoft Corporation"}, {"/sys/class/dmi/id/product_name", "Virtual Machine"}, {"/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "true", "false", NULL, "false", "its root partition", "choose a size"},
    {"Xen HVM with VT-x", "GenuineIntel", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "XenVMMXenVMM")}, {{"/sys/class/dmi/id/sys_vendor", "Xen"}, FLAGS("hypervisor vmx"), KERNEL("6.1.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "HVM"}, {"/sys/hypervisor/properties/features", "00000705"}, {"/sys/module/kvm_intel/x", ""}}, NO_REGISTERS,
     "true", "\"Xen\"", "false", "true", NULL, "false", "not loaded", "firmware"},
    {"Xen HVM behind Viridian", "GenuineIntel", ANNOUNCED, {HYPERV(0x30, 0, 0), LAYER(0x40000100, "XenVMMXenVMM")}, {{"/sys/class/dmi/id/sys_vendor", "Xen"}, {"/sys/class/dmi/id/product_name", "HVM domU"}, FLAGS("hypervisor"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "HVM"}, {"/sys/hypervisor/properties/features", "00000705"}}, NO_REGISTERS,
     "true", "\"Xen\"", "false", "false", NULL, "false", "nestedhvm", "Set-VMProcessor"},
    {"Xen PVH domU on AMD", "AuthenticAMD", ANNOUNCED, {LAYER(0x40000000, "XenVMMXenVMM")}, {FLAGS("hypervisor"), KERNEL("6.12.0"), {"/sys/hypervisor/type", "xen"}, {"/sys/hypervisor/guest_type", "PVH"}, {"/sys/hypervisor/properties/features", "00000705"}}, NO_REGISTERS,
     "true", "\"Xen\"", "false", "false", NULL, "false", "(Xen) does not pass", "dom0"},
    {"SNP below Coconut's module", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), {"/sys/devices/system/cpu/sev/vmpl", "2"}}, NO_REGISTERS,
     "true", "\"KVM\"", "false", "false", "\"sev-snp\"", "false", "encrypted guest (SEV-SNP)", "nested virtualization on"},
    {"an encrypted guest of Google", "AuthenticAMD", ANNOUNCED | SEV, {LAYER(0x40000000, "KVMKVMKVM")}, {{"/sys/class/dmi/id/product_name", "Google Compute Engine"}, FLAGS("hypervisor")}, .control = NO_MSR, .sev_status = 1,
     "true", "\"KVM\"", "false", "false", "\"sev\"", "false", "choose another machine", "--enable-nested"},
    {"an encrypted guest of Azure", "AuthenticAMD", ANNOUNCED, {HYPERV(0x7b8030, 1, 0xbe2)}, {{"/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}, FLAGS("hypervisor")}, NO_REGISTERS,
     "true", "\"Hyper-V\"", "false", "false", "\"sev-snp\"", "false", "choose another machine", "choose a size"},
    {"SVM locked on", "AuthenticAMD", EXTENSION, {{0}}, {DELL, FLAGS("svm"), KERNEL("5.10.0"), WITH_KVM}, .control = 8, .sev_status = NO_MSR,
     "false", "null", "false", "true", NULL, "true", "not loaded", "firmware switched"},
    {"SVM locked off", "AuthenticAMD", EXTENSION, {{0}}, {DELL, FLAGS("svm"), KERNEL("4.18.0-553.el8.x86_64"), WITH_KVM}, .control = 0x18, .sev_status = NO_MSR,
     "false", "null", "false", "false", NULL, "true", "firmware switched", "modprobe"},
    {"VT-x for a measured start alone", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("sse"), KERNEL("6.1.0"), WITH_KVM}, .control = 3, .sev_status = NO_MSR,
     "false", "null", "false", "false", NULL, "true", "start the kernel by tboot", "modprobe"},
    {"VT-x in a measured start", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("vmx smx"), KERNEL("6.1.0"), WITH_KVM}, .control = 3, .sev_status = NO_MSR,
     "false", "null", "false", "true", NULL, "true", "not loaded", "firmware switched"},
    {"VT-x for a measured start, old kernel", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("vmx smx"), KERNEL("5.4.0"), WITH_KVM}, .control = 3, .sev_status = NO_MSR,
     "false", "null", "false", "null", NULL, "true", "only inside SMX", "firmware switched"},
    {"a guest told of a measured start", "GenuineIntel", ANNOUNCED | EXTENSION, {LAYER(0x40000000, "KVMKVMKVM")}, {FLAGS("hypervisor"), KERNEL("6.1.0")}, .control = 3, .sev_status = NO_MSR,
     "true", "\"KVM\"", "false", "false", NULL, "false", "(KVM)", "firmware"},
    {"a register that nobody locked", "GenuineIntel", EXTENSION, {{0}}, {DELL, FLAGS("vmx"), KERNEL("5.4.0"), WITH_KVM}, .control = 0, .sev_status = NO_MSR,
     "false", "null", "false", "true", NULL, "true", "not loaded", "firmware switched"},
    {"neither vendor's extension", "GenuineIntel", 0, {{0}}, {DELL, FLAGS("sse"), KERNEL("6.1.0")}, NO_REGISTERS,
     "false", "null", "false", "false", "\"none\"", "true", NULL, "hypervisor outside"},
    /* clang-format on */
};

const size_t vt_test_machine_count = sizeof vt_test_machines / sizeof vt_test_machines[0];

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

static void add_layers(struct vt_facts *facts, const struct vt_test_machine *m)
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

static void add_processor(struct vt_facts *facts, const struct vt_test_machine *m)
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

void vt_test_machine_build(struct vt_facts *facts, const struct vt_test_machine *m)
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

void vt_test_machine_no_registers(struct vt_facts *facts)
{
    facts->read_msr = read_register;
    control_value = sev_value = NO_MSR;
}
