#include "probes/live.h"
#include "probes/section.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Leaf 0x21 is the TDX module's signature, answered inside a trust domain only (Intel TDX module
 * specification). */
static void put_tdx_guest(json_t *document, const struct vt_facts *facts)
{
    uint32_t reg[4];
    enum vt_reading reading = vt_facts_leaf(facts, 0x21, 0, reg);
    char signature[13] = "";
    memcpy(signature, &reg[VT_EBX], 4);
    memcpy(signature + 4, &reg[VT_EDX], 4);
    memcpy(signature + 8, &reg[VT_ECX], 4);
    if (reading == VT_MISSING)
        vt_document_unknown(document, "confidential.tdx_guest", "CPUID 0x21 is absent");
    else
        vt_document_put(document, "confidential.tdx_guest",
                        json_boolean(strcmp(signature, "IntelTDX    ") == 0), "CPUID 0x21 signature");
}

static void put_host(json_t *document, const struct vt_facts *facts)
{
    if (!facts->live) {
        vt_document_unknown(document, "confidential.tdx_host", "a CPUID dump does not tell");
        vt_document_unknown(document, "confidential.sev_guest", "a CPUID dump does not tell");
        return;
    }
    vt_document_put(document, "confidential.tdx_host",
                    json_boolean(vt_facts_has_flag(facts->flags, "tdx_host_platform")),
                    "flag tdx_host_platform of /proc/cpuinfo");
    vt_document_put(
        document, "confidential.sev_guest",
        json_boolean(access("/dev/sev-guest", F_OK) == 0 || access("/sys/devices/system/cpu/sev", F_OK) == 0),
        "/dev/sev-guest or /sys/devices/system/cpu/sev");
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
    put_sev_numbers(document, facts);
    put_tdx_guest(document, facts);
    put_host(document, facts);
    put_parameters(document, facts);
}
