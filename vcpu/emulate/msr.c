/* Model-specific registers and extended control registers (Intel SDM 4; AMD APM 2 appendix A). */
#include "vcpu/apic.h"
#include "vcpu/emulate/internal.h"

#define MSR_TSC        0x10
#define MSR_APIC_BASE  0x1b
#define MSR_TSC_ADJUST 0x3b
#define MSR_PRED_CMD   0x49
#define MSR_PAT        0x277
#define MSR_XSS        0xda0
#define MSR_EFER       0xc0000080
#define MSR_X2APIC     0x800
#define X2APIC_SPAN    0x100

static bool read_special(struct vt_emulation *e, uint32_t index, uint64_t *value)
{
    const struct vt_vcpu *vcpu = e->vcpu;

    switch (index) {
    case MSR_TSC:
        *value = e->environment->clock(e->environment->context) + vcpu->tsc_offset;
        return true;
    case MSR_APIC_BASE:
        *value = vcpu->msr[VT_MSR_APIC_BASE];
        return true;
    case MSR_TSC_ADJUST:
        *value = vcpu->msr[VT_MSR_TSC_ADJUST];
        return true;
    case MSR_PAT:
        *value = vcpu->msr[VT_MSR_PAT];
        return true;
    case MSR_XSS:
        *value = vcpu->msr[VT_MSR_XSS];
        return true;
    case MSR_EFER:
        *value = vcpu->efer;
        return true;
    default:
        return e->environment->msr_read(e->environment->context, index, value) == VT_ACCESS_DONE;
    }
}

enum vt_step vt_emulate_rdmsr(struct vt_emulation *e)
{
    uint32_t index = e->vcpu->gpr[VT_RCX];
    const struct vt_msr_place *place = vt_vcpu_find_msr(index);
    uint64_t value;
    bool known;

    if (place) {
        __builtin_memcpy(&value, (const uint8_t *)e->vcpu + place->offset, 8);
        known = true;
    } else if (index - MSR_X2APIC < X2APIC_SPAN) {
        known = vt_vcpu_apic_read_msr(e->vcpu, index, &value);
    } else {
        known = read_special(e, index, &value);
    }
    if (!known)
        return vt_emulate_gp(e, 0);
    vt_emulate_put_pair(e->vcpu, value);
    return VT_STEP_DONE;
}

/* LMA follows LME and CR0.PG; LME cannot change while paging is on (Intel SDM 3A 10.8.5). */
static bool write_efer(struct vt_vcpu *vcpu, uint64_t value)
{
    if (value & ~vcpu->limits.efer || (value ^ vcpu->efer) & VT_EFER_LME)
        return false;
    vcpu->efer = (value & ~VT_EFER_LMA) | (vcpu->efer & VT_EFER_LMA);
    return true;
}

/* Eight memory types of 0, 1, 4, 5, 6 or 7 (Intel SDM 3A 12.12.2). */
static bool write_pat(struct vt_vcpu *vcpu, uint64_t value)
{
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned type = value >> i & 0xff;

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    vcpu->msr[VT_MSR_PAT] = value;
    return true;
}

/* From x2APIC mode the way back leads through "disabled" (Intel SDM 3A 11.12.5). */
static bool write_apic_base(struct vt_vcpu *vcpu, uint64_t value)
{
    const uint64_t mode = VT_APIC_BASE_ENABLE | VT_APIC_BASE_X2APIC;
    uint64_t before = vcpu->msr[VT_MSR_APIC_BASE];
    uint64_t valid = (((UINT64_C(1) << vcpu->limits.physical_bits) - 1) & ~UINT64_C(0xfff)) | 0x100 |
                     VT_APIC_BASE_ENABLE | (vt_vcpu_has(vcpu, VT_FEATURE_X2APIC) ? VT_APIC_BASE_X2APIC : 0);

    if (value & ~valid || (value & mode) == VT_APIC_BASE_X2APIC)
        return false;
    if ((before & mode) == mode && (value & mode) == VT_APIC_BASE_ENABLE)
        return false;
    if (!(before & VT_APIC_BASE_ENABLE) && (value & mode) == mode)
        return false;
    vcpu->msr[VT_MSR_APIC_BASE] = value;
    vt_vcpu_refresh(vcpu);
    return true;
}

static bool write_special(struct vt_emulation *e, uint32_t index, uint64_t value)
{
    struct vt_vcpu *vcpu = e->vcpu;

    switch (index) {
    case MSR_TSC: /* TSC_ADJUST moves with it (Intel SDM 3B 18.17.3) */
        value -= e->environment->clock(e->environment->context);
        vcpu->msr[VT_MSR_TSC_ADJUST] += value - vcpu->tsc_offset;
        vcpu->tsc_offset = value;
        return true;
    case MSR_APIC_BASE:
        return write_apic_base(vcpu, value);
    case MSR_TSC_ADJUST:
        vcpu->tsc_offset += value - vcpu->msr[VT_MSR_TSC_ADJUST];
        vcpu->msr[VT_MSR_TSC_ADJUST] = value;
        return true;
    case MSR_PRED_CMD: /* a barrier leaves nothing to be read (Intel SDM 4 2.1) */
        return value <= 1;
    case MSR_PAT:
        return write_pat(vcpu, value);
    case MSR_XSS: /* no supervisor state component is offered */
        return value == 0;
    case MSR_EFER:
        return write_efer(vcpu, value);
    default:
        return e->environment->msr_write(e->environment->context, index, value) == VT_ACCESS_DONE;
    }
}

static bool write_place(struct vt_vcpu *vcpu, const struct vt_msr_place *place, uint64_t value)
{
    if (place->read_only || value & ~place->mask || (place->canonical && !vt_vcpu_is_loadable(vcpu, value)))
        return false;
    __builtin_memcpy((uint8_t *)vcpu + place->offset, &value, 8);
    return true;
}

enum vt_step vt_emulate_wrmsr(struct vt_emulation *e)
{
    uint32_t index = e->vcpu->gpr[VT_RCX];
    uint64_t value = vt_emulate_get_pair(e->vcpu);
    const struct vt_msr_place *place = vt_vcpu_find_msr(index);
    bool accepted;

    if (place)
        accepted = write_place(e->vcpu, place, value);
    else if (index - MSR_X2APIC < X2APIC_SPAN)
        accepted = vt_vcpu_apic_write_msr(e->vcpu, index, value);
    else
        accepted = write_special(e, index, value);
    return accepted ? VT_STEP_DONE : vt_emulate_gp(e, 0);
}

static bool has_xcr(const struct vt_vcpu *vcpu)
{
    return vt_vcpu_has(vcpu, VT_FEATURE_XSAVE) && vcpu->cr[4] & VT_CR4_OSXSAVE;
}

/* ECX 1 reads XINUSE: no component is known to be in its initial state. */
enum vt_step vt_emulate_xgetbv(struct vt_emulation *e)
{
    if (!has_xcr(e->vcpu))
        return vt_emulate_ud(e);
    if ((uint32_t)e->vcpu->gpr[VT_RCX] > 1)
        return vt_emulate_gp(e, 0);
    vt_emulate_put_pair(e->vcpu, e->vcpu->xcr0);
    return VT_STEP_DONE;
}

/* All or none of `mask`. */
static bool is_uniform(uint64_t value, uint64_t mask)
{
    return (value & mask) == 0 || (value & mask) == mask;
}

/* Intel SDM 1 13.3: which components need which others. */
static bool is_valid_xcr0(const struct vt_vcpu *vcpu, uint64_t value)
{
    const uint64_t avx512 = 0xe0, bounds = 0x18, tiles = 0x60000;

    if (!(value & 1) || value & ~vcpu->limits.xcr0 || (value & 4 && !(value & 2)))
        return false;
    if (!is_uniform(value, avx512) || !is_uniform(value, bounds) || !is_uniform(value, tiles))
        return false;
    return !(value & avx512) || value & 4;
}

enum vt_step vt_emulate_xsetbv(struct vt_emulation *e)
{
    uint64_t value = vt_emulate_get_pair(e->vcpu);

    if (!has_xcr(e->vcpu))
        return vt_emulate_ud(e);
    if (e->vcpu->cpl || (uint32_t)e->vcpu->gpr[VT_RCX] != 0 || !is_valid_xcr0(e->vcpu, value))
        return vt_emulate_gp(e, 0);
    if (value != e->vcpu->xcr0) {
        e->vcpu->xcr0 = value;
        vt_vcpu_refresh(e->vcpu);
    }
    return VT_STEP_DONE;
}

/*
 * The register alone: what keys forbid is for whoever walks page tables, and that is not the virtual CPU
 * (Intel SDM 3A 4.6.2).
 */
enum vt_step vt_emulate_rdpkru(struct vt_emulation *e)
{
    if (!(e->vcpu->cr[4] & VT_CR4_PKE))
        return vt_emulate_ud(e);
    if ((uint32_t)e->vcpu->gpr[VT_RCX])
        return vt_emulate_gp(e, 0);
    vt_emulate_put_pair(e->vcpu, e->vcpu->pkru);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_wrpkru(struct vt_emulation *e)
{
    if (!(e->vcpu->cr[4] & VT_CR4_PKE))
        return vt_emulate_ud(e);
    if ((uint32_t)e->vcpu->gpr[VT_RCX] || (uint32_t)e->vcpu->gpr[VT_RDX])
        return vt_emulate_gp(e, 0);
    e->vcpu->pkru = (uint32_t)e->vcpu->gpr[VT_RAX];
    return VT_STEP_DONE;
}
