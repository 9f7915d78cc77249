#include "probes/live.h"
#include "probes/capability.h"
#include "probes/enabled.h"
#include "probes/section.h"

#include <stdio.h>
#include <string.h>

#define SVM_LEAF 0x8000000a
#define SEV_LEAF 0x8000001f

/* APM volume 3, appendix E.4.9: Fn8000_000A_EDX and ECX. */
static const struct vt_cpuid_row svm_features[] = {
    {"np", {SVM_LEAF, 0, VT_EDX, 0}, "nested paging"},
    {"lbrv", {SVM_LEAF, 0, VT_EDX, 1}, "last branch record virtualization"},
    {"svm_lock", {SVM_LEAF, 0, VT_EDX, 2}, "SVM lock in VM_CR"},
    {"nrips", {SVM_LEAF, 0, VT_EDX, 3}, "next RIP saved at an exit"},
    {"tsc_scale", {SVM_LEAF, 0, VT_EDX, 4}, "TSC ratio MSR"},
    {"vmcb_clean", {SVM_LEAF, 0, VT_EDX, 5}, "VMCB clean bits"},
    {"flush_by_asid", {SVM_LEAF, 0, VT_EDX, 6}, "TLB flush by ASID"},
    {"decode_assists", {SVM_LEAF, 0, VT_EDX, 7}, "decode assists"},
    {"pmc_virt", {SVM_LEAF, 0, VT_EDX, 8}, "performance counter virtualization"},
    {"pause_filter", {SVM_LEAF, 0, VT_EDX, 10}, "PAUSE intercept filter"},
    {"pause_filter_threshold", {SVM_LEAF, 0, VT_EDX, 12}, "PAUSE filter cycle threshold"},
    {"avic", {SVM_LEAF, 0, VT_EDX, 13}, "advanced virtual interrupt controller"},
    {"v_vmsave_vmload", {SVM_LEAF, 0, VT_EDX, 15}, "VMSAVE and VMLOAD without an exit"},
    {"vgif", {SVM_LEAF, 0, VT_EDX, 16}, "virtual global interrupt flag"},
    {"gmet", {SVM_LEAF, 0, VT_EDX, 17}, "guest mode execute trap"},
    {"x2avic", {SVM_LEAF, 0, VT_EDX, 18}, "AVIC in x2APIC mode"},
    {"sss", {SVM_LEAF, 0, VT_EDX, 19}, "supervisor shadow stack check"},
    {"spec_ctrl", {SVM_LEAF, 0, VT_EDX, 20}, "SPEC_CTRL virtualization"},
    {"rogpt", {SVM_LEAF, 0, VT_EDX, 21}, "read-only guest page tables"},
    {"hmcet", {SVM_LEAF, 0, VT_EDX, 23}, "host machine check override"},
    {"tlbictl", {SVM_LEAF, 0, VT_EDX, 24}, "INVLPGB and TLBSYNC in guests"},
    {"vnmi", {SVM_LEAF, 0, VT_EDX, 25}, "virtual NMI"},
    {"ibs_virt", {SVM_LEAF, 0, VT_EDX, 26}, "instruction-based sampling in guests"},
    {"ext_lvt_avic", {SVM_LEAF, 0, VT_EDX, 27}, "extended LVT access under AVIC"},
    {"vmcb_addr_check", {SVM_LEAF, 0, VT_EDX, 28}, "guest VMCB address check"},
    {"bus_lock_threshold", {SVM_LEAF, 0, VT_EDX, 29}, "bus lock threshold"},
    {"idle_hlt", {SVM_LEAF, 0, VT_EDX, 30}, "HLT exits only without pending events"},
    {"enhanced_shutdown", {SVM_LEAF, 0, VT_EDX, 31}, "shutdown intercept keeps the guest's state"},
    {"x2avic_ext", {SVM_LEAF, 0, VT_ECX, 6}, "x2AVIC with 4096 processors"},
};

/* APM volume 3, appendix E.4.17: Fn8000_001F_EAX. */
static const struct vt_cpuid_row sev_features[] = {
    {"sme", {SEV_LEAF, 0, VT_EAX, 0}, "memory encryption"},
    {"sev", {SEV_LEAF, 0, VT_EAX, 1}, "encrypted guests"},
    {"sev_es", {SEV_LEAF, 0, VT_EAX, 3}, "encrypted guest registers"},
    {"sev_snp", {SEV_LEAF, 0, VT_EAX, 4}, "integrity-protected guest memory"},
    {"vmpl", {SEV_LEAF, 0, VT_EAX, 5}, "VM permission levels"},
    {"secure_tsc", {SEV_LEAF, 0, VT_EAX, 8}, "TSC of an SNP guest out of the hypervisor's reach"},
    {"debug_swap", {SEV_LEAF, 0, VT_EAX, 14}, "debug registers of encrypted guests swapped in full"},
    {"vte", {SEV_LEAF, 0, VT_EAX, 16}, "virtual transparent encryption"},
    {"secure_avic", {SEV_LEAF, 0, VT_EAX, 26}, "AVIC for SNP guests"},
};

/* The bit is of AMD's design; other vendors leave it reserved, early VIA processors with stray data in it. */
static bool vendor_has_svm(const struct vt_facts *facts)
{
    char vendor[13];
    vt_facts_vendor(&facts->processors[facts->subject], vendor);
    return strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0 ||
           strcmp(vendor, "AMDisbetter!") == 0;
}

static struct vt_finding find_support(const struct vt_facts *facts)
{
    struct vt_finding finding = vt_row_cpuid(facts, (struct vt_cpuid_bit){0x80000001, 0, VT_ECX, 2});
    if (finding.answer != VT_NO && !vendor_has_svm(facts)) {
        finding.answer = VT_NO;
        snprintf(finding.why, sizeof finding.why,
                 "SVM is AMD's and Hygon's; this processor is of another vendor");
    }
    return finding;
}

/* VM_CR.SVMDIS is what firmware sets to switch SVM off (APM 2, 15.30.1). */
static struct vt_finding judge_register(uint64_t value)
{
    const int disabled = value >> 4 & 1;
    return vt_row_found(disabled ? VT_NO : VT_YES, "VM_CR.SVMDIS (MSR 0xc0010114 bit 4) = %d", disabled);
}

static const struct vt_extension extension = {
    .section = "amd_v",
    .name = "AMD-V",
    .flag = "svm",
    .module = "kvm_amd",
    .setting = "SVM mode",
    .clears = {6, 7},
    .msr = 0xc0010114,
    .judge = judge_register,
};

static void put_revision(json_t *document, const struct vt_facts *facts, const struct vt_finding *support)
{
    uint32_t reg[4];
    enum vt_reading reading = vt_facts_leaf(facts, SVM_LEAF, 0, reg);
    if (support->answer == VT_YES && reading == VT_READ) {
        vt_document_put(document, "amd_v.revision", json_integer(reg[VT_EAX] & 0xff),
                        "CPUID 0x8000000a EAX[7:0]");
        vt_document_put(document, "amd_v.asids", json_integer(reg[VT_EBX]), "CPUID 0x8000000a EBX");
        return;
    }
    const char *reason =
        support->answer == VT_NO ? "there is none without SVM" : "CPUID 0x8000000a is absent";
    vt_document_unknown(document, "amd_v.revision", reason);
    vt_document_unknown(document, "amd_v.asids", reason);
}

void vt_detect_amd_v(json_t *document, const struct vt_facts *facts)
{
    struct vt_finding support = find_support(facts);
    vt_enabled_record(document, facts, &extension, &support);
    put_revision(document, facts, &support);
    vt_row_record_cpuid(document, "amd_v.features", facts, svm_features,
                        sizeof svm_features / sizeof svm_features[0], &support);
    /* Announced independently of SVM: an encrypted guest sees SEV while SVM is hidden from it. */
    if (vendor_has_svm(facts))
        support.answer = VT_YES;
    vt_row_record_cpuid(document, "amd_v.features", facts, sev_features,
                        sizeof sev_features / sizeof sev_features[0], &support);
}

const char *vt_capability_amd_v(size_t index, const char **meaning)
{
    const size_t svm = sizeof svm_features / sizeof svm_features[0];
    const size_t all = svm + sizeof sev_features / sizeof sev_features[0];
    if (index >= all)
        return NULL;
    const struct vt_cpuid_row *row = index < svm ? &svm_features[index] : &sev_features[index - svm];
    *meaning = row->meaning;
    return row->name;
}
