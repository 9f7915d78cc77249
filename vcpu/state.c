/* What the virtual CPU is after power-up, and what its CPUID makes of it. */
#include "vcpu/vcpu.h"

#include "guest/abi.h"
#include "guest/catalogue.h"

/* DR6 and DR7 with nothing set: bits that read as 1 (Intel SDM 3B 18.2.3, 18.2.4). */
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)
#define PAT_RESET UINT64_C(0x0007040600070406)

/* Segments of a flat 64-bit kernel: what VT_SEL_CODE0 and VT_SEL_DATA0 mean in every GDT of ours. */
#define RIGHTS_CODE0 0xa09b
#define RIGHTS_DATA0 0xc093

static void reset_segments(struct vt_vcpu *vcpu)
{
    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        vcpu->segment[i] = (struct vt_segment){0};
    vcpu->segment[VT_CS] = (struct vt_segment){VT_SEL_CODE0, RIGHTS_CODE0, UINT32_MAX, 0};
    vcpu->segment[VT_SS] = (struct vt_segment){VT_SEL_DATA0, RIGHTS_DATA0, UINT32_MAX, 0};
}

static void reset_msrs(struct vt_vcpu *vcpu)
{
    for (unsigned i = 0; i < VT_MSR_SLOTS; i++)
        vcpu->msr[i] = 0;
    vcpu->msr[VT_MSR_PAT] = PAT_RESET;
    vcpu->msr[VT_MSR_MISC_ENABLE] = 1;
    /* Bootstrap processor, enabled, at its usual page. */
    vcpu->msr[VT_MSR_APIC_BASE] = VT_GUEST_XAPIC | VT_APIC_BASE_ENABLE | 0x100;
}

void vt_vcpu_reset(struct vt_vcpu *vcpu)
{
    for (unsigned i = 0; i < VT_GPRS; i++)
        vcpu->gpr[i] = 0;
    for (unsigned i = 0; i < 9; i++)
        vcpu->cr[i] = 0;
    for (unsigned i = 0; i < 8; i++)
        vcpu->dr[i] = 0;
    vcpu->rip = 0;
    vt_vcpu_set_rflags(vcpu, 0);
    vcpu->cr[0] = VT_CR0_PE | VT_CR0_MP | VT_CR0_ET | VT_CR0_NE | VT_CR0_WP | VT_CR0_AM | VT_CR0_PG;
    vcpu->cr[4] = VT_CR4_PAE & vcpu->limits.cr4;
    vcpu->dr[6] = DR6_RESET;
    vcpu->dr[7] = DR7_RESET;
    vcpu->xcr0 = 1;
    vcpu->pkru = 0;
    vcpu->efer = (VT_EFER_SCE | VT_EFER_LME | VT_EFER_LMA | VT_EFER_NXE) & vcpu->limits.efer;
    reset_segments(vcpu);
    reset_msrs(vcpu);
    vcpu->gdtr = (struct vt_table_register){0};
    vcpu->idtr = (struct vt_table_register){0};
    vcpu->tsc_offset = 0;
    vcpu->cpl = vcpu->halted = vcpu->shadow = 0;
    vcpu->fault = (struct vt_fault){0};
    vcpu->apic = (struct vt_apic){
        .id = vcpu->apic.id, .svr = 0xff, .lvt_timer = 0x10000, .lvt_lint0 = 0x10000, .lvt_lint1 = 0x10000};
    vt_vcpu_refresh(vcpu);
}

static const struct vt_cpuid_leaf *exact_leaf(const struct vt_vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
    for (uint32_t i = 0; i < vcpu->cpuid_count && i < VT_CPUID_LEAVES; i++) {
        const struct vt_cpuid_leaf *row = &vcpu->cpuid[i];

        if (row->leaf == leaf && (row->any_subleaf || row->subleaf == subleaf))
            return row;
    }
    return NULL;
}

static uint32_t highest_leaf(const struct vt_vcpu *vcpu, uint32_t range)
{
    const struct vt_cpuid_leaf *row = exact_leaf(vcpu, range, 0);

    return row ? row->value[VT_EAX] : 0;
}

const struct vt_cpuid_leaf *vt_vcpu_find_cpuid(const struct vt_vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
    uint32_t range = leaf & 0xffff0000;
    bool beyond = leaf > highest_leaf(vcpu, range);

    if (beyond && vcpu->limits.vendor != VT_VENDOR_AMD)
        return exact_leaf(vcpu, highest_leaf(vcpu, 0), subleaf);
    return beyond ? NULL : exact_leaf(vcpu, leaf, subleaf);
}

static bool has_bit(const struct vt_vcpu *vcpu, const struct vt_cpuid_bit *bit)
{
    const struct vt_cpuid_leaf *row;

    if (bit->leaf > highest_leaf(vcpu, bit->leaf & 0xffff0000))
        return false;
    row = exact_leaf(vcpu, bit->leaf, bit->subleaf);
    return row && row->value[bit->reg] >> bit->bit & 1;
}

/* A CPUID bit and what it allows. */
struct grant {
    struct vt_cpuid_bit bit;
    uint64_t mask;
};

/* CR4 bits and where they are announced (Intel SDM 3A 2.5). */
static const struct grant cr4_grants[] = {
    {{1, 0, VT_EDX, 4}, VT_CR4_TSD},      {{1, 0, VT_EDX, 2}, VT_CR4_DE},
    {{1, 0, VT_EDX, 3}, 1u << 4},                                       /* PSE */
    {{1, 0, VT_EDX, 6}, VT_CR4_PAE},      {{1, 0, VT_EDX, 7}, 1u << 6}, /* MCE */
    {{1, 0, VT_EDX, 13}, 1u << 7},                                      /* PGE */
    {{1, 0, VT_EDX, 24}, 1u << 9},                                      /* OSFXSR */
    {{1, 0, VT_EDX, 25}, 1u << 10},                                     /* OSXMMEXCPT */
    {{7, 0, VT_ECX, 2}, VT_CR4_UMIP},     {{7, 0, VT_ECX, 16}, VT_CR4_LA57},
    {{7, 0, VT_EBX, 0}, VT_CR4_FSGSBASE}, {{1, 0, VT_ECX, 17}, VT_CR4_PCIDE},
    {{1, 0, VT_ECX, 26}, VT_CR4_OSXSAVE}, {{7, 0, VT_EBX, 7}, 1u << 20}, /* SMEP */
    {{7, 0, VT_EBX, 20}, 1u << 21},                                      /* SMAP */
    {{7, 0, VT_ECX, 3}, VT_CR4_PKE},
};

static const struct grant efer_grants[] = {
    {{0x80000001, 0, VT_EDX, 11}, VT_EFER_SCE},
    {{0x80000001, 0, VT_EDX, 29}, VT_EFER_LME | VT_EFER_LMA},
    {{0x80000001, 0, VT_EDX, 20}, VT_EFER_NXE},
    {{0x80000001, 0, VT_EDX, 25}, 1u << 14}, /* FFXSR */
};

static const struct grant feature_grants[] = {
    {{0x80000001, 0, VT_EDX, 27}, VT_FEATURE_RDTSCP},
    {{7, 0, VT_ECX, 22}, VT_FEATURE_RDPID},
    {{7, 0, VT_EBX, 0}, VT_FEATURE_FSGSBASE},
    {{7, 0, VT_EBX, 10}, VT_FEATURE_INVPCID},
    {{1, 0, VT_ECX, 26}, VT_FEATURE_XSAVE},
    {{7, 0, VT_EBX, 20}, VT_FEATURE_SMAP},
    {{1, 0, VT_ECX, 21}, VT_FEATURE_X2APIC},
    {{1, 0, VT_ECX, 17}, VT_FEATURE_PCID},
    {{0x80000001, 0, VT_EDX, 11}, VT_FEATURE_SYSCALL},
    {{0x80000021, 0, VT_EAX, 6}, VT_FEATURE_NULL_BASE},
};

static uint64_t granted(const struct vt_vcpu *vcpu, const struct grant *grants, size_t count)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < count; i++)
        if (has_bit(vcpu, &grants[i].bit))
            mask |= grants[i].mask;
    return mask;
}
#define GRANTED(vcpu, grants) granted(vcpu, grants, sizeof(grants) / sizeof(grants[0]))

static uint8_t vendor_of(const struct vt_vcpu *vcpu)
{
    const struct vt_cpuid_leaf *row = exact_leaf(vcpu, 0, 0);

    if (row && row->value[VT_EBX] == 0x756e6547) /* "Genu" */
        return VT_VENDOR_INTEL;
    if (row && (row->value[VT_EBX] == 0x68747541 || row->value[VT_EBX] == 0x6f677948)) /* "Auth", "Hygo" */
        return VT_VENDOR_AMD;
    return VT_VENDOR_OTHER;
}

static uint8_t physical_bits(const struct vt_vcpu *vcpu)
{
    const struct vt_cpuid_leaf *row =
        highest_leaf(vcpu, 0x80000000) >= 0x80000008 ? exact_leaf(vcpu, 0x80000008, 0) : NULL;
    uint32_t bits = row ? row->value[VT_EAX] & 0xff : 0;

    return bits >= 32 && bits <= 52 ? bits : 36;
}

static uint8_t counters_of(const struct vt_vcpu *vcpu)
{
    const struct vt_cpuid_leaf *row = highest_leaf(vcpu, 0) >= 10 ? exact_leaf(vcpu, 10, 0) : NULL;

    if (vcpu->limits.vendor ==
        VT_VENDOR_AMD) /* four since the K7; PerfCtrExtCore makes it six (APM 2 13.2.1) */
        return has_bit(vcpu, &(struct vt_cpuid_bit){0x80000001, 0, VT_ECX, 23}) ? 6 : 4;
    return row ? row->value[VT_EAX] >> 8 & 0xff : 0;
}

static uint64_t supported_xcr0(const struct vt_vcpu *vcpu)
{
    const struct vt_cpuid_leaf *row = highest_leaf(vcpu, 0) >= 13 ? exact_leaf(vcpu, 13, 0) : NULL;

    return row ? (row->value[VT_EAX] | (uint64_t)row->value[VT_EDX] << 32) | 1 : 1;
}

void vt_vcpu_apply_cpuid(struct vt_vcpu *vcpu)
{
    vcpu->limits = (struct vt_vcpu_limits){0};
    vcpu->limits.vendor = vendor_of(vcpu);
    /* RDPMC's enable is not announced anywhere. */
    vcpu->limits.cr4 = GRANTED(vcpu, cr4_grants) | VT_CR4_PCE;
    vcpu->limits.efer = GRANTED(vcpu, efer_grants);
    vcpu->limits.xcr0 = supported_xcr0(vcpu);
    vcpu->limits.features = GRANTED(vcpu, feature_grants);
    vcpu->limits.physical_bits = physical_bits(vcpu);
    vcpu->limits.counters = counters_of(vcpu);
}

static void set_bit(struct vt_vcpu *vcpu, struct vt_cpuid_bit bit, bool value)
{
    for (uint32_t i = 0; i < vcpu->cpuid_count && i < VT_CPUID_LEAVES; i++) {
        struct vt_cpuid_leaf *row = &vcpu->cpuid[i];

        if (row->leaf == bit.leaf && (row->any_subleaf || row->subleaf == bit.subleaf))
            row->value[bit.reg] = (row->value[bit.reg] & ~(UINT32_C(1) << bit.bit)) | (uint32_t)value
                                                                                          << bit.bit;
    }
}

void vt_vcpu_refresh(struct vt_vcpu *vcpu)
{
    bool apic = vcpu->msr[VT_MSR_APIC_BASE] & VT_APIC_BASE_ENABLE;

    set_bit(vcpu, (struct vt_cpuid_bit){1, 0, VT_ECX, 27}, vcpu->cr[4] & VT_CR4_OSXSAVE);
    set_bit(vcpu, (struct vt_cpuid_bit){7, 0, VT_ECX, 4}, vcpu->cr[4] & VT_CR4_PKE);
    set_bit(vcpu, (struct vt_cpuid_bit){1, 0, VT_EDX, 9}, apic);
}

#define MSR(number, slot, is_canonical, is_read_only, bits)                                                  \
    {                                                                                                        \
        .index = number, .offset = offsetof(struct vt_vcpu, msr[slot]), .canonical = is_canonical,           \
        .read_only = is_read_only, .mask = bits                                                              \
    }
#define ANY (~UINT64_C(0))

/* Plain state (Intel SDM 4 2.1; AMD APM 2 appendix A). EFER, APIC_BASE, TSC and TSC_ADJUST have side effects.
 */
static const struct vt_msr_place places[] = {
    {.index = 0xc0000100,
     .offset = offsetof(struct vt_vcpu, segment[VT_FS].base),
     .canonical = 1,
     .mask = ANY},
    {.index = 0xc0000101,
     .offset = offsetof(struct vt_vcpu, segment[VT_GS].base),
     .canonical = 1,
     .mask = ANY},
    MSR(0xc0000102, VT_MSR_KERNEL_GS_BASE, 1, 0, ANY),
    MSR(0xc0000081, VT_MSR_STAR, 0, 0, ANY),
    MSR(0xc0000082, VT_MSR_LSTAR, 1, 0, ANY),
    MSR(0xc0000083, VT_MSR_CSTAR, 1, 0, ANY),
    MSR(0xc0000084, VT_MSR_FMASK, 0, 0, UINT32_MAX),
    MSR(0xc0000103, VT_MSR_TSC_AUX, 0, 0, UINT32_MAX),
    MSR(0x8b, VT_MSR_BIOS_SIGN_ID, 0, 0, ANY),
    MSR(0x174, VT_MSR_SYSENTER_CS, 0, 0, ANY),
    MSR(0x175, VT_MSR_SYSENTER_ESP, 1, 0, ANY),
    MSR(0x176, VT_MSR_SYSENTER_EIP, 1, 0, ANY),
    MSR(0x1a0, VT_MSR_MISC_ENABLE, 0, 0, ANY),
    MSR(0x1d9, VT_MSR_DEBUGCTL, 0, 0, 0x3),
    MSR(0x2ff, VT_MSR_MTRR_DEF_TYPE, 0, 0, 0xcff),
    MSR(0x48, VT_MSR_SPEC_CTRL, 0, 0, 0x7),
};

const struct vt_msr_place *vt_vcpu_find_msr(uint32_t index)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i].index == index)
            return &places[i];
    return NULL;
}
