/*
 * The instructions that make up nearly all code, by opcode: Zydis takes some 75 ns
 * an instruction, which alone would halve the speed of translation.
 *
 * An opcode is listed only when every encoding of it that passes the checks below
 * is valid in 64-bit mode (Intel SDM 2D appendix A; AMD APM 3 appendix A).
 */
#include "translate/decode.h"

#include <string.h>

enum {
    KNOWN = 1 << 0,
    MODRM = 1 << 1,
    IMM8 = 1 << 2,
    IMM32 = 1 << 3, /* no 16-bit operand size here: prefix 66 is for vectors alone */
    IMM64 = 1 << 4, /* IMM32, and 8 bytes with REX.W */
    WRITES = 1 << 5,
    READS = 1 << 6,
    VECTOR = 1 << 7, /* needs care with prefixes: see `prefixes` */
    MEMORY = 1 << 8, /* the register form is invalid */
    GROUP = 1 << 9,  /* some values of ModRM.reg: see group_of() */
};

#define ALU(base, use)                                                                                       \
    [(base)...(base) + 3] = KNOWN | MODRM | (use), [(base) + 4] = KNOWN | IMM8 | (use),                      \
                       [(base) + 5] = KNOWN | IMM32 | (use)

static const uint16_t one_byte[256] = {
    ALU(0x00, WRITES),
    ALU(0x08, WRITES),
    ALU(0x10, READS),
    ALU(0x18, READS),
    ALU(0x20, WRITES),
    ALU(0x28, WRITES),
    ALU(0x30, WRITES),
    ALU(0x38, WRITES),
    [0x50 ... 0x5f] = KNOWN,
    [0x63] = KNOWN | MODRM,
    [0x68] = KNOWN | IMM32,
    [0x69] = KNOWN | MODRM | IMM32,
    [0x6a] = KNOWN | IMM8,
    [0x6b] = KNOWN | MODRM | IMM8,
    [0x80] = KNOWN | MODRM | IMM8 | GROUP,
    [0x81] = KNOWN | MODRM | IMM32 | GROUP,
    [0x83] = KNOWN | MODRM | IMM8 | GROUP,
    [0x84 ... 0x85] = KNOWN | MODRM | WRITES,
    [0x86 ... 0x8b] = KNOWN | MODRM,
    [0x8d] = KNOWN | MODRM | MEMORY,
    [0x90 ... 0x99] = KNOWN,
    [0xa8] = KNOWN | IMM8 | WRITES,
    [0xa9] = KNOWN | IMM32 | WRITES,
    [0xb0 ... 0xb7] = KNOWN | IMM8,
    [0xb8 ... 0xbf] = KNOWN | IMM64,
    [0xc0 ... 0xc1] = KNOWN | MODRM | IMM8 | GROUP,
    [0xc6] = KNOWN | MODRM | IMM8 | GROUP,
    [0xc7] = KNOWN | MODRM | IMM32 | GROUP,
    [0xc9] = KNOWN,
    [0xd0 ... 0xd3] = KNOWN | MODRM | GROUP,
    [0xf6 ... 0xf7] = KNOWN | MODRM | GROUP,
    [0xfe ... 0xff] = KNOWN | MODRM | GROUP,
};

static const uint16_t two_byte[256] = {
    [0x10 ... 0x11] = KNOWN | MODRM | VECTOR,
    [0x1f] = KNOWN | MODRM | GROUP,
    [0x28 ... 0x29] = KNOWN | MODRM | VECTOR,
    [0x2e ... 0x2f] = KNOWN | MODRM | VECTOR,
    [0x40 ... 0x4f] = KNOWN | MODRM | READS,
    [0x54] = KNOWN | MODRM | VECTOR,
    [0x57 ... 0x59] = KNOWN | MODRM | VECTOR,
    [0x5c] = KNOWN | MODRM | VECTOR,
    [0x5e] = KNOWN | MODRM | VECTOR,
    [0x6e ... 0x6f] = KNOWN | MODRM | VECTOR,
    [0x7e ... 0x7f] = KNOWN | MODRM | VECTOR,
    [0x90 ... 0x9f] = KNOWN | MODRM | READS,
    [0xa3] = KNOWN | MODRM,
    [0xab] = KNOWN | MODRM,
    [0xaf] = KNOWN | MODRM,
    [0xb6 ... 0xb7] = KNOWN | MODRM,
    [0xbe ... 0xbf] = KNOWN | MODRM,
    [0xc8 ... 0xcf] = KNOWN,
    [0xef] = KNOWN | MODRM | VECTOR,
};

/* Bit 0: no prefix, 1: 66, 2: F3, 3: F2. */
static const uint8_t prefixes[256] = {
    [0x10] = 15, [0x11] = 15, [0x28] = 3,  [0x29] = 3,  [0x2e] = 3,  [0x2f] = 3,
    [0x54] = 3,  [0x57] = 3,  [0x58] = 15, [0x59] = 15, [0x5c] = 15, [0x5e] = 15,
    [0x6e] = 3,  [0x6f] = 7,  [0x7e] = 7,  [0x7f] = 7,  [0xef] = 3,
};

/* What ModRM.reg makes of a group: attributes to add, or 0 for "ask Zydis". */
static uint16_t group_of(bool escape, uint8_t opcode, unsigned reg)
{
    if (escape)
        return reg == 0 ? KNOWN : 0; /* 0F 1F: NOP is /0, the rest is reserved */
    switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
        return reg == 2 || reg == 3 ? KNOWN | READS : KNOWN | WRITES; /* ADC, SBB */
    case 0xc0:
    case 0xc1:
    case 0xd0 ... 0xd3:
        return reg == 6 ? 0 : reg == 2 || reg == 3 ? KNOWN | READS : KNOWN; /* RCL, RCR */
    case 0xc6:
    case 0xc7:
        return reg == 0 ? KNOWN : 0;
    case 0xf6:
        return reg == 0 ? KNOWN | IMM8 | WRITES : reg == 1 ? 0 : reg == 3 ? KNOWN | WRITES : KNOWN;
    case 0xf7:
        return reg == 0 ? KNOWN | IMM32 | WRITES : reg == 1 ? 0 : reg == 3 ? KNOWN | WRITES : KNOWN;
    default: /* 0xfe, 0xff: INC, DEC; PUSH */
        return reg <= 1 || (opcode == 0xff && reg == 6) ? KNOWN : 0;
    }
}

/* Bytes of ModRM, SIB and displacement; *relative: distance to the displacement when it is RIP's, else 0. */
static unsigned address_length(const uint8_t *modrm, unsigned *relative)
{
    unsigned mod = modrm[0] >> 6, rm = modrm[0] & 7, length = 1;

    *relative = 0;
    if (mod == 3)
        return 1;
    if (rm == 4) {
        length = 2;
        if (mod == 0 && (modrm[1] & 7) == 5)
            return 6;
    } else if (rm == 5 && mod == 0) {
        *relative = 1;
        return 5;
    }
    return length + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static unsigned immediate_length(uint16_t attributes, bool wide)
{
    if (attributes & IMM8)
        return 1;
    if (attributes & IMM64)
        return wide ? 8 : 4;
    return attributes & IMM32 ? 4 : 0;
}

static int32_t branch_of(const uint8_t *displacement, unsigned size)
{
    int32_t value;
    if (size == 1)
        return (int8_t)*displacement;
    memcpy(&value, displacement, sizeof value);
    return value;
}

static bool branch(const uint8_t *code, enum vt_insn_kind kind, unsigned opcode_length, unsigned size,
                   struct vt_insn *insn)
{
    *insn = (struct vt_insn){
        .kind = (uint8_t)kind,
        .length = (uint8_t)(opcode_length + size),
        .opcode = code[opcode_length - 1],
        .flags = kind == VT_INSN_JUMP_IF ? VT_FLAGS_READ : VT_FLAGS_KEPT,
        .branch = branch_of(code + opcode_length, size),
    };
    return true;
}

/* Branches without any prefix: those with one are for Zydis. */
static bool plain_branch(const uint8_t *code, struct vt_insn *insn)
{
    switch (code[0]) {
    case 0x70 ... 0x7f:
        return branch(code, VT_INSN_JUMP_IF, 1, 1, insn);
    case 0xeb:
        return branch(code, VT_INSN_JUMP, 1, 1, insn);
    case 0xe9:
        return branch(code, VT_INSN_JUMP, 1, 4, insn);
    case 0xe8:
        return branch(code, VT_INSN_CALL, 1, 4, insn);
    case 0xc3:
        *insn = (struct vt_insn){.kind = VT_INSN_RETURN, .length = 1, .opcode = 0xc3};
        return true;
    case 0x0f:
        return (code[1] & 0xf0) == 0x80 && branch(code, VT_INSN_JUMP_IF, 2, 4, insn);
    default:
        return false;
    }
}

struct prefix {
    unsigned length, vector; /* vector: index of a bit of prefixes[] */
    uint8_t rex;
};

static struct prefix prefix_of(const uint8_t *code)
{
    struct prefix p = {0};

    p.vector = code[0] == 0x66 ? 1 : code[0] == 0xf3 ? 2 : code[0] == 0xf2 ? 3 : 0;
    p.length = p.vector != 0;
    if ((code[p.length] & 0xf0) == 0x40)
        p.rex = code[p.length++];
    return p;
}

static bool prefix_fits(struct prefix p, bool escape, uint16_t attributes, uint8_t opcode)
{
    if (attributes & VECTOR)
        return prefixes[opcode] >> p.vector & 1;
    return p.vector == 0 || (p.vector == 1 && escape && opcode == 0x1f);
}

bool vt_translate_decode_table(const uint8_t *code, size_t size, struct vt_insn *insn)
{
    unsigned relative = 0;

    if (size < 15)
        return false;
    if (plain_branch(code, insn))
        return true;

    struct prefix p = prefix_of(code);
    unsigned at = p.length;
    bool escape = code[at] == 0x0f;
    at += escape;
    uint8_t opcode = code[at++];
    uint16_t attributes = escape ? two_byte[opcode] : one_byte[opcode];
    if (!attributes || !prefix_fits(p, escape, attributes, opcode))
        return false;
    unsigned modrm = attributes & MODRM ? at : 0;
    if (modrm) {
        unsigned reg = code[at] >> 3 & 7;
        if (attributes & GROUP) {
            uint16_t group = group_of(escape, opcode, reg);
            if (!group)
                return false;
            attributes |= group;
        }
        if ((attributes & MEMORY) && code[at] >> 6 == 3)
            return false;
        at += address_length(code + at, &relative);
    }
    at += immediate_length(attributes, p.rex >> 3 & 1);
    *insn = (struct vt_insn){
        .kind = (escape && opcode == 0x1f) ? VT_INSN_PADDING : VT_INSN_COPY,
        .length = (uint8_t)at,
        .opcode = opcode,
        .modrm = (uint8_t)modrm,
        .relative = (uint8_t)(relative ? modrm + 1 : 0),
        .flags = attributes & READS    ? VT_FLAGS_READ
                 : attributes & WRITES ? VT_FLAGS_WRITTEN
                                       : VT_FLAGS_KEPT,
        .extended = attributes & VECTOR,
    };
    return true;
}
