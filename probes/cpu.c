#include "probes/live.h"
#include "probes/section.h"

#include <libcpuid/libcpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *id, *name;
} vendors[] = {
    {"GenuineIntel", "Intel"},   {"AuthenticAMD", "AMD"},         {"AMDisbetter!", "AMD"},
    {"HygonGenuine", "Hygon"},   {"CentaurHauls", "VIA/Centaur"}, {"VIA VIA VIA ", "VIA"},
    {"  Shanghai  ", "Zhaoxin"}, {"GenuineTMx86", "Transmeta"},   {"TransmetaCPU", "Transmeta"},
    {"CyrixInstead", "Cyrix"},   {"Geode by NSC", "NSC"},         {"NexGenDriven", "NexGen"},
    {"RiseRiseRise", "Rise"},    {"SiS SiS SiS ", "SiS"},         {"UMC UMC UMC ", "UMC"},
    {"Vortex86 SoC", "DM&P"},    {"Genuine  RDC", "RDC"},         {"E2K MACHINE", "MCST"},
};

static void put_vendor(json_t *document, const struct vt_processor *processor)
{
    char vendor[13];
    vt_facts_vendor(processor, vendor);
    if (!*vendor) {
        vt_document_unknown(document, "cpu.vendor", "CPUID 0 is absent");
        return;
    }
    vt_document_put(document, "cpu.vendor", json_string(vendor), "CPUID 0 EBX, EDX, ECX");
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
        if (strcmp(vendors[i].id, vendor) == 0)
            vt_document_put(document, "cpu.vendor_name", json_string(vendors[i].name), NULL);
}

/* Leaves 0x80000002 to 4: 48 characters, filled up with blanks in front or behind. */
static void put_brand(json_t *document, const struct vt_facts *facts)
{
    char text[49] = "";
    enum vt_reading reading = VT_READ;
    for (uint32_t i = 0; i < 3 && reading == VT_READ; i++) {
        uint32_t reg[4];
        reading = vt_facts_leaf(facts, 0x80000002 + i, 0, reg);
        memcpy(text + (size_t)16 * i, reg, sizeof reg);
    }
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
    char *start = text + strspn(text, " ");
    for (size_t length = strlen(start); length && start[length - 1] == ' '; length--)
        start[length - 1] = '\0';
    if (reading == VT_READ && *start)
        vt_document_put(document, "cpu.brand", json_string(start), "CPUID 0x80000002 to 0x80000004");
    else
        vt_document_unknown(document, "cpu.brand",
                            reading == VT_MISSING  ? "CPUID 0x80000002 to 0x80000004 are absent"
                            : reading == VT_BEYOND ? "this processor has no brand leaves"
                                                   : "its brand leaves are empty");
}

static void put_signature(json_t *document, const struct vt_processor *processor)
{
    static const char *const names[] = {"cpu.family", "cpu.model", "cpu.stepping"};
    unsigned values[3];
    bool known = vt_facts_signature(processor, &values[0], &values[1], &values[2]);
    for (int i = 0; i < 3; i++)
        if (known)
            vt_document_put(document, names[i], json_integer(values[i]), "CPUID 1 EAX");
        else
            vt_document_unknown(document, names[i], "CPUID 1 is absent");
}

/* The arrays of libcpuid are shorter than what a processor may have; the rest does not matter for naming it.
 */
static void fill_raw(struct cpu_raw_data_t *raw, const struct vt_processor *processor)
{
    memset(raw, 0, sizeof *raw);
    for (size_t i = 0; i < processor->count; i++) {
        const struct vt_leaf *leaf = &processor->leaves[i];
        if (leaf->subleaf == 0 && leaf->leaf < MAX_CPUID_LEVEL)
            memcpy(raw->basic_cpuid[leaf->leaf], leaf->reg, sizeof leaf->reg);
        if (leaf->subleaf == 0 && leaf->leaf - 0x80000000 < MAX_EXT_CPUID_LEVEL)
            memcpy(raw->ext_cpuid[leaf->leaf - 0x80000000], leaf->reg, sizeof leaf->reg);
        if (leaf->leaf == 4 && leaf->subleaf < MAX_INTELFN4_LEVEL)
            memcpy(raw->intel_fn4[leaf->subleaf], leaf->reg, sizeof leaf->reg);
        if (leaf->leaf == 0xb && leaf->subleaf < MAX_INTELFN11_LEVEL)
            memcpy(raw->intel_fn11[leaf->subleaf], leaf->reg, sizeof leaf->reg);
    }
}

/*
 * libcpuid's names of the processor's features. Its code names are left alone: for
 * a model it does not know it gives the nearest one it does.
 */
static void put_flags(json_t *document, const struct vt_processor *processor)
{
    struct cpu_raw_data_t raw;
    struct cpu_id_t id;
    cpuid_set_warn_function(NULL); /* it would print what it does not understand of a dump */
    fill_raw(&raw, processor);
    if (!vt_facts_find(processor, 1, 0) || cpu_identify(&raw, &id) != 0) {
        vt_document_unknown(document, "cpu.flags", "libcpuid does not know this vendor");
        return;
    }
    json_t *flags = json_array();
    for (int i = 0; i < NUM_CPU_FEATURES; i++)
        if (id.flags[i])
            json_array_append_new(flags, json_string(cpu_feature_str((cpu_feature_t)i)));
    vt_document_put(document, "cpu.flags", flags, "libcpuid");
}

/* Leaf 0x1a names the kind of core on hybrid processors (SDM 2A). */
static const char *core_type(const struct vt_processor *processor)
{
    const struct vt_leaf *hybrid = vt_facts_find(processor, 7, 0), *type = vt_facts_find(processor, 0x1a, 0);
    if (!hybrid || !type || !(hybrid->reg[VT_EDX] >> 15 & 1))
        return NULL;
    switch (type->reg[VT_EAX] >> 24) {
    case 0x20:
        return "atom";
    case 0x40:
        return "core";
    default:
        return NULL;
    }
}

static json_t *find_type(json_t *types, const char *name)
{
    size_t i;
    json_t *type;
    json_array_foreach(types, i, type) if (strcmp(json_string_value(json_object_get(type, "type")), name) ==
                                           0) return type;
    return NULL;
}

/* What may differ between the core types, as the first processor of each has it. */
static json_t *describe_type(const struct vt_facts *facts, size_t index, const char *name)
{
    struct vt_facts view = *facts;
    view.subject = index;
    const struct vt_processor *processor = &facts->processors[index];
    unsigned family = 0, model = 0, stepping = 0;
    vt_facts_signature(processor, &family, &model, &stepping);
    struct vt_finding vmx = vt_row_cpuid(&view, (struct vt_cpuid_bit){1, 0, VT_ECX, 5});
    struct vt_finding umip = vt_row_cpuid(&view, (struct vt_cpuid_bit){7, 0, VT_ECX, 2});
    const struct vt_leaf *native = vt_facts_find(processor, 0x1a, 0);
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:[]}", "type", name, "family", (int)family,
                     "model", (int)model, "stepping", (int)stepping, "native_model",
                     native ? (int)(native->reg[VT_EAX] & 0xffffff) : 0, "vt_x",
                     vmx.answer == VT_UNKNOWN ? json_null() : json_boolean(vmx.answer == VT_YES), "umip",
                     umip.answer == VT_UNKNOWN ? json_null() : json_boolean(umip.answer == VT_YES), "cpus");
}

/* "0-3,8" becomes 0, 1, 2, 3, 8. */
static void append_list(json_t *cpus, const char *list)
{
    while (*list) {
        char *end;
        long first = strtol(list, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;
        for (long cpu = first; cpu <= last; cpu++)
            json_array_append_new(cpus, json_integer(cpu));
        list = *end == ',' ? end + 1 : "";
    }
}

static void put_core_types(json_t *document, const struct vt_facts *facts)
{
    json_t *types = json_array();
    for (size_t i = 0; i < facts->count; i++) {
        const struct vt_processor *processor = &facts->processors[i];
        const char *name = core_type(processor);
        json_t *type = name ? find_type(types, name) : NULL;
        if (name && !type) {
            type = describe_type(facts, i, name);
            json_array_append_new(types, type);
        }
        if (*processor->alike)
            append_list(json_object_get(type, "cpus"), processor->alike);
        else
            json_array_append_new(json_object_get(type, "cpus"), json_integer(processor->number));
    }
    vt_document_put(document, "cpu.core_types", types, NULL);
}

void vt_detect_cpu(json_t *document, const struct vt_facts *facts)
{
    const struct vt_processor *processor = &facts->processors[facts->subject];
    put_vendor(document, processor);
    put_brand(document, facts);
    put_signature(document, processor);
    put_flags(document, processor);
    put_core_types(document, facts);
}
