/*
 * An instruction as the emulator takes it: decoded once, compact, without any
 * pointer, so that it may be kept in a cache, laid beside translated code or built
 * into an image that holds no decoder.
 */
#ifndef VT_VCPU_INSTRUCTION_H
#define VT_VCPU_INSTRUCTION_H

#include <stdint.h>

/* What is emulated. Operands: r = `reg`, m = the memory or register operand, i = `immediate`. */
enum vt_operation {
    VT_OP_NONE,      /* not for the emulator: innocuous, or unknown to it */
    VT_OP_UNDEFINED, /* #UD as the architecture defines it (UD2, or a malformed encoding) */

    /* identification and time */
    VT_OP_CPUID,
    VT_OP_RDTSC,
    VT_OP_RDTSCP,
    VT_OP_RDPMC,
    VT_OP_RDPID,
    /* control and debug registers */
    VT_OP_MOV_FROM_CR,
    VT_OP_MOV_TO_CR,
    VT_OP_MOV_FROM_DR,
    VT_OP_MOV_TO_DR,
    VT_OP_CLTS,
    VT_OP_LMSW,
    VT_OP_SMSW,
    /* descriptor tables */
    VT_OP_SGDT,
    VT_OP_SIDT,
    VT_OP_SLDT,
    VT_OP_STR,
    VT_OP_LGDT,
    VT_OP_LIDT,
    VT_OP_LLDT,
    VT_OP_LTR,
    /* segments */
    VT_OP_LAR,
    VT_OP_LSL,
    VT_OP_VERR,
    VT_OP_VERW,
    VT_OP_MOV_FROM_SEGMENT,
    VT_OP_MOV_TO_SEGMENT,
    VT_OP_PUSH_SEGMENT,
    VT_OP_POP_SEGMENT,
    VT_OP_LSS,
    VT_OP_LFS,
    VT_OP_LGS,
    VT_OP_SWAPGS,
    VT_OP_RDFSBASE,
    VT_OP_RDGSBASE,
    VT_OP_WRFSBASE,
    VT_OP_WRGSBASE,
    /* flags */
    VT_OP_PUSHF,
    VT_OP_POPF,
    VT_OP_CLI,
    VT_OP_STI,
    VT_OP_CLAC,
    VT_OP_STAC,
    /* MSRs and extended state */
    VT_OP_RDMSR,
    VT_OP_WRMSR,
    VT_OP_XGETBV,
    VT_OP_XSETBV,
    VT_OP_RDPKRU,
    VT_OP_WRPKRU,
    /* translations and caches */
    VT_OP_INVLPG,
    VT_OP_INVPCID,
    VT_OP_WBINVD,
    VT_OP_INVD,
    /* ports */
    VT_OP_IN,
    VT_OP_OUT,
    VT_OP_INS,
    VT_OP_OUTS,
    /* idle and hypercalls */
    VT_OP_HLT,
    VT_OP_PAUSE,
    VT_OP_VMCALL,
    VT_OP_VMMCALL,
    /* control transfers through descriptors */
    VT_OP_INT,
    VT_OP_INT3,
    VT_OP_INT1,
    VT_OP_IRET,
    VT_OP_CALL_FAR,
    VT_OP_JMP_FAR,
    VT_OP_RET_FAR,
    VT_OP_SYSCALL,
    VT_OP_SYSRET,
    /* accesses that may reach a device: m is memory */
    VT_OP_MOV_LOAD,
    VT_OP_MOV_STORE,
    VT_OP_MOV_STORE_IMMEDIATE,
    VT_OP_MOVZX,
    VT_OP_MOVSX,
    VT_OP_STOS,
    VT_OP_LODS,
    VT_OP_MOVS,
    VT_OP_ALU_LOAD,            /* r = r op m */
    VT_OP_ALU_STORE,           /* m = m op r */
    VT_OP_ALU_STORE_IMMEDIATE, /* m = m op i */
    VT_OP_XCHG,
    VT_OPERATIONS
};

/* vt_instruction.alu */
enum vt_alu {
    VT_ALU_ADD,
    VT_ALU_OR,
    VT_ALU_ADC,
    VT_ALU_SBB,
    VT_ALU_AND,
    VT_ALU_SUB,
    VT_ALU_XOR,
    VT_ALU_CMP,
    VT_ALU_TEST
};

enum vt_instruction_flag {
    VT_INSN_MEMORY = 1 << 0, /* m is memory at base + index * scale + displacement */
    VT_INSN_REP = 1 << 1,    /* F3 as a repeat prefix */
    VT_INSN_REPNE = 1 << 2,  /* F2 as a repeat prefix */
    VT_INSN_LOCK = 1 << 3,
    VT_INSN_IMMEDIATE = 1 << 4, /* the operand that may be DX or a register is `immediate` */
    VT_INSN_HIGH_REG = 1 << 5,  /* r is AH, CH, DH or BH; reg holds RAX to RBX */
    VT_INSN_HIGH_RM = 1 << 6,   /* m likewise */
    VT_INSN_ADDRESS32 = 1 << 7, /* effective addresses are cut to 32 bits, counts and indices too */
};

#define VT_NO_REGISTER 0xff
#define VT_BASE_RIP    0x10

struct vt_instruction {
    uint16_t operation;  /* enum vt_operation */
    uint8_t length;      /* bytes, 1 to 15 */
    uint8_t size;        /* bytes of the operand that is moved: 1, 2, 4 or 8 */
    uint8_t reg;         /* enum vt_gpr, control or debug register number, enum vt_segment_name */
    uint8_t rm;          /* enum vt_gpr when m is a register */
    uint8_t base;        /* enum vt_gpr, VT_BASE_RIP or VT_NO_REGISTER */
    uint8_t index;       /* enum vt_gpr or VT_NO_REGISTER */
    uint8_t scale;       /* shift: 0 to 3 */
    uint8_t segment;     /* enum vt_segment_name of the memory operand */
    uint8_t flags;       /* enum vt_instruction_flag */
    uint8_t alu;         /* enum vt_alu */
    uint8_t source_size; /* MOVZX, MOVSX: bytes read */
    uint8_t reserved[3];
    int64_t displacement;
    int64_t immediate; /* sign-extended to 64 bits */
};

_Static_assert(sizeof(struct vt_instruction) == 32, "half a cache line");

#endif
