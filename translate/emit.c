#include "translate/emit.h"

#define MODRM(mod, reg, rm) (uint8_t)((mod) << 6 | ((reg)&7) << 3 | ((rm)&7))
#define REX(w, r, x, b)                                                                                      \
    (uint8_t)(0x40 | (w) << 3 | ((r) >> 3 & 1) << 2 | ((x) >> 3 & 1) << 1 | ((b) >> 3 & 1))

/* An absolute address is a SIB byte with neither base nor index (Intel SDM 2A 2.2.1.6). */
void vt_emit_absolute(struct vt_emitter *e, bool wide, unsigned opcode, unsigned reg, uint32_t address)
{
    if (wide || reg >= 8)
        vt_emit_8(e, REX(wide, reg, 0, 0));
    if (opcode > 0xff)
        vt_emit_8(e, (uint8_t)(opcode >> 8));
    vt_emit_8(e, (uint8_t)opcode);
    VT_EMIT(e, MODRM(0, reg, 4), 0x25);
    vt_emit_32(e, address);
}

void vt_emit_store_value(struct vt_emitter *e, uint32_t address, int32_t value)
{
    vt_emit_absolute(e, true, 0xc7, 0, address);
    vt_emit_32(e, (uint32_t)value);
}

void vt_emit_store_value_32(struct vt_emitter *e, uint32_t address, uint32_t value)
{
    vt_emit_absolute(e, false, 0xc7, 0, address);
    vt_emit_32(e, value);
}

void vt_emit_lea(struct vt_emitter *e, enum vt_gpr reg, enum vt_gpr base, int32_t displacement)
{
    bool short_form = displacement >= -128 && displacement < 128;

    VT_EMIT(e, REX(1, reg, 0, base), 0x8d, MODRM(short_form ? 1 : 2, reg, base));
    if ((base & 7) == VT_RSP)
        vt_emit_8(e, 0x24);
    if (short_form)
        vt_emit_8(e, (uint8_t)displacement);
    else
        vt_emit_32(e, (uint32_t)displacement);
}

void vt_emit_lea_sum(struct vt_emitter *e, enum vt_gpr reg, enum vt_gpr base, enum vt_gpr index,
                     int8_t displacement)
{
    VT_EMIT(e, REX(1, reg, index, base), 0x8d, MODRM(1, reg, 4), MODRM(0, index, base),
            (uint8_t)displacement);
}

void vt_emit_value(struct vt_emitter *e, enum vt_gpr reg, uint32_t value)
{
    if (reg >= 8)
        vt_emit_8(e, 0x41);
    vt_emit_8(e, (uint8_t)(0xb8 | (reg & 7)));
    vt_emit_32(e, value);
}

void vt_emit_compare(struct vt_emitter *e, enum vt_gpr reg, int32_t value)
{
    VT_EMIT(e, REX(1, 0, 0, reg), 0x81, MODRM(3, 7, reg));
    vt_emit_32(e, (uint32_t)value);
}

void vt_emit_jump(struct vt_emitter *e, uint32_t target)
{
    vt_emit_8(e, 0xe9);
    vt_emit_32(e, target - vt_emit_here(e) - 4);
}

void vt_emit_jump_if(struct vt_emitter *e, unsigned condition, uint32_t target)
{
    VT_EMIT(e, 0x0f, (uint8_t)(0x80 | condition));
    vt_emit_32(e, target - vt_emit_here(e) - 4);
}

void vt_emit_jump_table(struct vt_emitter *e, enum vt_gpr reg, int32_t distance)
{
    if (reg >= 8)
        vt_emit_8(e, REX(0, 0, reg, 0));
    VT_EMIT(e, 0xff, MODRM(0, 4, 4), (uint8_t)(3 << 6 | (reg & 7) << 3 | 5));
    vt_emit_32(e, (uint32_t)distance);
}

uint8_t *vt_emit_if_rcx_zero(struct vt_emitter *e)
{
    VT_EMIT(e, 0xe3, 0);
    return e->at - 1;
}

uint8_t *vt_emit_short_if(struct vt_emitter *e, unsigned condition)
{
    VT_EMIT(e, (uint8_t)(0x70 | condition), 0);
    return e->at - 1;
}

void vt_emit_land(struct vt_emitter *e, uint8_t *mark)
{
    *mark = (uint8_t)(e->at - mark - 1);
}

/* The multi-byte forms the manuals recommend (Intel SDM 2B NOP, AMD APM 3 NOP). */
void vt_emit_nops(struct vt_emitter *e, size_t bytes)
{
    static const char *const forms[9] = {
        "\x90",
        "\x66\x90",
        "\x0f\x1f\x00",
        "\x0f\x1f\x40\x00",
        "\x0f\x1f\x44\x00\x00",
        "\x66\x0f\x1f\x44\x00\x00",
        "\x0f\x1f\x80\x00\x00\x00\x00",
        "\x0f\x1f\x84\x00\x00\x00\x00\x00",
        "\x66\x0f\x1f\x84\x00\x00\x00\x00\x00",
    };

    while (bytes > 0) {
        size_t length = bytes < 9 ? bytes : 9;
        vt_emit_bytes(e, forms[length - 1], length);
        bytes -= length;
    }
}
