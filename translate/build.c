/* The tools that the builders of a block share. */
#include "translate/build.h"

/* Nothing to say when the last point goes on to be right. */
static bool is_implied(const struct vt_build *b, uint16_t host, int32_t guest)
{
    const struct vt_translate_pool *points = &b->t->points;
    const struct vt_translate_point *last = pool_at(points, points->count - 1, sizeof *last);

    return points->count > b->first_point && last->kind == POINT_COPY &&
           host - last->host == guest - last->guest;
}

void vt_build_point(struct vt_build *b, enum vt_translate_point_kind kind, unsigned reg)
{
    struct vt_translate *t = b->t;
    uint16_t host = (uint16_t)(vt_emit_here(&b->e) - b->start);
    int32_t guest = (int32_t)(b->guest - b->guest_start);

    if (kind == POINT_COPY && is_implied(b, host, guest))
        return;
    struct vt_translate_point *point = pool_at(&t->points, t->points.count++, sizeof *point);
    *point = (struct vt_translate_point){guest, host, (uint8_t)kind, (uint8_t)reg, b->saved};
}

void vt_build_save(struct vt_build *b, enum vt_gpr reg)
{
    vt_emit_store(&b->e, reg, save_slot(b->t, reg));
    b->saved |= (uint16_t)(1u << reg);
}

void vt_build_restore(struct vt_build *b, enum vt_gpr reg)
{
    vt_emit_load(&b->e, reg, save_slot(b->t, reg));
    b->saved &= (uint16_t) ~(1u << reg);
}

void vt_build_flags_away(struct vt_build *b)
{
    vt_build_save(b, VT_RAX);
    VT_EMIT(&b->e, 0x9f, 0x0f, 0x90, 0xc0); /* LAHF; SETO AL */
    vt_emit_store(&b->e, VT_RAX, AT(b->t, flags_save));
}

void vt_build_flags_back(struct vt_build *b)
{
    vt_emit_load(&b->e, VT_RAX, AT(b->t, flags_save));
    VT_EMIT(&b->e, 0x04, 0x7f, 0x9e); /* ADD AL, 127; SAHF */
    vt_build_restore(b, VT_RAX);
}

void vt_build_pend(struct vt_build *b, uint32_t displacement, uint32_t guest)
{
    b->pending[b->pendings++] = (struct vt_build_pending){displacement, guest};
}

bool vt_build_relocate(struct vt_build *b, uint8_t *at, const uint8_t *end)
{
    int32_t displacement;
    memcpy(&displacement, at, sizeof displacement);
    int64_t target = (int64_t)next_of(b) + displacement;
    int64_t distance = target - (int64_t)((intptr_t)end + b->e.run);

    if (distance != (int32_t)distance)
        return false;
    displacement = (int32_t)distance;
    memcpy(at, &displacement, sizeof displacement);
    return true;
}

/* JMP rel32 to a place in the guest. */
void vt_build_go_on_at(struct vt_build *b, uint32_t guest)
{
    vt_emit_8(&b->e, 0xe9);
    vt_build_pend(b, vt_emit_here(&b->e), guest);
    vt_emit_32(&b->e, 0);
}

void vt_build_jump_if(struct vt_build *b)
{
    VT_EMIT(&b->e, 0x0f, (uint8_t)(0x80 | (b->insn.opcode & 0x0f)));
    vt_build_pend(b, vt_emit_here(&b->e), branch_target(b));
    vt_emit_32(&b->e, 0);
}

void vt_build_push_return(struct vt_build *b)
{
    vt_build_point(b, POINT_PLAIN, 0);
    vt_emit_8(&b->e, 0x68);
    vt_emit_32(&b->e, next_of(b));
}

void vt_translate_link(struct vt_translate *t, uint32_t displacement, uint32_t host)
{
    uint32_t value = host - displacement - 4;
    memcpy(t->code_writable + (displacement - (uint32_t)(uintptr_t)t->code), &value, sizeof value);
}

uint32_t vt_build_site(struct vt_build *b, const struct vt_instruction *instruction)
{
    struct vt_translate_pool *sites = &b->t->sites;
    struct vt_translate_site *site = pool_at(sites, sites->count, sizeof *site);

    *site = (struct vt_translate_site){.instruction = *instruction, .guest = b->guest};
    return sites->count++;
}

/* What may go on at another level: even right behind it, that is another's code. */
static bool ends_block(uint16_t operation)
{
    switch (operation) {
    case VT_OP_NONE:
    case VT_OP_UNDEFINED:
    case VT_OP_INT:
    case VT_OP_INT3:
    case VT_OP_INT1:
    case VT_OP_IRET:
    case VT_OP_CALL_FAR:
    case VT_OP_JMP_FAR:
    case VT_OP_RET_FAR:
    case VT_OP_SYSCALL:
    case VT_OP_SYSRET:
        return true;
    default:
        return false;
    }
}

/* Instructions whose operands come in registers: code for the values met is made after a callout. */
static bool is_specialized(const struct vt_build *b, uint16_t operation)
{
    if (b->t->context->vcpu.cpl || b->t->step)
        return false;
    return operation == VT_OP_CPUID || operation == VT_OP_RDMSR || operation == VT_OP_WRMSR ||
           operation == VT_OP_XGETBV || operation == VT_OP_XSETBV;
}

void vt_build_callout(struct vt_build *b, const struct vt_instruction *instruction)
{
    struct vt_translate *t = b->t;
    uint32_t index = vt_build_site(b, instruction);
    struct vt_translate_site *site = site_at(b, index);

    if (is_specialized(b, instruction->operation))
        site->host = vt_emit_here(&b->e);
    vt_emit_store_value_32(&b->e, AT(t, index), index);
    vt_emit_jump(&b->e, t->stubs.callout);
    if (ends_block(instruction->operation))
        b->ended = true;
    else if (!t->step)
        site->resume = vt_emit_here(&b->e);
}

/* Takes no flag and no register: what an INC would, were it not for the flags. */
void vt_build_count_hit(struct vt_build *b)
{
    vt_build_save(b, VT_RCX);
    vt_emit_load(&b->e, VT_RCX, AT(b->t, hits));
    vt_emit_lea(&b->e, VT_RCX, VT_RCX, 1);
    vt_emit_store(&b->e, VT_RCX, AT(b->t, hits));
    vt_build_restore(b, VT_RCX);
}

void vt_build_put_back(struct vt_build *b, const struct vt_build_detour *detour)
{
    if (detour->flags) {
        vt_emit_load(&b->e, VT_RAX, AT(b->t, flags_save));
        VT_EMIT(&b->e, 0x04, 0x7f, 0x9e); /* ADD AL, 127; SAHF */
    }
    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        if (detour->saved >> reg & 1)
            vt_emit_load(&b->e, reg, save_slot(b->t, reg));
}

/*
 * What a table leads to: RCX-free unless the status flags are needed behind it. Falls into what
 * follows when the register holds `guest`.
 */
void vt_build_check(struct vt_emitter *e, const struct vt_translate *t, unsigned branch, uint32_t guest)
{
    enum vt_gpr reg = branch == BY_MEMORY ? VT_RCX : (enum vt_gpr)branch;
    uint32_t slot = save_slot(t, VT_RCX);

    if (vt_translate_flags_dead(t, guest)) {
        vt_emit_compare(e, reg, (int32_t)guest);
        vt_emit_jump_if(e, VT_CC_NE, t->stubs.miss[branch]);
        if (branch == BY_MEMORY)
            vt_emit_load(e, VT_RCX, slot);
        return;
    }
    if (reg != VT_RCX)
        vt_emit_store(e, VT_RCX, slot);
    vt_emit_lea(e, VT_RCX, reg, -(int32_t)guest);
    uint8_t *equal = vt_emit_if_rcx_zero(e);
    if (reg != VT_RCX)
        vt_emit_load(e, VT_RCX, slot);
    else
        vt_emit_lea(e, VT_RCX, VT_RCX, (int32_t)guest);
    vt_emit_jump(e, t->stubs.miss[branch]);
    vt_emit_land(e, equal);
    if (branch == VT_RCX)
        vt_emit_value(e, VT_RCX, guest);
    else
        vt_emit_load(e, VT_RCX, slot);
}
