#include "probes/outside/hypervisor.h"
#include "probes/live.h"
#include "probes/section.h"

#include <stdio.h>
#include <string.h>

/* What Hyper-V says of an isolated partition (TLFS, leaf 0x4000000C EBX[3:0]). */
static const char *const isolations[] = {NULL, "vbs", "sev-snp", "tdx"};

struct isolation {
    const char *kind; /* NULL: none */
    bool paravisor;   /* it stands between the guest and what encrypts it, and hides that from the guest */
};

/* Module parameters: is what the processor offers in use? */
static const struct {
    const char *name, *path;
} parameters[] = {
    {"kvm_sev", "/sys/module/kvm_amd/parameters/sev"},
    {"kvm_sev_es", "/sys/module/kvm_amd/parameters/sev_es"},
    {"kvm_sev_snp", "/sys/module/kvm_amd/parameters/sev_snp"},
    {"kvm_tdx", "/sys/module/kvm_intel/parameters/tdx"},
};

static void put_parameters(json_t *document, const struct vt_facts *facts)
{
    char path[128], line[32];
    int number;
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        vt_document_path(path, "confidential", parameters[i].name);
        if (!facts->live)
            vt_document_unknown(document, path, "a CPUID dump does not tell");
        else if (vt_live_line(parameters[i].path, line, sizeof line, &number))
            vt_document_put(document, path, json_boolean(*line == 'Y' || *line == '1'), parameters[i].path);
        else
            vt_document_put(document, path, json_false(),
                            "the module is not loaded or has no such parameter");
    }
}

static struct isolation find_isolation(const struct vt_facts *facts)
{
    enum { ISOLATION = 1u << 22, PARAVISOR = 1, KIND = 0xf };
    struct isolation isolation = {0};
    const uint32_t base = vt_hypervisor_hyperv_base(facts);
    uint32_t first[4], features[4], config[4];
    if (!base || vt_facts_leaf(facts, base, 0, first) != VT_READ || first[VT_EAX] < base + 0xc ||
        vt_facts_leaf(facts, base + 3, 0, features) != VT_READ || !(features[VT_EBX] & ISOLATION) ||
        vt_facts_leaf(facts, base + 0xc, 0, config) != VT_READ)
        return isolation;
    const uint32_t kind = config[VT_EBX] & KIND;
    if (kind < sizeof isolations / sizeof isolations[0])
        isolation.kind = isolations[kind];
    isolation.paravisor = isolation.kind && config[VT_EAX] & PARAVISOR;
    return isolation;
}

static bool is_of(const struct isolation *isolation, const char *kind)
{
    return isolation->kind && strcmp(isolation->kind, kind) == 0;
}

/* "Intel" and AMD exclude one another; so does a processor on which nobody stands outside. */
static bool is_vendor(const struct vt_facts *facts, const char *one, const char *other)
{
    char vendor[13];
    vt_facts_vendor(&facts->processors[facts->subject], vendor);
    return strcmp(vendor, one) == 0 || strcmp(vendor, other) == 0;
}

/* Leaf 0x21 is the TDX module's signature, answered inside a trust domain only (Intel TDX module
 * specification). */
static struct vt_finding read_tdx_leaf(const struct vt_facts *facts)
{
    uint32_t reg[4];
    enum vt_reading reading = vt_facts_leaf(facts, 0x21, 0, reg);
    char signature[13] = "";
    memcpy(signature, &reg[VT_EBX], 4);
    memcpy(signature + 4, &reg[VT_EDX], 4);
    memcpy(signature + 8, &reg[VT_ECX], 4);
    if (reading == VT_MISSING)
        return vt_row_found(VT_UNKNOWN, "CPUID 0x21 is absent");
    return vt_row_found(strcmp(signature, "IntelTDX    ") == 0 ? VT_YES : VT_NO, "CPUID 0x21 signature");
}

static struct vt_finding find_tdx_guest(const json_t *document, const struct vt_facts *facts,
                                        const struct isolation *isolation)
{
    struct vt_finding leaf = read_tdx_leaf(facts);
    if (leaf.answer == VT_YES)
        return leaf;
    if (is_of(isolation, "tdx"))
        return vt_row_found(VT_YES, "CPUID 0x4000000c EBX[3:0] = 3%s",
                            isolation->paravisor ? ", behind a paravisor" : "");
    if (facts->live && (facts->surroundings.tdx_guest || vt_facts_has_flag(facts->flags, "tdx_guest")))
        return vt_row_found(VT_YES, "%s",
                            facts->surroundings.tdx_guest ? "/dev/tdx_guest"
                                                          : "flag tdx_guest of /proc/cpuinfo");
    if (is_vendor(facts, "AuthenticAMD", "HygonGenuine"))
        return vt_row_found(VT_NO, "TDX is Intel's");
    if (vt_document_is_false(document, "hypervisor.present"))
        return vt_row_found(VT_NO, "there is no hypervisor: %s", leaf.why);
    if (is_of(isolation, "vbs"))
        return vt_row_found(VT_NO, "CPUID 0x4000000c EBX[3:0] = 1: isolated by the hypervisor alone");
    return leaf;
}

/* SEV_STATUS tells how this guest is encrypted (APM 2, 15.34.10). */
static const char *read_sev_status(const struct vt_facts *facts)
{
    char reason[256];
    struct vt_msr status;
    if (vt_facts_msr(facts, 0xc0010131, &status, reason, sizeof reason) != VT_READ ||
        status.source != VT_MSR_REGISTER)
        return NULL;
    return status.value & 4 ? "sev-snp" : status.value & 2 ? "sev-es" : status.value & 1 ? "sev" : "none";
}

/* Evidence that needs no leaf: the kernel makes these in such guests only. */
static const char *see_snp_guest(const struct vt_facts *facts)
{
    return facts->surroundings.sev_guest  ? "/dev/sev-guest"
           : facts->surroundings.sev_vmpl ? "/sys/devices/system/cpu/sev/vmpl"
                                          : NULL;
}

/* CPUID announces SEV to guests that are not encrypted too: the register decides, and it is for the kernel.
 */
static struct vt_finding find_sev_guest(const json_t *document, const struct vt_facts *facts,
                                        const struct isolation *isolation, const char **kind)
{
    struct vt_finding announced = vt_row_cpuid(facts, (struct vt_cpuid_bit){0x8000001f, 0, VT_EAX, 1});
    const char *seen = facts->live ? see_snp_guest(facts) : NULL;
    *kind = is_of(isolation, "sev-snp") || seen ? "sev-snp" : NULL;
    if (*kind)
        return vt_row_found(VT_YES, "%s%s", seen ? seen : "CPUID 0x4000000c EBX[3:0] = 2",
                            isolation->paravisor ? ", behind a paravisor" : "");
    if (!is_vendor(facts, "AuthenticAMD", "HygonGenuine"))
        return vt_row_found(VT_NO, "SEV is AMD's and Hygon's");
    if (vt_document_is_false(document, "hypervisor.present") && facts->live)
        return vt_row_found(VT_NO, "there is no hypervisor");
    *kind = read_sev_status(facts);
    if (*kind)
        return vt_row_found(strcmp(*kind, "none") == 0 ? VT_NO : VT_YES, "SEV_STATUS (MSR 0xc0010131): %s",
                            *kind);
    if (announced.answer != VT_YES)
        return announced;
    return vt_row_found(VT_UNKNOWN,
                        "CPUID 0x8000001f announces SEV here, and whether it encrypts this guest stands in "
                        "MSR 0xc0010131 (%s)",
                        facts->live ? "for root, with the module msr" : "which a dump does not have");
}

/* What TDX cannot be without, by CPUID: total memory encryption, and VT-x to enter trust domains. */
static struct vt_finding find_tdx_host(const json_t *document, const struct vt_facts *facts)
{
    struct vt_finding tme = vt_row_cpuid(facts, (struct vt_cpuid_bit){7, 0, VT_ECX, 13}),
                      vmx = vt_row_cpuid(facts, (struct vt_cpuid_bit){1, 0, VT_ECX, 5});
    char reason[256];
    struct vt_msr keys;
    if (facts->live && vt_facts_has_flag(facts->flags, "tdx_host_platform"))
        return vt_row_found(VT_YES, "flag tdx_host_platform of /proc/cpuinfo");
    if (!is_vendor(facts, "GenuineIntel", "GenuineIntel"))
        return vt_row_found(VT_NO, "TDX is Intel's");
    if (vt_document_is_true(document, "hypervisor.control_domain"))
        return vt_row_found(VT_UNKNOWN, "the hypervisor outside shows this system a processor without it");
    if (vmx.answer == VT_NO || tme.answer == VT_NO)
        return vt_row_found(VT_NO, "TDX needs %s: %s", vmx.answer == VT_NO ? "VT-x" : "memory encryption",
                            vmx.answer == VT_NO ? vmx.why : tme.why);
    if (!facts->live)
        return vt_row_found(VT_UNKNOWN, "a CPUID dump does not tell");
    /* IA32_MKTME_KEYID_PARTITIONING: the upper half counts TDX's private keys (SDM 4). */
    if (vt_facts_msr(facts, 0x87, &keys, reason, sizeof reason) == VT_READ && keys.source == VT_MSR_REGISTER)
        return vt_row_found(keys.value >> 32 ? VT_YES : VT_NO, "MSR 0x87: %u private keys",
                            (unsigned)(keys.value >> 32));
    return vt_row_found(VT_UNKNOWN,
                        "/proc/cpuinfo does not list tdx_host_platform, which Linux before 6.8, or built "
                        "without CONFIG_INTEL_TDX_HOST, never does");
}

/* Which of them it is; "none" only when all are known not to be. */
static void put_guest(json_t *document, const struct isolation *isolation, const struct vt_finding *tdx,
                      const struct vt_finding *sev, const char *kind)
{
    const char *path = "confidential.guest";
    if (tdx->answer == VT_YES)
        vt_document_put(document, path, json_string("tdx"), tdx->why);
    else if (sev->answer == VT_YES)
        vt_document_put(document, path, json_string(kind), sev->why);
    else if (tdx->answer == VT_UNKNOWN || sev->answer == VT_UNKNOWN)
        vt_document_unknown(document, path, tdx->answer == VT_UNKNOWN ? tdx->why : sev->why);
    else if (isolation->kind)
        vt_document_put(document, path, json_string(isolation->kind), "CPUID 0x4000000c EBX[3:0]");
    else
        vt_document_put(document, path, json_string("none"), tdx->why);
}

/* EBX and ECX of Fn8000_001F (APM 3, E.4.17). */
static void put_sev_numbers(json_t *document, const struct vt_facts *facts)
{
    static const char *const names[] = {"confidential.sev_c_bit", "confidential.sev_guests"};
    uint32_t reg[4];
    enum vt_reading reading = vt_facts_leaf(facts, 0x8000001f, 0, reg);
    const bool values = reading == VT_READ && reg[VT_EAX] & 3;
    for (int i = 0; i < 2; i++)
        if (!values)
            vt_document_unknown(document, names[i],
                                reading == VT_MISSING ? "CPUID 0x8000001f is absent"
                                                      : "there is none without SME or SEV");
    if (!values)
        return;
    vt_document_put(document, names[0], json_integer(reg[VT_EBX] & 0x3f), "CPUID 0x8000001f EBX[5:0]");
    vt_document_put(document, names[1], json_integer(reg[VT_ECX]), "CPUID 0x8000001f ECX");
}

void vt_detect_confidential(json_t *document, const struct vt_facts *facts)
{
    const char *kind;
    struct isolation isolation = find_isolation(facts);
    struct vt_finding tdx = find_tdx_guest(document, facts, &isolation),
                      sev = find_sev_guest(document, facts, &isolation, &kind),
                      host = find_tdx_host(document, facts),
                      paravisor = vt_row_found(isolation.paravisor ? VT_YES : VT_NO, "%s",
                                               isolation.kind ? "CPUID 0x4000000c EAX[0]"
                                                              : "no isolated partition of Hyper-V");
    put_sev_numbers(document, facts);
    vt_row_record(document, "confidential", "tdx_guest", &tdx);
    vt_row_record(document, "confidential", "sev_guest", &sev);
    vt_row_record(document, "confidential", "tdx_host", &host);
    vt_row_record(document, "confidential", "paravisor", &paravisor);
    put_guest(document, &isolation, &tdx, &sev, kind);
    put_parameters(document, facts);
}
