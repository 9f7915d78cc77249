#include "probes/outside/hypervisor.h"
#include "guest/catalogue.h"

#include <string.h>

/* Linux Documentation/virt/kvm/x86/cpuid.rst */
static const struct vt_hypervisor_bit kvm_bits[] = {
    {1, VT_EAX, 0, "clocksource"},
    {1, VT_EAX, 1, "nop_io_delay"},
    {1, VT_EAX, 2, "mmu_op"},
    {1, VT_EAX, 3, "clocksource2"},
    {1, VT_EAX, 4, "async_pf"},
    {1, VT_EAX, 5, "steal_time"},
    {1, VT_EAX, 6, "pv_eoi"},
    {1, VT_EAX, 7, "pv_unhalt"},
    {1, VT_EAX, 9, "pv_tlb_flush"},
    {1, VT_EAX, 10, "async_pf_vmexit"},
    {1, VT_EAX, 11, "pv_send_ipi"},
    {1, VT_EAX, 12, "poll_control"},
    {1, VT_EAX, 13, "pv_sched_yield"},
    {1, VT_EAX, 14, "async_pf_int"},
    {1, VT_EAX, 15, "msi_ext_dest_id"},
    {1, VT_EAX, 16, "hc_map_gpa_range"},
    {1, VT_EAX, 17, "migration_control"},
    {1, VT_EAX, 24, "clocksource_stable"},
    {1, VT_EDX, 0, "realtime"},
};

/* Hypervisor Top-Level Functional Specification, chapter 2 */
static const struct vt_hypervisor_bit hyperv_bits[] = {
    {3, VT_EAX, 0, "vp_runtime"},
    {3, VT_EAX, 1, "time_ref_count"},
    {3, VT_EAX, 2, "synic"},
    {3, VT_EAX, 3, "synthetic_timers"},
    {3, VT_EAX, 4, "apic_msrs"},
    {3, VT_EAX, 5, "hypercall_msrs"},
    {3, VT_EAX, 6, "vp_index"},
    {3, VT_EAX, 7, "reset_msr"},
    {3, VT_EAX, 8, "stats_pages"},
    {3, VT_EAX, 9, "reference_tsc"},
    {3, VT_EAX, 10, "guest_idle_msr"},
    {3, VT_EAX, 11, "frequency_msrs"},
    {3, VT_EAX, 12, "debug_msrs"},
    {3, VT_EAX, 13, "reenlightenment"},
    {3, VT_EAX, 15, "tsc_invariant_control"},
    {3, VT_EBX, 0, "create_partitions"},
    {3, VT_EBX, 4, "post_messages"},
    {3, VT_EBX, 5, "signal_events"},
    {3, VT_EBX, 12, "cpu_management"},
    {3, VT_EBX, 20, "enable_extended_hypercalls"},
    {3, VT_EBX, 22, "isolation"},
    {3, VT_EDX, 0, "mwait"},
    {3, VT_EDX, 1, "guest_debugging"},
    {3, VT_EDX, 2, "performance_monitor"},
    {3, VT_EDX, 3, "cpu_dynamic_partitioning"},
    {3, VT_EDX, 4, "xmm_hypercall_input"},
    {3, VT_EDX, 5, "guest_idle_state"},
    {3, VT_EDX, 8, "frequency_regs"},
    {3, VT_EDX, 10, "guest_crash_msrs"},
    {3, VT_EDX, 15, "xmm_hypercall_output"},
    {3, VT_EDX, 19, "direct_synthetic_timers"},
    {4, VT_EAX, 0, "use_hypercall_for_address_switch"},
    {4, VT_EAX, 1, "use_hypercall_for_local_flush"},
    {4, VT_EAX, 2, "use_hypercall_for_remote_flush"},
    {4, VT_EAX, 3, "use_apic_msrs"},
    {4, VT_EAX, 4, "use_reset_msr"},
    {4, VT_EAX, 5, "use_relaxed_timing"},
    {4, VT_EAX, 8, "use_x2apic_msrs"},
    {4, VT_EAX, 9, "deprecate_auto_eoi"},
    {4, VT_EAX, 10, "use_cluster_ipi_hypercall"},
    {4, VT_EAX, 11, "ex_processor_masks"},
    {4, VT_EAX, 12, "nested"},
    {4, VT_EAX, 14, "use_enlightened_vmcs"},
    {VT_HYPERV_NESTING, VT_EAX, 17, "direct_flush"},
    {VT_HYPERV_NESTING, VT_EAX, 18, "flush_guest_physical"},
    {VT_HYPERV_NESTING, VT_EAX, 19, "enlightened_msr_bitmap"},
    {VT_HYPERV_NESTING, VT_EAX, 22, "enlightened_tlb"},
};

/* Xen public/arch-x86/cpuid.h */
static const struct vt_hypervisor_bit xen_bits[] = {
    {2, VT_ECX, 0, "mmu_pt_update_preserve_ad"},
    {3, VT_EAX, 0, "tsc_emulated"},
    {3, VT_EAX, 1, "host_tsc_reliable"},
    {3, VT_EAX, 2, "rdtscp"},
    {4, VT_EAX, 0, "apic_access_virtualization"},
    {4, VT_EAX, 1, "x2apic_virtualization"},
    {4, VT_EAX, 2, "iommu_mappings"},
    {4, VT_EAX, 3, "vcpu_id"},
    {4, VT_EAX, 4, "domain_id"},
    {4, VT_EAX, 5, "extended_destination_id"},
    {4, VT_EAX, 6, "upcall_vector"},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct vt_hypervisor_features kvm = {kvm_bits, COUNT(kvm_bits)};
static const struct vt_hypervisor_features hyperv = {hyperv_bits, COUNT(hyperv_bits)};
static const struct vt_hypervisor_features xen = {xen_bits, COUNT(xen_bits)};

static const struct vt_hypervisor hypervisors[] = {
    {"KVMKVMKVM", "KVM", &kvm},
    {"Linux KVM Hv", "KVM", &hyperv},
    {"Microsoft Hv", "Hyper-V", &hyperv},
    {"XenVMMXenVMM", "Xen", &xen},
    {"VMwareVMware", "VMware", NULL},
    {"VBoxVBoxVBox", "VirtualBox", NULL},
    {"TCGTCGTCGTCG", "QEMU TCG", NULL},
    {"bhyve bhyve", "bhyve", NULL},
    {"BHyVE BHyVE", "bhyve", NULL},
    {"prl hyperv", "Parallels", NULL},
    {"lrpepyh  vr", "Parallels", NULL},
    {"ACRNACRNACRN", "ACRN", NULL},
    {"Jailhouse", "Jailhouse", NULL},
    {"QNXQVMBSQG", "QNX", NULL},
    {"OpenBSDVMM58", "OpenBSD vmm", NULL},
    {"___ NVMM ___", "NetBSD NVMM", NULL},
    {"HAXMHAXMHAXM", "Intel HAXM", NULL},
    {"EVMMEVMMEVMM", "Intel KGT (Trusty)", NULL},
    {"IntelTDX", "Intel TDX module", NULL},
    {"UnisysSpar64", "Unisys s-Par", NULL},
    {"SRESRESRESRE", "Lockheed Martin LMHS", NULL},
    {"VirtualApple", "Apple Rosetta 2", NULL},
    {"Apple VZ", "Apple Virtualization", NULL},
    {"MicrosoftXTA", "Microsoft x86-to-Arm", NULL},
};

/*
 * Clouds that let whole machines as well as virtual ones have no vendor. Fields are
 * compared in the order of enum vt_dmi: a product says more than who sells it.
 */
static const struct vt_dmi_machine machines[] = {
    {"VirtualBox", "VirtualBox", true},
    {"innotek GmbH", "VirtualBox", true},
    {"VMware", "VMware", false},
    {"Parallels", "Parallels", false},
    {"BHYVE", "bhyve", false},
    {"HVM domU", "Xen", false},
    {"Xen", "Xen", false},
    {"Hyper-V", "Hyper-V", false},
    {"Virtual Machine", "Hyper-V", false},
    {"Apple Virtualization", "Apple Virtualization", false},
    {"OpenBSD", "OpenBSD vmm", false},
    {"ACRN", "ACRN", false},
    {"QNX", "QNX", false},
    {"Cloud Hypervisor", "Cloud Hypervisor", false},
    {"cloud-hypervisor", "Cloud Hypervisor", false},
    {"crosvm", "crosvm", false},
    {"KVM", "KVM", false},
    {"AHV", "KVM", false},
    {"KubeVirt", "KVM", false},
    {"OpenStack", "KVM", false},
    {"oVirt", "KVM", false},
    {"RHEV", "KVM", false},
    {"Droplet", "KVM", false},
    {"vServer", "KVM", false},
    {"QEMU", "QEMU", false},
    {"Standard PC (", "QEMU", false},
    {"Bochs", "Bochs", false},
    {"Google Compute Engine", NULL, false},
    {"Amazon EC2", NULL, false},
    {"Alibaba Cloud", NULL, false},
    {"Tencent Cloud", NULL, false},
    {"OracleCloud", NULL, false},
    {"Scaleway", NULL, false},
};

const struct vt_hypervisor *vt_hypervisor_find(const char *signature)
{
    const char *start = signature + strspn(signature, " ");
    size_t length = strlen(start);
    while (length && start[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < COUNT(hypervisors); i++)
        if (strlen(hypervisors[i].signature) == length &&
            strncmp(hypervisors[i].signature, start, length) == 0)
            return &hypervisors[i];
    return NULL;
}

bool vt_hypervisor_signature(const uint32_t reg[4], char signature[13])
{
    memcpy(signature, &reg[VT_EBX], 4);
    memcpy(signature + 4, &reg[VT_ECX], 4);
    memcpy(signature + 8, &reg[VT_EDX], 4);
    signature[12] = '\0';
    size_t length = strlen(signature);
    for (size_t i = 0; i < 12; i++)
        if (i < length ? (signature[i] < ' ' || signature[i] > '~') : signature[i] != '\0')
            return false;
    return length > 0;
}

const struct vt_hypervisor *vt_hypervisor_of(const uint32_t reg[4])
{
    char signature[13];
    return vt_hypervisor_signature(reg, signature) ? vt_hypervisor_find(signature) : NULL;
}

const struct vt_hypervisor *vt_hypervisor_interface(void)
{
    return vt_hypervisor_find("Microsoft Hv");
}

bool vt_hypervisor_speaks_hyperv(const struct vt_facts *facts, uint32_t base)
{
    uint32_t reg[4];
    return vt_facts_leaf(facts, base + 1, 0, reg) == VT_READ && memcmp(&reg[VT_EAX], "Hv#1", 4) == 0;
}

uint32_t vt_hypervisor_hyperv_base(const struct vt_facts *facts)
{
    for (uint32_t base = VT_HYPERVISOR_FIRST; base < VT_HYPERVISOR_END; base += VT_HYPERVISOR_STRIDE)
        if (vt_hypervisor_speaks_hyperv(facts, base))
            return base;
    return 0;
}

const struct vt_dmi_machine *vt_hypervisor_by_dmi(const struct vt_surroundings *surroundings,
                                                  const char **field)
{
    for (size_t f = 0; f < VT_DMI_FIELDS; f++)
        for (size_t i = 0; surroundings->dmi[f] && i < COUNT(machines); i++)
            if (strncmp(surroundings->dmi[f], machines[i].name, strlen(machines[i].name)) == 0) {
                *field = surroundings->dmi[f];
                return &machines[i];
            }
    return NULL;
}
