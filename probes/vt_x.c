#include "probes/capability.h"
#include "probes/enabled.h"
#include "probes/section.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The VMX capability MSRs (SDM 3D, appendix A). */
enum {
    FEATURE_CONTROL = 0x3a,
    BASIC = 0x480,
    PIN = 0x481,
    PRIMARY = 0x482,
    EXIT = 0x483,
    MISC = 0x485,
    SECONDARY = 0x48b,
    EPT_VPID = 0x48c,
    VMFUNC = 0x491,
    TERTIARY = 0x492,
};

/* A control may be set when its bit in the upper half, "allowed-1", is set (SDM 3D, A.2). */
#define ALLOWED(bit) (32 + (bit))

/* How the kernel's "vmx flags" line bears on a row. */
enum flag_use {
    PROVES, /* absent from the line: absent from the processor; every kernel that has the line knows the name
             */
    HINTS,  /* only newer kernels know the name: presence proves, absence tells nothing */
};

struct vmx_row {
    const char *name;
    uint32_t msr;
    uint8_t bit;
    const char *flag;
    enum flag_use use;
    const char *meaning;
};

static const struct vmx_row features[] = {
    {"virtual_nmis", PIN, ALLOWED(5), "vnmi", PROVES, "virtual NMIs"},
    {"preemption_timer", PIN, ALLOWED(6), "preemption_timer", PROVES, "VMX-preemption timer"},
    {"posted_interrupts", PIN, ALLOWED(7), "posted_intr", PROVES, "posted interrupts"},
    {"tsc_offsetting", PRIMARY, ALLOWED(3), "tsc_offset", PROVES, "TSC offsetting"},
    {"tpr_shadow", PRIMARY, ALLOWED(21), "vtpr", PROVES, "TPR shadow"},
    {"monitor_trap_flag", PRIMARY, ALLOWED(27), "mtf", PROVES, "monitor trap flag"},
    {"msr_bitmaps", PRIMARY, ALLOWED(28), NULL, HINTS, "MSR bitmaps"},
    {"secondary_controls", PRIMARY, ALLOWED(31), NULL, HINTS, "secondary processor-based controls"},
    {"tertiary_controls", PRIMARY, ALLOWED(17), NULL, HINTS, "tertiary processor-based controls"},
    {"apic_access_virtualization", SECONDARY, ALLOWED(0), "vapic", PROVES, "virtualized APIC accesses"},
    {"ept", SECONDARY, ALLOWED(1), "ept", PROVES, "extended page tables"},
    {"descriptor_table_exiting", SECONDARY, ALLOWED(2), NULL, HINTS, "descriptor-table exiting"},
    {"rdtscp", SECONDARY, ALLOWED(3), NULL, HINTS, "RDTSCP in guests"},
    {"x2apic_virtualization", SECONDARY, ALLOWED(4), NULL, HINTS, "virtualized x2APIC mode"},
    {"vpid", SECONDARY, ALLOWED(5), "vpid", PROVES, "virtual processor identifiers"},
    {"wbinvd_exiting", SECONDARY, ALLOWED(6), NULL, HINTS, "WBINVD exiting"},
    {"unrestricted_guest", SECONDARY, ALLOWED(7), "unrestricted_guest", PROVES, "guests in real mode"},
    {"apic_register_virtualization", SECONDARY, ALLOWED(8), "vapic_reg", PROVES,
     "APIC-register virtualization"},
    {"virtual_interrupt_delivery", SECONDARY, ALLOWED(9), "vid", PROVES, "virtual-interrupt delivery"},
    {"pause_loop_exiting", SECONDARY, ALLOWED(10), "ple", PROVES, "PAUSE-loop exiting"},
    {"rdrand_exiting", SECONDARY, ALLOWED(11), NULL, HINTS, "RDRAND exiting"},
    {"invpcid", SECONDARY, ALLOWED(12), NULL, HINTS, "INVPCID in guests"},
    {"vmfunc", SECONDARY, ALLOWED(13), NULL, HINTS, "VM functions"},
    {"vmcs_shadowing", SECONDARY, ALLOWED(14), "shadow_vmcs", PROVES, "VMCS shadowing"},
    {"encls_exiting", SECONDARY, ALLOWED(15), NULL, HINTS, "ENCLS exiting"},
    {"rdseed_exiting", SECONDARY, ALLOWED(16), NULL, HINTS, "RDSEED exiting"},
    {"pml", SECONDARY, ALLOWED(17), "pml", PROVES, "page-modification logging"},
    {"ept_violation_ve", SECONDARY, ALLOWED(18), "ept_violation_ve", HINTS,
     "EPT violations as #VE in the guest"},
    {"xsaves", SECONDARY, ALLOWED(20), NULL, HINTS, "XSAVES and XRSTORS in guests"},
    {"mode_based_execute", SECONDARY, ALLOWED(22), "ept_mode_based_exec", PROVES,
     "mode-based execute control for EPT"},
    {"sub_page_write", SECONDARY, ALLOWED(23), NULL, HINTS, "sub-page write permissions for EPT"},
    {"pt_guest_physical", SECONDARY, ALLOWED(24), NULL, HINTS,
     "Processor Trace with guest-physical addresses"},
    {"tsc_scaling", SECONDARY, ALLOWED(25), "tsc_scaling", PROVES, "TSC scaling"},
    {"user_wait_pause", SECONDARY, ALLOWED(26), "usr_wait_pause", PROVES, "UMWAIT and TPAUSE in guests"},
    {"enclv_exiting", SECONDARY, ALLOWED(28), NULL, HINTS, "ENCLV exiting"},
    {"bus_lock_detection", SECONDARY, ALLOWED(30), NULL, HINTS, "exits at bus locks"},
    {"notify_exiting", SECONDARY, ALLOWED(31), "notify_vm_exiting", HINTS,
     "exits when no interrupt window opens"},
    {"ipi_virtualization", TERTIARY, 4, "ipi_virt", HINTS, "IPIs without an exit"},
    {"ept_execute_only", EPT_VPID, 0, "ept_x_only", PROVES, "execute-only EPT pages"},
    {"ept_5level", EPT_VPID, 7, "ept_5level", HINTS, "EPT of five levels"},
    {"ept_2mb", EPT_VPID, 16, NULL, HINTS, "EPT pages of 2 MiB"},
    {"ept_1gb", EPT_VPID, 17, "ept_1gb", PROVES, "EPT pages of 1 GiB"},
    {"invept", EPT_VPID, 20, NULL, HINTS, "INVEPT"},
    {"ept_ad", EPT_VPID, 21, "ept_ad", PROVES, "accessed and dirty bits in EPT"},
    {"ept_advanced_exit_info", EPT_VPID, 22, NULL, HINTS, "more information at EPT violations"},
    {"ept_supervisor_shadow_stack", EPT_VPID, 23, NULL, HINTS, "supervisor shadow-stack control in EPT"},
    {"invvpid", EPT_VPID, 32, "invvpid", PROVES, "INVVPID"},
    {"eptp_switching", VMFUNC, 0, "eptp_switching", PROVES, "EPTP switching by VMFUNC"},
    {"vmwrite_any_field", MISC, 29, NULL, HINTS, "VMWRITE to any field of the VMCS"},
    {"processor_trace", MISC, 14, NULL, HINTS, "Processor Trace in VMX operation"},
};

/*
 * Some MSRs exist only where a bit of another announces what they describe
 * (SDM 3D, A.3.3 to A.3.5, A.10, A.11): without it their features are absent.
 */
static const struct {
    uint32_t msr, by;
    uint64_t any;
} announced[] = {
    {SECONDARY, PRIMARY, UINT64_C(1) << ALLOWED(31)},
    {TERTIARY, PRIMARY, UINT64_C(1) << ALLOWED(17)},
    {EPT_VPID, SECONDARY, UINT64_C(1) << ALLOWED(1) | UINT64_C(1) << ALLOWED(5)},
    {VMFUNC, SECONDARY, UINT64_C(1) << ALLOWED(13)},
};

/* The register itself says that the one described does not exist. */
static bool is_known_absent(const struct vt_facts *facts, uint32_t index)
{
    char reason[256];
    struct vt_msr msr;
    for (size_t i = 0; i < sizeof announced / sizeof announced[0]; i++) {
        if (announced[i].msr != index)
            continue;
        if (vt_facts_msr(facts, announced[i].by, &msr, reason, sizeof reason) != VT_READ)
            return is_known_absent(facts, announced[i].by);
        return msr.source == VT_MSR_REGISTER && !(msr.value & announced[i].any);
    }
    return false;
}

static bool ask_msr(const struct vt_facts *facts, const struct vmx_row *row, struct vt_finding *finding)
{
    struct vt_msr msr;
    if (is_known_absent(facts, row->msr)) {
        finding->answer = VT_NO;
        snprintf(finding->why, sizeof finding->why, "no other MSR announces MSR 0x%x, which would have it",
                 row->msr);
        return true;
    }
    if (vt_facts_msr(facts, row->msr, &msr, finding->why, sizeof finding->why) != VT_READ)
        return false;
    bool set = msr.value >> row->bit & 1;
    if (msr.source == VT_MSR_KVM && !set) {
        snprintf(finding->why, sizeof finding->why,
                 "KVM does not offer it to guests, which tells nothing of the processor; MSR 0x%x itself "
                 "cannot be read here",
                 row->msr);
        return false;
    }
    finding->answer = set ? VT_YES : VT_NO;
    snprintf(finding->why, sizeof finding->why, "MSR 0x%x bit %u = %d (%s)", row->msr, row->bit, set,
             msr.source == VT_MSR_REGISTER ? "/dev/cpu/0/msr" : "as KVM offers it to guests");
    return true;
}

static bool ask_flags(const struct vt_facts *facts, const struct vmx_row *row, struct vt_finding *finding)
{
    if (!row->flag || !facts->vmx_flags)
        return false;
    bool present = vt_facts_has_flag(facts->vmx_flags, row->flag);
    if (!present && row->use == HINTS)
        return false;
    finding->answer = present ? VT_YES : VT_NO;
    snprintf(finding->why, sizeof finding->why, "the \"vmx flags\" of /proc/cpuinfo %s %s",
             present ? "list" : "do not list", row->flag);
    return true;
}

/* Only the registers themselves prove both answers of every row. */
static bool reads_registers(const struct vt_facts *facts)
{
    char reason[256];
    struct vt_msr msr;
    return vt_facts_msr(facts, BASIC, &msr, reason, sizeof reason) == VT_READ &&
           msr.source == VT_MSR_REGISTER;
}

static struct vt_finding find_feature(const struct vt_facts *facts, const struct vmx_row *row)
{
    struct vt_finding finding = {.answer = VT_UNKNOWN};
    if (reads_registers(facts)) {
        if (!ask_msr(facts, row, &finding))
            ask_flags(facts, row, &finding);
    } else if (!ask_flags(facts, row, &finding)) {
        ask_msr(facts, row, &finding);
    }
    return finding;
}

/* IA32_FEATURE_CONTROL: locked without "VMX outside SMX" means off until the next reset (SDM 3C 24.7), but
 * for what a measured start of Intel TXT runs where "VMX inside SMX" is set. */
static struct vt_finding judge_register(uint64_t value)
{
    const int locked = value & 1, inside = value >> 1 & 1, outside = value >> 2 & 1;
    return vt_row_found(!locked || outside ? VT_YES
                        : inside           ? VT_UNKNOWN
                                           : VT_NO,
                        "IA32_FEATURE_CONTROL: lock bit %d, VMX outside SMX %d, inside %d", locked, outside,
                        inside);
}

/* Linux switches VMX off itself where it was built without KVM (feat_ctl.c, 5.6). */
static const struct vt_extension extension = {
    .section = "vt_x",
    .name = "VT-x",
    .flag = "vmx",
    .module = "kvm_intel",
    .setting = "Intel Virtualization Technology",
    .clears = {5, 6},
    .kernel_locks = true,
    .undumped = "; its features are in MSRs, which a dump does not contain",
    .msr = FEATURE_CONTROL,
    .judge = judge_register,
    .only_in = "SMX (Intel TXT)",
};

void vt_detect_vt_x(json_t *document, const struct vt_facts *facts)
{
    struct vt_finding support = vt_row_cpuid(facts, (struct vt_cpuid_bit){1, 0, VT_ECX, 5});
    vt_enabled_record(document, facts, &extension, &support);
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        struct vt_finding finding = support.answer == VT_YES ? find_feature(facts, &features[i]) : support;
        vt_row_record(document, "vt_x.features", features[i].name, &finding);
    }
}

const char *vt_capability_vt_x(size_t index, const char **meaning)
{
    if (index >= sizeof features / sizeof features[0])
        return NULL;
    *meaning = features[index].meaning;
    return features[index].name;
}
