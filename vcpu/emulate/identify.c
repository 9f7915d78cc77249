/* Identification and time. */
#include "guest/catalogue.h"
#include "vcpu/emulate/internal.h"

/*
 * Leaves of the topology have a subleaf per level, and without a second level there is none. Above the
 * highest level ECX[7:0] is still the level asked for and EDX the x2APIC ID (SDM 2A CPUID).
 */
static const struct vt_cpuid_leaf *topology(const struct vt_vcpu *vcpu, uint32_t leaf)
{
    return leaf == 0xb || leaf == 0x1f ? vt_vcpu_find_cpuid(vcpu, leaf, 1) : NULL;
}

enum vt_step vt_emulate_cpuid(struct vt_emulation *e)
{
    static const uint8_t targets[4] = {VT_RAX, VT_RBX, VT_RCX, VT_RDX};
    uint64_t *gpr = e->vcpu->gpr;
    uint32_t leaf = gpr[VT_RAX], subleaf = gpr[VT_RCX];
    const struct vt_cpuid_leaf *row = vt_vcpu_find_cpuid(e->vcpu, leaf, subleaf);
    const struct vt_cpuid_leaf *level = row ? NULL : topology(e->vcpu, leaf);

    for (unsigned i = 0; i < 4; i++)
        gpr[targets[i]] = row ? row->value[i] : 0;
    if (level) {
        gpr[VT_RCX] = subleaf & 0xff;
        gpr[VT_RDX] = level->value[VT_EDX];
    }
    return VT_STEP_DONE;
}

static uint64_t time_stamp(struct vt_emulation *e)
{
    return e->environment->clock(e->environment->context) + e->vcpu->tsc_offset;
}

enum vt_step vt_emulate_rdtsc(struct vt_emulation *e)
{
    if (e->vcpu->cpl && e->vcpu->cr[4] & VT_CR4_TSD)
        return vt_emulate_gp(e, 0);
    vt_emulate_put_pair(e->vcpu, time_stamp(e));
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_rdtscp(struct vt_emulation *e)
{
    if (!vt_vcpu_has(e->vcpu, VT_FEATURE_RDTSCP))
        return vt_emulate_ud(e);
    if (vt_emulate_rdtsc(e) != VT_STEP_DONE)
        return VT_STEP_FAULT;
    e->vcpu->gpr[VT_RCX] = e->vcpu->msr[VT_MSR_TSC_AUX] & UINT32_MAX;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_rdpmc(struct vt_emulation *e)
{
    uint32_t index = e->vcpu->gpr[VT_RCX];

    if (e->vcpu->cpl && !(e->vcpu->cr[4] & VT_CR4_PCE))
        return vt_emulate_gp(e, 0);
    if (index >= e->vcpu->limits.counters)
        return vt_emulate_gp(e, 0);
    vt_emulate_put_pair(e->vcpu, e->environment->counter(e->environment->context, index));
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_rdpid(struct vt_emulation *e)
{
    if (!vt_vcpu_has(e->vcpu, VT_FEATURE_RDPID))
        return vt_emulate_ud(e);
    e->vcpu->gpr[e->instruction->rm & 15] = e->vcpu->msr[VT_MSR_TSC_AUX] & UINT32_MAX;
    return VT_STEP_DONE;
}
