#include "probes/hypervisor.h"
#include "probes/live.h"
#include "probes/section.h"

#include <stdio.h>
#include <string.h>

#define FIRST_BASE 0x40000000u
#define LAST_BASE  0x40010000u
#define STRIDE     0x100u

/* EBX, ECX, EDX as text; false when it is none, as in a range nobody answers for. */
static bool read_signature(const uint32_t reg[4], char signature[13])
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

static void add_features(json_t *document, const struct vt_facts *facts,
                         const struct vt_hypervisor *hypervisor, uint32_t base)
{
    json_t *features = vt_document_get(document, "hypervisor.features");
    for (size_t i = 0; i < hypervisor->features->count; i++) {
        const struct vt_hypervisor_bit *row = &hypervisor->features->bits[i];
        bool set;
        struct vt_cpuid_bit bit = {base + row->offset, 0, row->reg, row->bit};
        if (vt_facts_bit(facts, bit, &set) != VT_READ || !set)
            continue;
        char name[96];
        snprintf(name, sizeof name, "%s:%s", hypervisor->vendor, row->name);
        json_array_append_new(features, json_string(name));
    }
}

/* Hyper-V's leaves in front of others' are an interface they offer, not who they are. */
static bool is_interface_only(const char *signature)
{
    return strcmp(signature, "Microsoft Hv") == 0 || strcmp(signature, "Linux KVM Hv") == 0;
}

static void add_layer(json_t *document, const struct vt_facts *facts, uint32_t base, const uint32_t reg[4],
                      const char *signature)
{
    const struct vt_hypervisor *hypervisor = vt_hypervisor_find(signature);
    char leaf[16];
    snprintf(leaf, sizeof leaf, "0x%08x", base);
    json_array_append_new(vt_document_get(document, "hypervisor.layers"),
                          json_pack("{s:s, s:s, s:s?, s:I}", "leaf", leaf, "signature", signature, "vendor",
                                    hypervisor ? hypervisor->vendor : NULL, "max_leaf",
                                    (json_int_t)reg[VT_EAX]));
    const char *chosen = vt_document_text(document, "hypervisor.signature");
    if (!chosen || (is_interface_only(chosen) && !is_interface_only(signature))) {
        char evidence[64];
        snprintf(evidence, sizeof evidence, "CPUID 0x%x EBX, ECX, EDX", base);
        vt_document_put(document, "hypervisor.signature", json_string(signature), evidence);
        vt_document_put(document, "hypervisor.vendor",
                        hypervisor ? json_string(hypervisor->vendor) : json_string(signature), evidence);
    }
    if (hypervisor && hypervisor->features)
        add_features(document, facts, hypervisor, base);
}

static void scan(json_t *document, const struct vt_facts *facts)
{
    for (uint32_t base = FIRST_BASE; base < LAST_BASE; base += STRIDE) {
        uint32_t reg[4];
        char signature[13];
        if (vt_facts_leaf(facts, base, 0, reg) == VT_READ && read_signature(reg, signature))
            add_layer(document, facts, base, reg, signature);
    }
}

static const char *unknown_reason(const struct vt_facts *facts)
{
    uint32_t reg[4];
    if (vt_facts_leaf(facts, FIRST_BASE, 0, reg) == VT_READ)
        return "the hypervisor gives no signature in CPUID 0x40000000";
    return facts->live ? "CPUID 0x40000000 does not answer" : "CPUID 0x40000000 is absent from the dump";
}

/* What Linux found out about the outside, which can differ from CPUID (a Xen PV guest, for one). */
static void put_system_view(json_t *document)
{
    char type[64];
    int number;
    if (vt_live_line("/sys/hypervisor/type", type, sizeof type, &number))
        vt_document_put(document, "hypervisor.kernel_type", json_string(type), "/sys/hypervisor/type");
    if (vt_live_line("/proc/xen/capabilities", type, sizeof type, &number) && strstr(type, "control_d"))
        vt_document_put(document, "hypervisor.control_domain", json_true(), "/proc/xen/capabilities");
}

void vt_detect_hypervisor(json_t *document, const struct vt_facts *facts)
{
    struct vt_finding present = vt_row_cpuid(facts, (struct vt_cpuid_bit){1, 0, VT_ECX, 31});
    vt_row_record(document, "hypervisor", "present", &present);
    vt_document_put(document, "hypervisor.vendor", json_null(), NULL);
    vt_document_put(document, "hypervisor.signature", json_null(), NULL);
    vt_document_put(document, "hypervisor.layers", json_array(), NULL);
    vt_document_put(document, "hypervisor.features", json_array(), NULL);
    if (present.answer == VT_YES)
        scan(document, facts);
    if (!vt_document_text(document, "hypervisor.signature")) {
        const char *reason = present.answer == VT_NO ? "there is no hypervisor" : unknown_reason(facts);
        vt_document_unknown(document, "hypervisor.vendor", reason);
        vt_document_unknown(document, "hypervisor.signature", reason);
    }
    if (facts->live)
        put_system_view(document);
}
