/*
 * CPUID, RDMSR, WRMSR, XGETBV and XSETBV take their operand from a register: after a
 * callout, code is made for the value it had and put in front of the callout. It ends in
 * a jump back; another value finds the specialization before it, or the callout.
 */
#include "translate/build.h"

#define MOST_TRIES 4
#define ROOM       512

/* Goes to what was there before unless register `reg` holds `value` in its low half. */
static void require(struct vt_build *b, enum vt_gpr reg, uint32_t value)
{
    struct vt_emitter *e = &b->e;

    vt_build_save(b, VT_RCX);
    VT_EMIT(e, 0x8d, (uint8_t)(0x88 | reg)); /* LEA ECX, [reg - value] */
    vt_emit_32(e, 0 - value);
    uint8_t *equal = vt_emit_if_rcx_zero(e);
    vt_emit_jump(e, 0);
    b->detour[b->detours++] = (struct vt_build_detour){vt_emit_here(e) - 4, 0, b->saved, false};
    vt_emit_land(e, equal);
    vt_build_restore(b, VT_RCX);
}

static bool cpuid(struct vt_build *b, const struct vt_translate_site *site, const uint64_t *before)
{
    const struct vt_vcpu *vcpu = &b->t->context->vcpu;
    const struct vt_cpuid_leaf *row =
        vt_vcpu_find_cpuid(vcpu, (uint32_t)before[VT_RAX], (uint32_t)before[VT_RCX]);

    (void)site;
    require(b, VT_RAX, (uint32_t)before[VT_RAX]);
    if (!row || !row->any_subleaf)
        require(b, VT_RCX, (uint32_t)before[VT_RCX]);
    vt_emit_value(&b->e, VT_RAX, (uint32_t)vcpu->gpr[VT_RAX]);
    vt_emit_value(&b->e, VT_RBX, (uint32_t)vcpu->gpr[VT_RBX]);
    vt_emit_value(&b->e, VT_RCX, (uint32_t)vcpu->gpr[VT_RCX]);
    vt_emit_value(&b->e, VT_RDX, (uint32_t)vcpu->gpr[VT_RDX]);
    return true;
}

static void load_pair(struct vt_build *b, uint32_t address)
{
    vt_emit_load_32(&b->e, VT_RAX, address);
    vt_emit_load_32(&b->e, VT_RDX, address + 4);
}

static bool rdmsr(struct vt_build *b, const struct vt_translate_site *site, const uint64_t *before)
{
    const struct vt_msr_place *place = vt_vcpu_find_msr((uint32_t)before[VT_RCX]);

    (void)site;
    if (!place)
        return false;
    require(b, VT_RCX, (uint32_t)before[VT_RCX]);
    load_pair(b, AT(b->t, vcpu) + place->offset);
    return true;
}

static bool xgetbv(struct vt_build *b, const struct vt_translate_site *site, const uint64_t *before)
{
    (void)site;
    if ((uint32_t)before[VT_RCX] != 0)
        return false;
    require(b, VT_RCX, 0);
    load_pair(b, AT(b->t, vcpu.xcr0));
    return true;
}

/* A detour with the flags put away, as they are while WRMSR looks at its value. */
static void refuse_if_not_zero(struct vt_build *b)
{
    vt_emit_jump_if(&b->e, VT_CC_NE, 0);
    b->detour[b->detours++] = (struct vt_build_detour){vt_emit_here(&b->e) - 4, 0, b->saved, true};
}

static void refuse_bits(struct vt_build *b, uint8_t modrm, uint32_t bits)
{
    if (bits == 0)
        return;
    VT_EMIT(&b->e, 0xf7, modrm); /* TEST reg, bits */
    vt_emit_32(&b->e, bits);
    refuse_if_not_zero(b);
}

/* Bits 63 to 47 alike: EDX + 0x8000 has nothing above bit 15 (48-bit linear addresses). */
static void refuse_non_canonical(struct vt_build *b)
{
    vt_build_save(b, VT_RCX);
    VT_EMIT(&b->e, 0x8d, 0x8a); /* LEA ECX, [RDX + 0x8000] */
    vt_emit_32(&b->e, 0x8000);
    VT_EMIT(&b->e, 0xc1, 0xe9, 0x10); /* SHR ECX, 16 */
    refuse_if_not_zero(b);
    vt_build_restore(b, VT_RCX);
}

/* RAX keeps its value meanwhile. */
static void put_flags_away(struct vt_build *b)
{
    vt_build_flags_away(b);
    vt_emit_load(&b->e, VT_RAX, save_slot(b->t, VT_RAX));
}

/* XCR0 as it is already: nothing changes. Any other value is for the emulator to check. */
static bool xsetbv(struct vt_build *b, const struct vt_translate_site *site, const uint64_t *before)
{
    uint32_t xcr0 = AT(b->t, vcpu.xcr0);

    (void)site;
    if ((uint32_t)before[VT_RCX] != 0)
        return false;
    require(b, VT_RCX, 0);
    put_flags_away(b);
    vt_emit_absolute(&b->e, false, 0x3b, VT_RAX, xcr0); /* CMP EAX, [xcr0] */
    refuse_if_not_zero(b);
    vt_emit_absolute(&b->e, false, 0x3b, VT_RDX, xcr0 + 4);
    refuse_if_not_zero(b);
    vt_build_flags_back(b);
    return true;
}

static bool wrmsr(struct vt_build *b, const struct vt_translate_site *site, const uint64_t *before)
{
    struct vt_translate *t = b->t;
    const struct vt_msr_place *place = vt_vcpu_find_msr((uint32_t)before[VT_RCX]);

    if (!place || place->read_only || (place->canonical && t->context->vcpu.cr[4] & VT_CR4_LA57))
        return false;
    bool dead = vt_translate_flags_dead(t, site->guest + site->instruction.length);
    bool checked = place->canonical || place->mask != UINT64_MAX;
    uint32_t address = AT(t, vcpu) + place->offset;

    require(b, VT_RCX, (uint32_t)before[VT_RCX]);
    if (checked) {
        put_flags_away(b); /* for the detour, even when nobody wants them */
        refuse_bits(b, 0xc0, ~(uint32_t)place->mask);
        refuse_bits(b, 0xc2, ~(uint32_t)(place->mask >> 32));
        if (place->canonical)
            refuse_non_canonical(b);
    }
    vt_emit_absolute(&b->e, false, 0x89, VT_RAX, address);
    vt_emit_absolute(&b->e, false, 0x89, VT_RDX, address + 4);
    if (checked && !dead)
        vt_build_flags_back(b);
    b->saved = 0;
    return true;
}

/* Operands this code was not made for go to the specialization before it, in the end to the callout. */
static void emit_detours(struct vt_build *b, const struct vt_translate_site *site)
{
    struct vt_translate *t = b->t;
    uint32_t index = (uint32_t)(site - (const struct vt_translate_site *)t->sites.items);

    for (uint32_t i = 0; i < b->detours; i++) {
        vt_translate_link(t, b->detour[i].displacement, vt_emit_here(&b->e));
        vt_build_put_back(b, &b->detour[i]);
        if (site->specialized) {
            vt_emit_jump(&b->e, site->specialized);
            continue;
        }
        vt_emit_store_value_32(&b->e, AT(t, index), index);
        vt_emit_jump(&b->e, t->stubs.callout);
    }
}

static bool emit_sequence(struct vt_build *b, const struct vt_translate_site *site, const uint64_t *before)
{
    switch (site->instruction.operation) {
    case VT_OP_CPUID:
        return cpuid(b, site, before);
    case VT_OP_RDMSR:
        return rdmsr(b, site, before);
    case VT_OP_WRMSR:
        return wrmsr(b, site, before);
    case VT_OP_XSETBV:
        return xsetbv(b, site, before);
    default:
        return xgetbv(b, site, before);
    }
}

/* The callout's first bytes become a jump; it goes on living in emit_detours. */
static void put_in_front(struct vt_translate *t, struct vt_translate_site *site, uint32_t host)
{
    struct vt_emitter e = {t->code_writable + (site->host - (uint32_t)(uintptr_t)t->code),
                           t->code - t->code_writable};
    vt_emit_jump(&e, host);
    site->specialized = host;
}

void vt_translate_specialize(struct vt_translate *t, struct vt_translate_site *site, const uint64_t *before)
{
    struct vt_build *b = t->build;

    if (!site->host || !site->resume || site->tries >= MOST_TRIES || t->code_size - t->used < ROOM ||
        t->blocks.capacity == t->blocks.count || t->points.capacity == t->points.count)
        return;
    site->tries++;
    memset(b, 0, offsetof(struct vt_build, pending));
    b->t = t;
    b->e = (struct vt_emitter){t->code_writable + t->used, t->code - t->code_writable};
    b->start = vt_emit_here(&b->e);
    b->guest = b->guest_start = site->guest;
    if (!emit_sequence(b, site, before))
        return;
    if (t->counting)
        vt_build_count_hit(b);
    vt_emit_jump(&b->e, site->resume);
    emit_detours(b, site);
    struct vt_translate_block *block = pool_at(&t->blocks, t->blocks.count++, sizeof *block);
    *block = (struct vt_translate_block){b->start, vt_emit_here(&b->e), site->guest, t->points.count};
    t->used = block->host_end - (uint32_t)(uintptr_t)t->code;
    put_in_front(t, site, b->start);
}
