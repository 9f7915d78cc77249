/* Ports (Intel SDM 1 chapter 19; AMD APM 3 IN, OUT, INS, OUTS). */
#include "vcpu/emulate/string.h"

#define IO_MAP_BASE 102 /* offset in the TSS of the offset of the permission map */

/* The CPU always reads two bytes of the map (Intel SDM 1 19.5.2). */
static bool allows_port(struct vt_emulation *e, uint16_t port, unsigned size)
{
    const struct vt_vcpu *vcpu = e->vcpu;
    const struct vt_segment *tss = &vcpu->segment[VT_TR];
    uint16_t map, bits;

    if (vcpu->cpl <= (vcpu->system_flags & VT_FLAG_IOPL) >> 12)
        return true;
    if (!tss->rights || tss->limit < IO_MAP_BASE + 1)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    if (!vt_emulate_load_system(e, tss->base + IO_MAP_BASE, &map, 2))
        return false;
    if (map + (uint32_t)port / 8 + 1 > tss->limit)
        return vt_emulate_refuse(e, VT_EXCEPTION_GP, 0);
    if (!vt_emulate_load_system(e, tss->base + map + port / 8, &bits, 2))
        return false;
    return bits >> (port & 7) & ((1u << size) - 1) ? vt_emulate_refuse(e, VT_EXCEPTION_GP, 0) : true;
}

static uint16_t port_of(const struct vt_emulation *e)
{
    return e->instruction->flags & VT_INSN_IMMEDIATE ? (uint8_t)e->instruction->immediate
                                                     : (uint16_t)e->vcpu->gpr[VT_RDX];
}

enum vt_step vt_emulate_in(struct vt_emulation *e)
{
    unsigned size = e->instruction->size;
    uint16_t port = port_of(e);

    if (!allows_port(e, port, size))
        return VT_STEP_FAULT;
    vt_emulate_put(e->vcpu, VT_RAX, size, false,
                   e->environment->port_read(e->environment->context, port, size));
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_out(struct vt_emulation *e)
{
    unsigned size = e->instruction->size;
    uint16_t port = port_of(e);

    if (!allows_port(e, port, size))
        return VT_STEP_FAULT;
    e->environment->port_write(e->environment->context, port, size,
                               vt_emulate_get(e->vcpu, VT_RAX, size, false));
    return VT_STEP_DONE;
}

/* The destination is probed before the port is read: reading may have an effect on the device. */
static bool ins_turn(struct vt_emulation *e)
{
    unsigned size = e->instruction->size;
    uint64_t address = vt_emulate_string_address(e, VT_RDI, VT_ES);
    uint32_t value = 0;

    if (!vt_emulate_load(e, address, VT_ES, &value, size))
        return false;
    value = e->environment->port_read(e->environment->context, e->vcpu->gpr[VT_RDX], size);
    if (!vt_emulate_store(e, address, VT_ES, &value, size))
        return false;
    vt_emulate_string_advance(e, VT_RDI);
    return true;
}

static bool outs_turn(struct vt_emulation *e)
{
    unsigned size = e->instruction->size, segment = e->instruction->segment;
    uint32_t value = 0;

    if (!vt_emulate_load(e, vt_emulate_string_address(e, VT_RSI, segment), segment, &value, size))
        return false;
    e->environment->port_write(e->environment->context, e->vcpu->gpr[VT_RDX], size, value);
    vt_emulate_string_advance(e, VT_RSI);
    return true;
}

enum vt_step vt_emulate_ins(struct vt_emulation *e)
{
    if (!allows_port(e, e->vcpu->gpr[VT_RDX], e->instruction->size))
        return VT_STEP_FAULT;
    return vt_emulate_repeat(e, ins_turn);
}

enum vt_step vt_emulate_outs(struct vt_emulation *e)
{
    if (!allows_port(e, e->vcpu->gpr[VT_RDX], e->instruction->size))
        return VT_STEP_FAULT;
    return vt_emulate_repeat(e, outs_turn);
}
