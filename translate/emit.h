/*
 * Writing machine code: encodings in the words of the manuals, no knowledge of
 * what they are for. The buffer is the caller's and must have room: a sequence for one
 * guest instruction is at most VT_EMIT_LONGEST bytes.
 */
#ifndef VT_TRANSLATE_EMIT_H
#define VT_TRANSLATE_EMIT_H

#include "vcpu/vcpu.h"

#include <stdint.h>
#include <string.h>

#define VT_EMIT_LONGEST 320

struct vt_emitter {
    uint8_t *at;  /* where the next byte is written */
    intptr_t run; /* what to add to get the address at which it runs */
};

/* Condition codes as in the second half of an opcode. */
enum vt_condition { VT_CC_O = 0, VT_CC_B = 2, VT_CC_E = 4, VT_CC_NE = 5, VT_CC_A = 7 };

static inline uint32_t vt_emit_here(const struct vt_emitter *e)
{
    return (uint32_t)((intptr_t)e->at + e->run);
}

static inline void vt_emit_8(struct vt_emitter *e, uint8_t value)
{
    *e->at++ = value;
}

static inline void vt_emit_32(struct vt_emitter *e, uint32_t value)
{
    memcpy(e->at, &value, sizeof value);
    e->at += sizeof value;
}

static inline void vt_emit_bytes(struct vt_emitter *e, const void *bytes, size_t size)
{
    memcpy(e->at, bytes, size);
    e->at += size;
}

#define VT_EMIT(e, ...)                                                                                      \
    vt_emit_bytes(e, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* opcode reg, [absolute]; wide: REX.W. Opcodes above 0xff are those of the 0F map. */
void vt_emit_absolute(struct vt_emitter *e, bool wide, unsigned opcode, unsigned reg, uint32_t address);

static inline void vt_emit_load(struct vt_emitter *e, enum vt_gpr reg, uint32_t address)
{
    vt_emit_absolute(e, true, 0x8b, reg, address);
}

static inline void vt_emit_load_32(struct vt_emitter *e, enum vt_gpr reg, uint32_t address)
{
    vt_emit_absolute(e, false, 0x8b, reg, address);
}

/* Zero-extending. */
static inline void vt_emit_load_16(struct vt_emitter *e, enum vt_gpr reg, uint32_t address)
{
    vt_emit_absolute(e, false, 0x0fb7, reg, address);
}

static inline void vt_emit_store(struct vt_emitter *e, enum vt_gpr reg, uint32_t address)
{
    vt_emit_absolute(e, true, 0x89, reg, address);
}

/* MOV qword [address], value (sign-extended) */
void vt_emit_store_value(struct vt_emitter *e, uint32_t address, int32_t value);
/* MOV dword [address], value */
void vt_emit_store_value_32(struct vt_emitter *e, uint32_t address, uint32_t value);

/* LEA reg, [base + displacement] */
void vt_emit_lea(struct vt_emitter *e, enum vt_gpr reg, enum vt_gpr base, int32_t displacement);
/* LEA reg, [base + index + displacement]; index is not RSP */
void vt_emit_lea_sum(struct vt_emitter *e, enum vt_gpr reg, enum vt_gpr base, enum vt_gpr index,
                     int8_t displacement);
/* MOV reg, value: the whole register */
void vt_emit_value(struct vt_emitter *e, enum vt_gpr reg, uint32_t value);
/* CMP reg, value (sign-extended) */
void vt_emit_compare(struct vt_emitter *e, enum vt_gpr reg, int32_t value);

void vt_emit_jump(struct vt_emitter *e, uint32_t target);
void vt_emit_jump_if(struct vt_emitter *e, unsigned condition, uint32_t target);
/* JMP [reg * 8 + distance]; reg is not RSP */
void vt_emit_jump_table(struct vt_emitter *e, enum vt_gpr reg, int32_t distance);

/*
 * JRCXZ to a place not yet known; the mark is where its displacement lies. Likewise a
 * short conditional jump. vt_emit_land makes them lead here.
 */
uint8_t *vt_emit_if_rcx_zero(struct vt_emitter *e);
uint8_t *vt_emit_short_if(struct vt_emitter *e, unsigned condition);
void vt_emit_land(struct vt_emitter *e, uint8_t *mark);

/* At least `bytes` of padding, as few NOPs as possible. */
void vt_emit_nops(struct vt_emitter *e, size_t bytes);

#endif
