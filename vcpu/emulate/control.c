/* Control and debug registers (Intel SDM 3A 2.5 and 2B MOV; AMD APM 2 3.1 and 3 MOV CRn). */
#include "vcpu/apic.h"
#include "vcpu/emulate/internal.h"

#define EXISTING     0x11d /* CR0, CR2, CR3, CR4, CR8 */
#define CR0_BITS     UINT64_C(0xe005003f)
#define CR4_GLOBAL   (UINT64_C(0xb0) | VT_CR4_PCIDE | UINT64_C(1) << 20) /* changes that flush translations */
#define CR3_NO_FLUSH (UINT64_C(1) << 63)
#define DR6_ONES     UINT64_C(0xffff0ff0)
#define DR6_BITS     UINT64_C(0xe00f)
#define DR7_ONE      UINT64_C(0x400)
#define DR7_BITS     UINT64_C(0xffff23ff)
#define DR7_GD       UINT64_C(0x2000)

static void flush_all(struct vt_emulation *e)
{
    e->environment->flush(e->environment->context, ~UINT64_C(0));
}

enum vt_step vt_emulate_mov_from_cr(struct vt_emulation *e)
{
    unsigned number = e->instruction->reg;

    if (number > 8 || !(EXISTING >> number & 1))
        return vt_emulate_ud(e);
    if (e->vcpu->cpl)
        return vt_emulate_gp(e, 0);
    e->vcpu->gpr[e->instruction->rm & 15] = e->vcpu->cr[number];
    return VT_STEP_DONE;
}

static enum vt_step write_cr0(struct vt_emulation *e, uint64_t value)
{
    /* In 64-bit mode neither paging nor, with it, protection can be switched off. */
    if (value >> 32 || !(value & VT_CR0_PG) || !(value & VT_CR0_PE))
        return vt_emulate_gp(e, 0);
    if (value & VT_CR0_NW && !(value & VT_CR0_CD))
        return vt_emulate_gp(e, 0);
    e->vcpu->cr[0] = (value & CR0_BITS) | VT_CR0_ET;
    return VT_STEP_DONE;
}

static enum vt_step write_cr3(struct vt_emulation *e, uint64_t value)
{
    struct vt_vcpu *vcpu = e->vcpu;
    bool keep = vcpu->cr[4] & VT_CR4_PCIDE && value & CR3_NO_FLUSH;

    if (keep)
        value &= ~CR3_NO_FLUSH;
    if (value >> vcpu->limits.physical_bits)
        return vt_emulate_gp(e, 0);
    vcpu->cr[3] = value;
    if (!keep)
        flush_all(e);
    return VT_STEP_DONE;
}

static enum vt_step write_cr4(struct vt_emulation *e, uint64_t value)
{
    struct vt_vcpu *vcpu = e->vcpu;
    uint64_t changed = value ^ vcpu->cr[4];

    if (value & ~vcpu->limits.cr4 || !(value & VT_CR4_PAE) || changed & VT_CR4_LA57)
        return vt_emulate_gp(e, 0);
    if (changed & value & VT_CR4_PCIDE && vcpu->cr[3] & 0xfff)
        return vt_emulate_gp(e, 0);
    vcpu->cr[4] = value;
    if (changed & CR4_GLOBAL)
        flush_all(e);
    vt_vcpu_refresh(vcpu);
    return VT_STEP_DONE;
}

static enum vt_step write_cr8(struct vt_emulation *e, uint64_t value)
{
    if (value > 15)
        return vt_emulate_gp(e, 0);
    e->vcpu->cr[8] = value;
    e->vcpu->apic.tpr_subclass = 0;
    vt_vcpu_update_pending(e->vcpu);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_mov_to_cr(struct vt_emulation *e)
{
    unsigned number = e->instruction->reg;
    uint64_t value = e->vcpu->gpr[e->instruction->rm & 15];

    if (number > 8 || !(EXISTING >> number & 1))
        return vt_emulate_ud(e);
    if (e->vcpu->cpl)
        return vt_emulate_gp(e, 0);
    switch (number) {
    case 0:
        return write_cr0(e, value);
    case 2:
        e->vcpu->cr[2] = value;
        return VT_STEP_DONE;
    case 3:
        return write_cr3(e, value);
    case 4:
        return write_cr4(e, value);
    default:
        return write_cr8(e, value);
    }
}

/* The register a MOV DR means: 4 and 5 are 6 and 7 unless CR4.DE (Intel SDM 3B 18.2.2). False: a fault was
 * raised. */
static bool debug_register(struct vt_emulation *e, unsigned *number)
{
    struct vt_vcpu *vcpu = e->vcpu;

    *number = e->instruction->reg;
    if (*number > 7 || ((*number == 4 || *number == 5) && vcpu->cr[4] & VT_CR4_DE)) {
        vt_vcpu_raise(vcpu, VT_EXCEPTION_UD);
        return false;
    }
    if (vcpu->cpl) {
        vt_vcpu_raise_error(vcpu, VT_EXCEPTION_GP, 0);
        return false;
    }
    if (vcpu->dr[7] & DR7_GD) {
        vcpu->dr[6] |= UINT64_C(1) << 13;
        vcpu->dr[7] &= ~DR7_GD;
        vt_vcpu_raise(vcpu, VT_EXCEPTION_DB);
        return false;
    }
    if (*number == 4 || *number == 5)
        *number += 2;
    return true;
}

enum vt_step vt_emulate_mov_from_dr(struct vt_emulation *e)
{
    unsigned number;

    if (!debug_register(e, &number))
        return VT_STEP_FAULT;
    e->vcpu->gpr[e->instruction->rm & 15] = e->vcpu->dr[number];
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_mov_to_dr(struct vt_emulation *e)
{
    uint64_t value = e->vcpu->gpr[e->instruction->rm & 15];
    unsigned number;

    if (!debug_register(e, &number))
        return VT_STEP_FAULT;
    if (number >= 6 && value >> 32)
        return vt_emulate_gp(e, 0);
    if (number == 6)
        value = (value & DR6_BITS) | DR6_ONES;
    if (number == 7)
        value = (value & DR7_BITS) | DR7_ONE;
    e->vcpu->dr[number] = value;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_clts(struct vt_emulation *e)
{
    e->vcpu->cr[0] &= ~VT_CR0_TS;
    return VT_STEP_DONE;
}

/* PE can be set this way, never cleared (Intel SDM 2A LMSW). */
enum vt_step vt_emulate_lmsw(struct vt_emulation *e)
{
    uint64_t value;

    if (!vt_emulate_read_operand(e, 2, &value))
        return VT_STEP_FAULT;
    e->vcpu->cr[0] = (e->vcpu->cr[0] & ~UINT64_C(0xe)) | (value & 0xf);
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_smsw(struct vt_emulation *e)
{
    if (e->vcpu->cpl && e->vcpu->cr[4] & VT_CR4_UMIP)
        return vt_emulate_gp(e, 0);
    return vt_emulate_write_operand(e, e->instruction->size, e->vcpu->cr[0]) ? VT_STEP_DONE : VT_STEP_FAULT;
}
