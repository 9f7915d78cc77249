/*
 * Operands relative to FS or GS: those registers are the host's. The address is
 * formed in a register from the virtual base, and the instruction is written
 * anew with that register as its operand.
 */
#include "translate/build.h"

struct shape {
    unsigned rex_at; /* offset of REX, or where it would be */
    uint8_t rex;
    unsigned opcode; /* offset of the first opcode byte */
};

static bool is_prefix(uint8_t byte)
{
    return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0xf0 || byte == 0x2e || byte == 0x36 ||
           byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65 || byte == 0x67;
}

static bool is_base_prefix(uint8_t byte)
{
    return byte == 0x64 || byte == 0x65;
}

/* Legacy encodings with a ModRM memory operand and 64-bit addressing; false: something else. */
static bool take_apart(const struct vt_build *b, const uint8_t *code, struct shape *shape)
{
    unsigned at = 0;

    while (at < b->insn.length && is_prefix(code[at]))
        if (code[at++] == 0x67)
            return false;
    shape->rex_at = at;
    shape->rex = (code[at] & 0xf0) == 0x40 ? code[at++] : 0x40;
    shape->opcode = at;
    /* A REX that other prefixes follow is none (Intel SDM 2A 2.2.1). */
    return b->insn.modrm > at && !is_prefix(code[at]) && code[at] != 0xc4 && code[at] != 0xc5 &&
           code[at] != 0x62 && code[at] != 0x8f && code[b->insn.modrm] >> 6 != 3;
}

/* Registers that are neither operand nor part of the address; R8 to R13 are nobody's implicit operand. */
static enum vt_gpr free_register(const struct shape *shape, const uint8_t *modrm, unsigned from)
{
    unsigned reg = (modrm[0] >> 3 & 7) | (shape->rex & 4 ? 8 : 0);
    unsigned rm = (modrm[0] & 7) | (shape->rex & 1 ? 8 : 0);
    bool sib = (modrm[0] & 7) == 4;
    unsigned base = sib ? (unsigned)((modrm[1] & 7) | (shape->rex & 1 ? 8 : 0)) : rm;
    unsigned index = sib ? (unsigned)((modrm[1] >> 3 & 7) | (shape->rex & 2 ? 8 : 0)) : rm;

    while (from == reg || from == base || from == index)
        from++;
    return from;
}

/* Bytes of the address operand behind ModRM, which is at `modrm`. */
static unsigned address_bytes(const uint8_t *modrm)
{
    unsigned mod = modrm[0] >> 6, rm = modrm[0] & 7, length = 0;

    if (rm == 4) {
        length = 1;
        if (mod == 0 && (modrm[1] & 7) == 5)
            return 5;
    } else if (rm == 5 && mod == 0) {
        return 4;
    }
    return length + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* LEA reg, [the instruction's own operand] */
static bool emit_address(struct vt_build *b, const struct shape *shape, const uint8_t *modrm, enum vt_gpr reg)
{
    uint8_t *displacement;

    VT_EMIT(&b->e, (uint8_t)(0x48 | (reg >= 8 ? 4 : 0) | (shape->rex & 3)), 0x8d,
            (uint8_t)((modrm[0] & 0xc7) | (reg & 7) << 3));
    displacement = b->e.at;
    vt_emit_bytes(&b->e, modrm + 1, address_bytes(modrm));
    return !b->insn.relative || vt_build_relocate(b, displacement, b->e.at);
}

/* The instruction with [reg] for its operand and without its segment prefix. */
static void emit_anew(struct vt_build *b, const struct shape *shape, const uint8_t *code, enum vt_gpr reg)
{
    const uint8_t *modrm = code + b->insn.modrm;
    const uint8_t *rest = modrm + 1 + address_bytes(modrm);

    for (unsigned i = 0; i < shape->rex_at; i++)
        if (!is_base_prefix(code[i]))
            vt_emit_8(&b->e, code[i]);
    vt_emit_8(&b->e, (uint8_t)((shape->rex & 0x4c) | (reg >= 8)));
    vt_emit_bytes(&b->e, code + shape->opcode, b->insn.modrm - shape->opcode);
    VT_EMIT(&b->e, (uint8_t)(0x40 | (modrm[0] & 0x38) | (reg & 7)), 0); /* [reg + 0] */
    vt_emit_bytes(&b->e, rest, (size_t)(code + b->insn.length - rest));
}

static enum vt_segment_name segment_of(const struct shape *shape, const uint8_t *code)
{
    enum vt_segment_name segment = VT_FS;
    for (unsigned i = 0; i < shape->rex_at; i++)
        if (is_base_prefix(code[i]))
            segment = code[i] == 0x64 ? VT_FS : VT_GS;
    return segment;
}

/* Without REX, ModRM.reg 4 to 7 of a byte instruction are AH to BH, which a REX would turn into others. */
static bool uses_high_byte(const struct shape *shape, const uint8_t *code, const uint8_t *modrm)
{
    return shape->rex_at == shape->opcode && (modrm[0] >> 3 & 4) && shape->opcode < 15 &&
           !(code[shape->opcode] & 1);
}

bool vt_build_based(struct vt_build *b)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)b->guest;
    struct vt_translate *t = b->t;
    struct shape shape;

    if (!take_apart(b, code, &shape) || uses_high_byte(&shape, code, code + b->insn.modrm))
        return false;
    const uint8_t *modrm = code + b->insn.modrm;
    enum vt_segment_name segment = segment_of(&shape, code);
    enum vt_gpr address = free_register(&shape, modrm, VT_R8);
    enum vt_gpr base = free_register(&shape, modrm, address + 1);
    uint8_t *start = b->e.at;

    vt_build_save(b, address);
    if (!emit_address(b, &shape, modrm, address)) {
        b->e.at = start;
        b->saved = 0;
        return false;
    }
    vt_build_save(b, base);
    vt_emit_load(&b->e, base,
                 AT(t, vcpu.segment) +
                     (uint32_t)(segment * sizeof(struct vt_segment) + offsetof(struct vt_segment, base)));
    vt_emit_lea_sum(&b->e, address, address, base, 0);
    vt_build_restore(b, base);
    vt_build_point(b, POINT_PLAIN, 0);
    emit_anew(b, &shape, code, address);
    vt_build_restore(b, address);
    if (b->insn.extended)
        t->context->vectors = 1;
    return true;
}
