#include "probes/facts.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BASIC = 0x00000000,
    HYPERVISOR = 0x40000000,
    EXTENDED_LIMIT = 0xffff, /* the largest number of leaves a range announces in earnest */
};
static const uint32_t extended = 0x80000000, centaur = 0xc0000000;

void vt_facts_init(struct vt_facts *facts)
{
    *facts = (struct vt_facts){
        .msr_device = -1,
        .kvm_device = -1,
        .surroundings = {.smbios_vm = VT_UNKNOWN, .kvm_intel = VT_UNKNOWN, .kvm_amd = VT_UNKNOWN},
    };
}

void vt_facts_free(struct vt_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        free(facts->processors[i].leaves);
    free(facts->processors);
    free(facts->flags);
    free(facts->vmx_flags);
    vt_surroundings_free(&facts->surroundings);
    vt_facts_init(facts);
}

struct vt_processor *vt_facts_add_processor(struct vt_facts *facts, long number, uint32_t line)
{
    struct vt_processor *processor = vt_memory_append(facts->processors, facts->count);
    if (processor)
        *processor = (struct vt_processor){.number = number, .line = line};
    return processor;
}

int vt_facts_add_leaf(struct vt_processor *processor, const struct vt_leaf *leaf)
{
    struct vt_leaf *next = vt_memory_append(processor->leaves, processor->count);
    if (next)
        *next = *leaf;
    return next ? 0 : -ENOMEM;
}

static int compare(const void *left, const void *right)
{
    const struct vt_leaf *a = left, *b = right;
    if (a->leaf != b->leaf)
        return a->leaf < b->leaf ? -1 : 1;
    if (a->subleaf != b->subleaf)
        return a->subleaf < b->subleaf ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

void vt_facts_sort(struct vt_processor *processor)
{
    if (processor->count)
        qsort(processor->leaves, processor->count, sizeof *processor->leaves, compare);
}

const struct vt_leaf *vt_facts_find(const struct vt_processor *processor, uint32_t leaf, uint32_t subleaf)
{
    size_t low = 0, high = processor->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct vt_leaf *found = &processor->leaves[middle];
        if (found->leaf == leaf && found->subleaf == subleaf)
            return found;
        if (found->leaf < leaf || (found->leaf == leaf && found->subleaf < subleaf))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/*
 * VIA's first cores (Samuel, Samuel 2, Ezra: family 6 up to model 8) define only
 * EAX and EDX of their feature leaves and leave other data in the rest.
 */
static bool leaves_ecx_undefined(const struct vt_processor *processor)
{
    char vendor[13];
    unsigned family, model, stepping;
    vt_facts_vendor(processor, vendor);
    return strcmp(vendor, "CentaurHauls") == 0 && vt_facts_signature(processor, &family, &model, &stepping) &&
           (family < 6 || (family == 6 && model <= 8));
}

static bool announces_hypervisor(const struct vt_processor *processor)
{
    const struct vt_leaf *leaf = vt_facts_find(processor, 1, 0);
    return !leaf || processor->unannounced || (leaf->reg[VT_ECX] >> 31 && !leaves_ecx_undefined(processor));
}

/* Few basic leaves, all of them given, and nothing else: a Pentium III, a K5 and the like. */
static bool predates_extended_leaves(const struct vt_processor *processor)
{
    const struct vt_leaf *first = vt_facts_find(processor, 0, 0);
    const struct vt_leaf *last = processor->count ? &processor->leaves[processor->count - 1] : NULL;
    return first && last && last->leaf == first->reg[VT_EAX] && last->leaf <= 3;
}

/*
 * Is `leaf` within what the first leaf of its range announces? A range whose
 * first leaf is not given is not judged.
 */
static enum vt_reading reach(const struct vt_processor *processor, uint32_t leaf)
{
    uint32_t base = leaf >= centaur      ? centaur
                    : leaf >= extended   ? extended
                    : leaf >= HYPERVISOR ? HYPERVISOR
                                         : BASIC;
    if (base == HYPERVISOR)
        return announces_hypervisor(processor) ? VT_READ : VT_BEYOND;
    const struct vt_leaf *first = vt_facts_find(processor, base, 0);
    if (!first)
        return predates_extended_leaves(processor) ? VT_BEYOND : VT_MISSING;
    uint32_t last = first->reg[VT_EAX];
    /* A processor without the range answers with another leaf's data. */
    if (last < base || last - base > EXTENDED_LIMIT)
        return VT_BEYOND;
    return leaf <= last ? VT_READ : VT_BEYOND;
}

/* Leaf 7 says in EAX of its subleaf 0 how many more it has. */
static bool subleaf_is_beyond(const struct vt_processor *processor, uint32_t leaf, uint32_t subleaf)
{
    const struct vt_leaf *first = leaf == 7 && subleaf > 0 ? vt_facts_find(processor, 7, 0) : NULL;
    return first && subleaf > first->reg[VT_EAX];
}

enum vt_reading vt_facts_leaf(const struct vt_facts *facts, uint32_t leaf, uint32_t subleaf, uint32_t reg[4])
{
    memset(reg, 0, 4 * sizeof *reg);
    if (facts->subject >= facts->count)
        return VT_MISSING;
    const struct vt_processor *processor = &facts->processors[facts->subject];
    if (reach(processor, leaf) == VT_BEYOND || subleaf_is_beyond(processor, leaf, subleaf))
        return VT_BEYOND;
    const struct vt_leaf *found = vt_facts_find(processor, leaf, subleaf);
    if (!found)
        return VT_MISSING;
    memcpy(reg, found->reg, sizeof found->reg);
    if ((leaf == 1 || leaf == extended + 1) && leaves_ecx_undefined(processor))
        reg[VT_EBX] = reg[VT_ECX] = 0;
    return VT_READ;
}

enum vt_reading vt_facts_bit(const struct vt_facts *facts, struct vt_cpuid_bit bit, bool *set)
{
    uint32_t reg[4];
    enum vt_reading reading = vt_facts_leaf(facts, bit.leaf, bit.subleaf, reg);
    *set = reg[bit.reg] >> bit.bit & 1;
    return reading;
}

void vt_facts_vendor(const struct vt_processor *processor, char vendor[13])
{
    static const int order[] = {VT_EBX, VT_EDX, VT_ECX};
    const struct vt_leaf *leaf = vt_facts_find(processor, 0, 0);
    memset(vendor, 0, 13);
    for (int i = 0; leaf && i < 3; i++)
        memcpy(vendor + 4 * i, &leaf->reg[order[i]], 4);
}

bool vt_facts_signature(const struct vt_processor *processor, unsigned *family, unsigned *model,
                        unsigned *stepping)
{
    const struct vt_leaf *leaf = vt_facts_find(processor, 1, 0);
    if (!leaf)
        return false;
    uint32_t eax = leaf->reg[VT_EAX];
    *stepping = eax & 0xf;
    *model = eax >> 4 & 0xf;
    *family = eax >> 8 & 0xf;
    /* The extended model counts from family 6 on; before, the field is reserved. */
    if (*family >= 6)
        *model |= (eax >> 16 & 0xf) << 4;
    if (*family == 0xf)
        *family += eax >> 20 & 0xff;
    return true;
}

bool vt_facts_has_flag(const char *line, const char *flag)
{
    size_t length = strlen(flag);
    for (const char *at = line; at && (at = strstr(at, flag)); at += length)
        if ((at == line || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}
