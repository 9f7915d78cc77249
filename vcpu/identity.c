/* The virtual CPUID: what the processor says, less what the virtual CPU cannot do. */
#include "vcpu/identity.h"

#include "guest/catalogue.h"

#include <cpuid.h>

/* A bit that the virtual CPU shows otherwise than the processor. */
struct change {
    struct vt_cpuid_bit bit;
    bool value;
};

static const struct change changes[] = {
    {{1, 0, VT_ECX, 3}, false},          /* MONITOR */
    {{1, 0, VT_ECX, 5}, false},          /* VMX */
    {{1, 0, VT_ECX, 6}, false},          /* SMX */
    {{1, 0, VT_ECX, 15}, false},         /* PDCM */
    {{1, 0, VT_ECX, 21}, true},          /* x2APIC: the virtual one */
    {{1, 0, VT_ECX, 24}, false},         /* TSC deadline */
    {{1, 0, VT_ECX, 31}, true},          /* hypervisor */
    {{1, 0, VT_EDX, 1}, false},          /* VME */
    {{1, 0, VT_EDX, 21}, false},         /* DS */
    {{7, 0, VT_ECX, 7}, false},          /* shadow stacks */
    {{7, 0, VT_EDX, 20}, false},         /* indirect branch tracking */
    {{0x80000001, 0, VT_ECX, 2}, false}, /* SVM */
};

/* Leaves whose answer depends on ECX (Intel SDM 2A CPUID; AMD APM 3 appendix E). */
static unsigned subleaves(uint32_t leaf)
{
    switch (leaf) {
    case 4:
    case 0x8000001d:
        return 5;
    case 7:
        return 2;
    case 0xb:
        return 3;
    case 0xd:
        return 10;
    default:
        return 1;
    }
}

static void add(struct vt_vcpu *vcpu, uint32_t leaf, uint32_t subleaf, bool any)
{
    struct vt_cpuid_leaf row = {.leaf = leaf, .subleaf = subleaf, .any_subleaf = any};

    if (vcpu->cpuid_count == VT_CPUID_LEAVES)
        return;
    __cpuid_count(leaf, subleaf, row.value[VT_EAX], row.value[VT_EBX], row.value[VT_ECX], row.value[VT_EDX]);
    vcpu->cpuid[vcpu->cpuid_count++] = row;
}

static void add_range(struct vt_vcpu *vcpu, uint32_t first, uint32_t last)
{
    for (uint32_t leaf = first; leaf <= last; leaf++) {
        unsigned count = subleaves(leaf);

        for (uint32_t subleaf = 0; subleaf < count; subleaf++)
            add(vcpu, leaf, subleaf, count == 1);
    }
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void apply(struct vt_vcpu *vcpu, const struct change *change)
{
    for (uint32_t i = 0; i < vcpu->cpuid_count; i++) {
        struct vt_cpuid_leaf *row = &vcpu->cpuid[i];
        uint32_t mask = UINT32_C(1) << change->bit.bit;

        if (row->leaf == change->bit.leaf && row->subleaf == change->bit.subleaf)
            row->value[change->bit.reg] = (row->value[change->bit.reg] & ~mask) | (change->value ? mask : 0);
    }
}

static uint32_t highest(uint32_t range)
{
    uint32_t eax, ebx, ecx, edx;

    __cpuid(range, eax, ebx, ecx, edx);
    return eax;
}

void vt_vcpu_fill_cpuid(struct vt_vcpu *vcpu)
{
    uint32_t extended = highest(0x80000000);

    vcpu->cpuid_count = 0;
    add_range(vcpu, 0, smaller(highest(0), 0xd));
    vcpu->cpuid[0].value[VT_EAX] = smaller(highest(0), 0xd);
    if (extended >= 0x80000000) {
        add_range(vcpu, 0x80000000, smaller(extended, 0x80000008));
        for (uint32_t i = 0; i < vcpu->cpuid_count; i++)
            if (vcpu->cpuid[i].leaf == 0x80000000)
                vcpu->cpuid[i].value[VT_EAX] = smaller(extended, 0x80000008);
    }
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        apply(vcpu, &changes[i]);
}
