/*
 * What the translator must know of an instruction: its length, what to do with it,
 * where its address operand lies and what it does to the flags.
 *
 * Most instructions of real code are found in tables of opcodes (tables.c); all others are asked
 * of the platform: in a process of Zydis. A test holds the two together.
 */
#ifndef VT_TRANSLATE_DECODE_H
#define VT_TRANSLATE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vt_insn_kind {
    VT_INSN_COPY,    /* innocuous: the same bytes do the same, but for a RIP-relative operand */
    VT_INSN_PADDING, /* NOP of two bytes or more */
    VT_INSN_JUMP,    /* direct, `branch` bytes from its end */
    VT_INSN_JUMP_IF, /* Jcc, condition in the low half of `opcode` */
    VT_INSN_LOOP,    /* LOOP, LOOPE, LOOPNE, JRCXZ: bytes in front of the displacement are copied */
    VT_INSN_CALL,
    VT_INSN_RETURN,
    VT_INSN_JUMP_TO,   /* JMP r/m64 */
    VT_INSN_CALL_TO,   /* CALL r/m64 */
    VT_INSN_SENSITIVE, /* for the emulator's decoder to say more */
    VT_INSN_BASED,     /* innocuous, but its operand is relative to FS or GS */
    VT_INSN_INVALID,   /* no instruction */
    VT_INSN_CUT,       /* does not end within the bytes given */
};

enum vt_insn_flags {
    VT_FLAGS_KEPT,    /* no status flag read; some may be written */
    VT_FLAGS_WRITTEN, /* all status flags written, none read */
    VT_FLAGS_READ,
};

struct vt_insn {
    uint8_t kind; /* enum vt_insn_kind */
    uint8_t length;
    uint8_t opcode;   /* last opcode byte */
    uint8_t modrm;    /* offset of the ModRM byte, 0: none */
    uint8_t relative; /* offset of the displacement of a RIP-relative operand, 0: none */
    uint8_t flags;    /* enum vt_insn_flags */
    bool extended;    /* touches x87, MMX, SSE, AVX or mask registers */
    uint16_t pop;     /* VT_INSN_RETURN: bytes dropped behind the address */
    int32_t branch;
};

/* tables.c: true when the tables know the instruction and it ends within `size`. */
bool vt_translate_decode_table(const uint8_t *code, size_t size, struct vt_insn *insn);

#endif
