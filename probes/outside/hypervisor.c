#include "probes/outside/hypervisor.h"
#include "probes/section.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much a signature says of who is outside. */
enum weight { NOTHING, UNKNOWN_NAME, LENT_NAME, OWN_NAME };

/* The signature that says most. */
struct naming {
    enum weight weight;
    char signature[13];
    uint32_t base;
    const struct vt_hypervisor *known;
    bool xen, kvm; /* one of them is Xen's, KVM's */
};

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

/*
 * A name of its own behind an interface is the one outside, and of several the last:
 * each puts what it lends in front, where guests look.
 */
static void weigh(struct naming *naming, const char *signature, uint32_t base)
{
    const struct vt_hypervisor *known = vt_hypervisor_find(signature);
    naming->xen |= known && strcmp(known->vendor, "Xen") == 0;
    naming->kvm |= known && strcmp(known->vendor, "KVM") == 0;
    enum weight weight = !known ? UNKNOWN_NAME : known == vt_hypervisor_interface() ? LENT_NAME : OWN_NAME;
    if (weight < naming->weight || (weight == naming->weight && weight != OWN_NAME))
        return;
    const bool xen = naming->xen, kvm = naming->kvm;
    *naming = (struct naming){.xen = xen, .kvm = kvm, .weight = weight, .base = base, .known = known};
    snprintf(naming->signature, sizeof naming->signature, "%s", signature);
}

static void add_layer(json_t *document, const struct vt_facts *facts, uint32_t base, const uint32_t reg[4],
                      const char *signature)
{
    const struct vt_hypervisor *hypervisor = vt_hypervisor_find(signature);
    const bool hyperv = vt_hypervisor_speaks_hyperv(facts, base);
    char leaf[16];
    snprintf(leaf, sizeof leaf, "0x%08x", base);
    json_array_append_new(vt_document_get(document, "hypervisor.layers"),
                          json_pack("{s:s, s:s, s:s?, s:s?, s:I}", "leaf", leaf, "signature", signature,
                                    "vendor", hypervisor ? hypervisor->vendor : NULL, "interface",
                                    hyperv ? "Hv#1" : NULL, "max_leaf", (json_int_t)reg[VT_EAX]));
    if (hyperv && (!hypervisor || !hypervisor->features))
        hypervisor = vt_hypervisor_interface();
    if (hypervisor && hypervisor->features)
        add_features(document, facts, hypervisor, base);
}

static struct naming scan(json_t *document, const struct vt_facts *facts)
{
    struct naming naming = {0};
    for (uint32_t base = VT_HYPERVISOR_FIRST; base < VT_HYPERVISOR_END; base += VT_HYPERVISOR_STRIDE) {
        uint32_t reg[4];
        char signature[13];
        if (vt_facts_leaf(facts, base, 0, reg) != VT_READ || !vt_hypervisor_signature(reg, signature))
            continue;
        add_layer(document, facts, base, reg, signature);
        weigh(&naming, signature, base);
    }
    return naming;
}

/* Partitions that create others and manage processors are Hyper-V's own (TLFS 2.4.3); an isolated one is a
 * guest. */
static enum vt_answer is_root(const struct vt_facts *facts, uint32_t base)
{
    enum { CREATE_PARTITIONS = 1u << 0, CPU_MANAGEMENT = 1u << 12, ISOLATION = 1u << 22 };
    uint32_t reg[4];
    const uint32_t asked = CREATE_PARTITIONS | CPU_MANAGEMENT | ISOLATION;
    if (!base || vt_facts_leaf(facts, base + 3, 0, reg) == VT_MISSING)
        return VT_UNKNOWN;
    return (reg[VT_EBX] & asked) == (CREATE_PARTITIONS | CPU_MANAGEMENT) ? VT_YES : VT_NO;
}

static bool is_xen(const struct vt_surroundings *around)
{
    return around->xen || (around->hypervisor_type && strcmp(around->hypervisor_type, "xen") == 0);
}

/*
 * A guest without a ring 0 gets CPUID as the processor, or whoever is further outside,
 * answers it; every other guest of Xen finds Xen there.
 */
static bool is_below_xen(const struct vt_facts *facts, const struct naming *naming)
{
    return is_xen(&facts->surroundings) && !naming->xen;
}

/* The kernel takes KVM's clock only where it was told of KVM; so is a guest of PVM's, and its programs are
 * not. */
static bool is_below_pvm(const struct vt_facts *facts, const struct naming *naming)
{
    return vt_surroundings_has_kvm_clock(&facts->surroundings) && !naming->kvm;
}

/* Who it is, and by what; NULL: not to be told. */
static const char *name_vendor(const struct vt_facts *facts, const struct naming *naming, char evidence[128])
{
    const char *field = NULL;
    const struct vt_dmi_machine *dmi = vt_hypervisor_by_dmi(&facts->surroundings, &field);
    const bool own = naming->weight == OWN_NAME;
    if (is_below_xen(facts, naming)) {
        snprintf(evidence, 128, "%s",
                 facts->surroundings.hypervisor_type ? "/sys/hypervisor/type" : "/proc/xen");
        return "Xen";
    }
    if (is_below_pvm(facts, naming)) {
        snprintf(evidence, 128, "the kernel's clock source kvm-clock, though CPUID is not KVM's at ring 3");
        return "KVM";
    }
    snprintf(evidence, 128, "CPUID 0x%x EBX, ECX, EDX", naming->base);
    if (own && !(dmi && dmi->speaks_kvm && strcmp(naming->known->vendor, "KVM") == 0))
        return naming->known->vendor;
    if (naming->weight == LENT_NAME && is_root(facts, naming->base) == VT_YES)
        return naming->known->vendor;
    if (dmi && dmi->vendor) {
        snprintf(evidence, 128, "DMI: %.64s%s", field,
                 naming->weight ? "; CPUID has what it lends to guests" : "");
        return dmi->vendor;
    }
    if (naming->weight >= LENT_NAME)
        return naming->known->vendor;
    return naming->weight && !vt_hypervisor_speaks_hyperv(facts, naming->base) ? naming->signature : NULL;
}

static const char *why_unnamed(const struct vt_facts *facts, const struct vt_finding *present,
                               const struct naming *naming)
{
    uint32_t reg[4];
    if (present->answer == VT_NO)
        return "there is no hypervisor";
    if (present->answer == VT_UNKNOWN)
        return "it is not known whether there is a hypervisor";
    if (naming->weight)
        return "its signature is nobody's known, and the interface is one that several offer (Hv#1)";
    if (vt_facts_leaf(facts, VT_HYPERVISOR_FIRST, 0, reg) == VT_READ)
        return "the hypervisor gives no signature in CPUID 0x40000000";
    return facts->live ? "CPUID 0x40000000 does not answer" : "CPUID 0x40000000 is absent from the dump";
}

static void put_names(json_t *document, const struct vt_facts *facts, const struct vt_finding *present,
                      const struct naming *naming)
{
    char evidence[128];
    const char *vendor = present->answer == VT_YES ? name_vendor(facts, naming, evidence) : NULL;
    if (vendor)
        vt_document_put(document, "hypervisor.vendor", json_string(vendor), evidence);
    else
        vt_document_unknown(document, "hypervisor.vendor", why_unnamed(facts, present, naming));
    snprintf(evidence, sizeof evidence, "CPUID 0x%x EBX, ECX, EDX", naming->base);
    if (is_below_xen(facts, naming) || is_below_pvm(facts, naming))
        vt_document_unknown(
            document, "hypervisor.signature",
            "CPUID is not this hypervisor's in a paravirtual guest, but of what is further outside");
    else if (naming->weight)
        vt_document_put(document, "hypervisor.signature", json_string(naming->signature), evidence);
    else
        vt_document_unknown(document, "hypervisor.signature", why_unnamed(facts, present, naming));
}

/* XENFEAT_dom0 is bit 11 (Xen public/features.h); xenfs tells it too, where it is mounted. */
static struct vt_finding find_dom0(const struct vt_facts *facts)
{
    const struct vt_surroundings *around = &facts->surroundings;
    if (around->xen_capabilities && strstr(around->xen_capabilities, "control_d"))
        return vt_row_found(VT_YES, "/proc/xen/capabilities");
    if (around->xen_features)
        return vt_row_found(strtoul(around->xen_features, NULL, 16) >> 11 & 1 ? VT_YES : VT_NO,
                            "bit 11 of /sys/hypervisor/properties/features");
    if (around->xen_capabilities)
        return vt_row_found(VT_NO, "/proc/xen/capabilities");
    return vt_row_found(VT_UNKNOWN, "%s",
                        facts->live
                            ? "neither /proc/xen/capabilities nor /sys/hypervisor tells dom0 from others"
                            : "a CPUID dump does not tell dom0 from others");
}

/* Is this the system from which the hypervisor is run? */
static struct vt_finding find_control(const struct vt_facts *facts, const char *vendor,
                                      const struct naming *naming)
{
    bool set;
    if (!vendor)
        return vt_row_found(VT_UNKNOWN, "the hypervisor is not known");
    if (strcmp(vendor, "Hyper-V") == 0)
        return vt_row_found(is_root(facts, naming->base),
                            "CPUID 0x40000003 EBX: create_partitions, cpu_management, no isolation");
    if (strcmp(vendor, "Xen") == 0)
        return find_dom0(facts);
    if (strcmp(vendor, "ACRN") == 0)
        return vt_row_found(
            vt_facts_bit(facts, (struct vt_cpuid_bit){naming->base + 1, 0, VT_EAX, 0}, &set) == VT_READ && set
                ? VT_YES
                : VT_NO,
            "CPUID 0x40000001 EAX[0], a privileged machine");
    if (strcmp(vendor, "Jailhouse") == 0)
        return facts->live
                   ? vt_row_found(facts->surroundings.jailhouse ? VT_YES : VT_NO, "/sys/devices/jailhouse")
                   : vt_row_found(VT_UNKNOWN, "a CPUID dump does not tell the root cell from others");
    return vt_row_found(VT_NO, "%.64s has no such system", vendor);
}

static void put_guest_type(json_t *document, const struct vt_facts *facts, const struct naming *naming)
{
    const char *type = facts->surroundings.guest_type;
    if (type)
        vt_document_put(document, "hypervisor.guest_type", json_string(type), "/sys/hypervisor/guest_type");
    else if (is_below_xen(facts, naming))
        vt_document_put(document, "hypervisor.guest_type", json_string("PV"), "CPUID has no leaves of Xen");
    else if (is_below_pvm(facts, naming))
        vt_document_put(document, "hypervisor.guest_type", json_string("PV"), "CPUID has no leaves of KVM");
}

/* The product or the cloud a machine is of has a way of its own to give it the extension. */
static const char *provider_of(const struct vt_surroundings *around, const char *vendor, const char **why)
{
    static const char azure[] = "7783-7084-3265-9085-8269-3286-77";
    const char *product = around->dmi[VT_DMI_PRODUCT], *maker = around->dmi[VT_DMI_VENDOR];
    const bool hyperv = vendor && strcmp(vendor, "Hyper-V") == 0;
    if (hyperv && around->release && strstr(around->release, "microsoft-standard")) {
        *why = "the kernel's release";
        return "WSL 2";
    }
    *why = "DMI";
    if (hyperv && around->asset_tag && strcmp(around->asset_tag, azure) == 0)
        return "Azure";
    if (product && strcmp(product, "Google Compute Engine") == 0)
        return "Google Compute Engine";
    return maker && strcmp(maker, "Amazon EC2") == 0 ? "Amazon EC2" : NULL;
}

static void put_provider(json_t *document, const struct vt_facts *facts)
{
    const char *why,
        *provider = provider_of(&facts->surroundings, vt_document_text(document, "hypervisor.vendor"), &why);
    if (provider)
        vt_document_put(document, "hypervisor.provider", json_string(provider), why);
}

static void put_control(json_t *document, const struct vt_facts *facts, const struct vt_finding *present,
                        const struct naming *naming)
{
    struct vt_finding control = *present;
    if (present->answer == VT_YES)
        control = find_control(facts, vt_document_text(document, "hypervisor.vendor"), naming);
    vt_row_record(document, "hypervisor", "control_domain", &control);
    put_guest_type(document, facts, naming);
    if (present->answer == VT_YES && !vt_document_is_true(document, "hypervisor.control_domain"))
        put_provider(document, facts);
    if (facts->surroundings.hypervisor_type)
        vt_document_put(document, "hypervisor.kernel_type", json_string(facts->surroundings.hypervisor_type),
                        "/sys/hypervisor/type");
}

/* A silent CPUID proves nothing: only the live machine has others to ask. */
static void put_bare_metal(json_t *document, const struct vt_facts *facts, const struct vt_finding *present)
{
    struct vt_finding bare = *present;
    if (present->answer != VT_UNKNOWN)
        bare.answer = present->answer == VT_YES ? VT_NO : VT_YES;
    if (present->answer == VT_NO && !facts->live)
        bare = vt_row_found(VT_UNKNOWN,
                            "%s, and a hypervisor that does not announce itself leaves a dump no other trace",
                            present->why);
    vt_row_record(document, "hypervisor", "bare_metal", &bare);
}

/* A VMCS in memory that both read and write, for a guest that is a hypervisor: the highest version; 0: none.
 */
static void put_enlightened_vmcs(json_t *document, const struct vt_facts *facts)
{
    uint32_t base = vt_hypervisor_hyperv_base(facts), leaf = base + VT_HYPERV_NESTING, reg[4];
    char evidence[64];

    if (!base || vt_facts_leaf(facts, base, 0, reg) != VT_READ || reg[VT_EAX] < leaf ||
        vt_facts_leaf(facts, leaf, 0, reg) != VT_READ)
        return;
    snprintf(evidence, sizeof evidence, "CPUID 0x%x EAX[15:8]", leaf);
    vt_document_put(document, "hypervisor.enlightened_vmcs", json_integer(reg[VT_EAX] >> 8 & 0xff), evidence);
}

void vt_detect_hypervisor(json_t *document, const struct vt_facts *facts)
{
    struct vt_finding present = vt_presence_find(facts);
    struct naming naming = {0};
    vt_row_record(document, "hypervisor", "present", &present);
    vt_document_put(document, "hypervisor.vendor", json_null(), NULL);
    vt_document_put(document, "hypervisor.signature", json_null(), NULL);
    vt_document_put(document, "hypervisor.layers", json_array(), NULL);
    vt_document_put(document, "hypervisor.features", json_array(), NULL);
    if (present.answer == VT_YES)
        naming = scan(document, facts);
    put_names(document, facts, &present, &naming);
    put_control(document, facts, &present, &naming);
    if (present.answer == VT_YES)
        put_enlightened_vmcs(document, facts);
    put_bare_metal(document, facts, &present);
}
