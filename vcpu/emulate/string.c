#include "vcpu/emulate/string.h"

/* Turns before the caller gets a chance to look at the clock. */
#define TURNS 4096

static uint64_t cut(const struct vt_emulation *e, uint64_t value)
{
    return e->instruction->flags & VT_INSN_ADDRESS32 ? value & UINT32_MAX : value;
}

uint64_t vt_emulate_string_address(const struct vt_emulation *e, unsigned reg, unsigned segment)
{
    uint64_t base = segment == VT_FS || segment == VT_GS ? e->vcpu->segment[segment].base : 0;

    return base + cut(e, e->vcpu->gpr[reg]);
}

/* With 32-bit addresses the register is written as a 32-bit one: its upper half becomes 0. */
void vt_emulate_string_advance(struct vt_emulation *e, unsigned reg)
{
    uint64_t size = e->instruction->size;

    e->vcpu->gpr[reg] = cut(e, e->vcpu->gpr[reg] + (e->vcpu->rflags & VT_FLAG_DF ? -size : size));
}

enum vt_step vt_emulate_repeat(struct vt_emulation *e, vt_emulate_turn *turn)
{
    uint64_t *count = &e->vcpu->gpr[VT_RCX];
    unsigned turns = e->vcpu->rflags & VT_FLAG_TF ? 1 : TURNS;

    if (!(e->instruction->flags & (VT_INSN_REP | VT_INSN_REPNE)))
        return turn(e) ? VT_STEP_DONE : VT_STEP_FAULT;
    while (cut(e, *count) && turns--) {
        if (!turn(e))
            return VT_STEP_FAULT;
        *count = cut(e, *count - 1);
    }
    return cut(e, *count) ? VT_STEP_AGAIN : VT_STEP_DONE;
}
