#include "vcpu/decode.h"

#include <errno.h>
#include <stdbool.h>

#include <Zydis/Zydis.h>

/* How the operands of an operation are found. */
enum shape {
    SHAPE_NONE,
    SHAPE_OPERAND, /* one operand: memory or register */
    SHAPE_FROM,    /* r/m first, then the special register */
    SHAPE_TO,      /* the special register first, then r/m */
    SHAPE_PAIR,    /* register first, then r/m */
    SHAPE_SEGMENT, /* one operand: a segment register */
    SHAPE_STACK,   /* size from the operand-size attribute */
    SHAPE_IMPLIED, /* the operation's operand-size attribute, no explicit operand */
};

struct row {
    uint16_t mnemonic; /* ZydisMnemonic */
    uint16_t operation;
    uint8_t shape;
};

/* Mnemonics that mean one operation each. MOV and far transfers are told apart in code. */
static const struct row rows[] = {
    {ZYDIS_MNEMONIC_UD0, VT_OP_UNDEFINED, SHAPE_NONE},
    {ZYDIS_MNEMONIC_UD1, VT_OP_UNDEFINED, SHAPE_NONE},
    {ZYDIS_MNEMONIC_UD2, VT_OP_UNDEFINED, SHAPE_NONE},
    {ZYDIS_MNEMONIC_CPUID, VT_OP_CPUID, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDTSC, VT_OP_RDTSC, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDTSCP, VT_OP_RDTSCP, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDPMC, VT_OP_RDPMC, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDPID, VT_OP_RDPID, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_CLTS, VT_OP_CLTS, SHAPE_NONE},
    {ZYDIS_MNEMONIC_LMSW, VT_OP_LMSW, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_SMSW, VT_OP_SMSW, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_SGDT, VT_OP_SGDT, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_SIDT, VT_OP_SIDT, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_SLDT, VT_OP_SLDT, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_STR, VT_OP_STR, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_LGDT, VT_OP_LGDT, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_LIDT, VT_OP_LIDT, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_LLDT, VT_OP_LLDT, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_LTR, VT_OP_LTR, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_LAR, VT_OP_LAR, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_LSL, VT_OP_LSL, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_VERR, VT_OP_VERR, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_VERW, VT_OP_VERW, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_LSS, VT_OP_LSS, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_LFS, VT_OP_LFS, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_LGS, VT_OP_LGS, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_SWAPGS, VT_OP_SWAPGS, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDFSBASE, VT_OP_RDFSBASE, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_RDGSBASE, VT_OP_RDGSBASE, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_WRFSBASE, VT_OP_WRFSBASE, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_WRGSBASE, VT_OP_WRGSBASE, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_PUSHF, VT_OP_PUSHF, SHAPE_STACK},
    {ZYDIS_MNEMONIC_PUSHFQ, VT_OP_PUSHF, SHAPE_STACK},
    {ZYDIS_MNEMONIC_POPF, VT_OP_POPF, SHAPE_STACK},
    {ZYDIS_MNEMONIC_POPFQ, VT_OP_POPF, SHAPE_STACK},
    {ZYDIS_MNEMONIC_CLI, VT_OP_CLI, SHAPE_NONE},
    {ZYDIS_MNEMONIC_STI, VT_OP_STI, SHAPE_NONE},
    {ZYDIS_MNEMONIC_CLAC, VT_OP_CLAC, SHAPE_NONE},
    {ZYDIS_MNEMONIC_STAC, VT_OP_STAC, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDMSR, VT_OP_RDMSR, SHAPE_NONE},
    {ZYDIS_MNEMONIC_WRMSR, VT_OP_WRMSR, SHAPE_NONE},
    {ZYDIS_MNEMONIC_XGETBV, VT_OP_XGETBV, SHAPE_NONE},
    {ZYDIS_MNEMONIC_XSETBV, VT_OP_XSETBV, SHAPE_NONE},
    {ZYDIS_MNEMONIC_RDPKRU, VT_OP_RDPKRU, SHAPE_NONE},
    {ZYDIS_MNEMONIC_WRPKRU, VT_OP_WRPKRU, SHAPE_NONE},
    {ZYDIS_MNEMONIC_INVLPG, VT_OP_INVLPG, SHAPE_OPERAND},
    {ZYDIS_MNEMONIC_INVPCID, VT_OP_INVPCID, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_WBINVD, VT_OP_WBINVD, SHAPE_NONE},
    {ZYDIS_MNEMONIC_INVD, VT_OP_INVD, SHAPE_NONE},
    {ZYDIS_MNEMONIC_HLT, VT_OP_HLT, SHAPE_NONE},
    {ZYDIS_MNEMONIC_PAUSE, VT_OP_PAUSE, SHAPE_NONE},
    {ZYDIS_MNEMONIC_VMCALL, VT_OP_VMCALL, SHAPE_NONE},
    {ZYDIS_MNEMONIC_VMMCALL, VT_OP_VMMCALL, SHAPE_NONE},
    {ZYDIS_MNEMONIC_INT3, VT_OP_INT3, SHAPE_NONE},
    {ZYDIS_MNEMONIC_INT1, VT_OP_INT1, SHAPE_NONE},
    {ZYDIS_MNEMONIC_IRET, VT_OP_IRET, SHAPE_IMPLIED},
    {ZYDIS_MNEMONIC_IRETD, VT_OP_IRET, SHAPE_IMPLIED},
    {ZYDIS_MNEMONIC_IRETQ, VT_OP_IRET, SHAPE_IMPLIED},
    {ZYDIS_MNEMONIC_SYSCALL, VT_OP_SYSCALL, SHAPE_NONE},
    {ZYDIS_MNEMONIC_SYSRET, VT_OP_SYSRET, SHAPE_IMPLIED},
    {ZYDIS_MNEMONIC_MOVZX, VT_OP_MOVZX, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_MOVSX, VT_OP_MOVSX, SHAPE_PAIR},
    {ZYDIS_MNEMONIC_MOVSXD, VT_OP_MOVSX, SHAPE_PAIR},
};

static const struct row string_rows[] = {
    {ZYDIS_MNEMONIC_INSB, VT_OP_INS, 1},   {ZYDIS_MNEMONIC_INSW, VT_OP_INS, 2},
    {ZYDIS_MNEMONIC_INSD, VT_OP_INS, 4},   {ZYDIS_MNEMONIC_OUTSB, VT_OP_OUTS, 1},
    {ZYDIS_MNEMONIC_OUTSW, VT_OP_OUTS, 2}, {ZYDIS_MNEMONIC_OUTSD, VT_OP_OUTS, 4},
    {ZYDIS_MNEMONIC_STOSB, VT_OP_STOS, 1}, {ZYDIS_MNEMONIC_STOSW, VT_OP_STOS, 2},
    {ZYDIS_MNEMONIC_STOSD, VT_OP_STOS, 4}, {ZYDIS_MNEMONIC_STOSQ, VT_OP_STOS, 8},
    {ZYDIS_MNEMONIC_LODSB, VT_OP_LODS, 1}, {ZYDIS_MNEMONIC_LODSW, VT_OP_LODS, 2},
    {ZYDIS_MNEMONIC_LODSD, VT_OP_LODS, 4}, {ZYDIS_MNEMONIC_LODSQ, VT_OP_LODS, 8},
    {ZYDIS_MNEMONIC_MOVSB, VT_OP_MOVS, 1}, {ZYDIS_MNEMONIC_MOVSW, VT_OP_MOVS, 2},
    {ZYDIS_MNEMONIC_MOVSD, VT_OP_MOVS, 4}, {ZYDIS_MNEMONIC_MOVSQ, VT_OP_MOVS, 8},
};

static const struct row alu_rows[] = {
    {ZYDIS_MNEMONIC_ADD, VT_ALU_ADD, 0},   {ZYDIS_MNEMONIC_OR, VT_ALU_OR, 0},
    {ZYDIS_MNEMONIC_ADC, VT_ALU_ADC, 0},   {ZYDIS_MNEMONIC_SBB, VT_ALU_SBB, 0},
    {ZYDIS_MNEMONIC_AND, VT_ALU_AND, 0},   {ZYDIS_MNEMONIC_SUB, VT_ALU_SUB, 0},
    {ZYDIS_MNEMONIC_XOR, VT_ALU_XOR, 0},   {ZYDIS_MNEMONIC_CMP, VT_ALU_CMP, 0},
    {ZYDIS_MNEMONIC_TEST, VT_ALU_TEST, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One decoding under way. */
struct decoding {
    ZydisDecodedInstruction source;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct vt_instruction *result;
};

static const struct row *find_row(const struct row *table, size_t count, ZydisMnemonic mnemonic)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].mnemonic == mnemonic)
            return &table[i];
    return NULL;
}

static uint8_t gpr_of(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
        return VT_NO_REGISTER;
    return whole - ZYDIS_REGISTER_RAX;
}

static bool is_high(ZydisRegister reg)
{
    return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

static uint8_t segment_of(ZydisRegister reg)
{
    return reg >= ZYDIS_REGISTER_ES && reg <= ZYDIS_REGISTER_GS ? reg - ZYDIS_REGISTER_ES : 3;
}

/* Register numbers inside their file: segment, control or debug register, else a GPR. */
static uint8_t number_of(ZydisRegister reg)
{
    if (reg >= ZYDIS_REGISTER_ES && reg <= ZYDIS_REGISTER_GS)
        return reg - ZYDIS_REGISTER_ES;
    if (reg >= ZYDIS_REGISTER_CR0 && reg <= ZYDIS_REGISTER_CR15)
        return reg - ZYDIS_REGISTER_CR0;
    if (reg >= ZYDIS_REGISTER_DR0 && reg <= ZYDIS_REGISTER_DR15)
        return reg - ZYDIS_REGISTER_DR0;
    return gpr_of(reg);
}

static uint8_t shift_of(uint8_t factor)
{
    return factor == 8 ? 3 : factor == 4 ? 2 : factor == 2 ? 1 : 0;
}

/*
 * Base 101b with mod 00b is no base at all, whatever REX.B says (Intel SDM 2A table 2-5); Zydis 4.0 sees R13D
 * there, and no displacement, when addresses are 32 bits wide.
 */
static bool has_no_base(const ZydisDecodedInstruction *source)
{
    return source->attributes & ZYDIS_ATTRIB_HAS_SIB && source->raw.modrm.mod == 0 &&
           source->raw.sib.base == 5;
}

static void take_memory(struct vt_instruction *result, const ZydisDecodedInstruction *source,
                        const ZydisDecodedOperandMem *memory)
{
    result->flags |= VT_INSN_MEMORY;
    result->base = memory->base == ZYDIS_REGISTER_RIP || memory->base == ZYDIS_REGISTER_EIP
                       ? VT_BASE_RIP
                       : gpr_of(memory->base);
    result->index = gpr_of(memory->index);
    result->scale = shift_of(memory->scale);
    result->segment = segment_of(memory->segment);
    result->displacement = memory->disp.has_displacement ? memory->disp.value : 0;
    if (has_no_base(source)) {
        result->base = VT_NO_REGISTER;
        result->displacement = source->raw.disp.value;
    }
}

/* Operand m. */
static void take_operand(struct decoding *d, const ZydisDecodedOperand *operand)
{
    if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        take_memory(d->result, &d->source, &operand->mem);
    } else {
        d->result->rm = number_of(operand->reg.value);
        if (is_high(operand->reg.value))
            d->result->flags |= VT_INSN_HIGH_RM;
    }
}

/* Operand r or i. */
static void take_other(struct decoding *d, const ZydisDecodedOperand *operand)
{
    if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        d->result->flags |= VT_INSN_IMMEDIATE;
        d->result->immediate = operand->imm.value.s;
    } else {
        d->result->reg = number_of(operand->reg.value);
        if (is_high(operand->reg.value))
            d->result->flags |= VT_INSN_HIGH_REG;
    }
}

static void take_shape(struct decoding *d, uint8_t shape)
{
    const ZydisDecodedOperand *operands = d->operands;
    struct vt_instruction *result = d->result;

    switch (shape) {
    case SHAPE_OPERAND:
    case SHAPE_FROM:
        result->size = operands[0].size / 8;
        take_operand(d, &operands[0]);
        if (shape == SHAPE_FROM)
            take_other(d, &operands[1]);
        break;
    case SHAPE_TO:
    case SHAPE_PAIR:
        result->size = operands[0].size / 8;
        result->source_size = operands[1].size / 8;
        take_other(d, &operands[0]);
        take_operand(d, &operands[1]);
        break;
    case SHAPE_SEGMENT:
        result->reg = number_of(operands[0].reg.value);
        result->size = d->source.operand_width == 16 ? 2 : 8;
        break;
    case SHAPE_STACK:
        result->size = d->source.operand_width == 16 ? 2 : 8;
        break;
    case SHAPE_IMPLIED:
        result->size = d->source.operand_width / 8;
        break;
    default:
        break;
    }
}

static bool is_class(const ZydisDecodedOperand *operand, ZydisRegisterClass class)
{
    return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(operand->reg.value) == class;
}

static void finish(struct decoding *d, uint16_t operation, uint8_t shape)
{
    d->result->operation = operation;
    take_shape(d, shape);
}

static void decode_mov(struct decoding *d)
{
    const ZydisDecodedOperand *operands = d->operands;

    if (is_class(&operands[0], ZYDIS_REGCLASS_CONTROL))
        finish(d, VT_OP_MOV_TO_CR, SHAPE_TO);
    else if (is_class(&operands[1], ZYDIS_REGCLASS_CONTROL))
        finish(d, VT_OP_MOV_FROM_CR, SHAPE_FROM);
    else if (is_class(&operands[0], ZYDIS_REGCLASS_DEBUG))
        finish(d, VT_OP_MOV_TO_DR, SHAPE_TO);
    else if (is_class(&operands[1], ZYDIS_REGCLASS_DEBUG))
        finish(d, VT_OP_MOV_FROM_DR, SHAPE_FROM);
    else if (is_class(&operands[0], ZYDIS_REGCLASS_SEGMENT))
        finish(d, VT_OP_MOV_TO_SEGMENT, SHAPE_TO);
    else if (is_class(&operands[1], ZYDIS_REGCLASS_SEGMENT))
        finish(d, VT_OP_MOV_FROM_SEGMENT, SHAPE_FROM);
    else if (operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY)
        finish(d, VT_OP_MOV_LOAD, SHAPE_PAIR);
    else if (operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
        finish(d,
               operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? VT_OP_MOV_STORE_IMMEDIATE : VT_OP_MOV_STORE,
               SHAPE_FROM);
}

static void decode_alu(struct decoding *d, uint8_t alu)
{
    const ZydisDecodedOperand *operands = d->operands;

    d->result->alu = alu;
    if (operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY)
        finish(d, VT_OP_ALU_LOAD, SHAPE_PAIR);
    else if (operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
        finish(d,
               operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? VT_OP_ALU_STORE_IMMEDIATE : VT_OP_ALU_STORE,
               SHAPE_FROM);
}

static void decode_exchange(struct decoding *d)
{
    if (d->operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
        finish(d, VT_OP_XCHG, SHAPE_FROM);
    else if (d->operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY)
        finish(d, VT_OP_XCHG, SHAPE_PAIR);
}

/* The port is an immediate or DX; the size is that of the accumulator. */
static void decode_port(struct decoding *d, uint16_t operation)
{
    const ZydisDecodedOperand *accumulator = &d->operands[operation == VT_OP_IN ? 0 : 1];
    const ZydisDecodedOperand *port = &d->operands[operation == VT_OP_IN ? 1 : 0];

    d->result->operation = operation;
    d->result->size = accumulator->size / 8;
    if (port->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        take_other(d, port);
}

static void decode_string(struct decoding *d, const struct row *row)
{
    d->result->operation = row->operation;
    d->result->size = row->shape;
    d->result->segment = 3;
    for (ZyanU8 i = 0; i < d->source.operand_count; i++)
        if (d->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            d->operands[i].mem.base != ZYDIS_REGISTER_RDI && d->operands[i].mem.base != ZYDIS_REGISTER_EDI)
            d->result->segment = segment_of(d->operands[i].mem.segment);
}

/* CALL, JMP and RET through a code segment selector; false for other kinds of far branches. */
static bool decode_far(struct decoding *d)
{
    if (d->source.meta.branch_type != ZYDIS_BRANCH_TYPE_FAR)
        return false;
    switch (d->source.mnemonic) {
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_JMP:
        finish(d, d->source.mnemonic == ZYDIS_MNEMONIC_CALL ? VT_OP_CALL_FAR : VT_OP_JMP_FAR, SHAPE_OPERAND);
        d->result->size = d->source.operand_width / 8;
        return true;
    case ZYDIS_MNEMONIC_RET:
        finish(d, VT_OP_RET_FAR, SHAPE_IMPLIED);
        if (d->source.operand_count_visible)
            take_other(d, &d->operands[0]);
        return true;
    default:
        return false;
    }
}

static void decode_other(struct decoding *d)
{
    const struct row *row;

    switch (d->source.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        decode_mov(d);
        return;
    case ZYDIS_MNEMONIC_IN:
        decode_port(d, VT_OP_IN);
        return;
    case ZYDIS_MNEMONIC_OUT:
        decode_port(d, VT_OP_OUT);
        return;
    case ZYDIS_MNEMONIC_XCHG:
        decode_exchange(d);
        return;
    case ZYDIS_MNEMONIC_INT:
        d->result->operation = VT_OP_INT;
        take_other(d, &d->operands[0]);
        return;
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP:
        if (is_class(&d->operands[0], ZYDIS_REGCLASS_SEGMENT))
            finish(d, d->source.mnemonic == ZYDIS_MNEMONIC_PUSH ? VT_OP_PUSH_SEGMENT : VT_OP_POP_SEGMENT,
                   SHAPE_SEGMENT);
        return;
    default:
        row = find_row(alu_rows, COUNT(alu_rows), d->source.mnemonic);
        if (row)
            decode_alu(d, row->operation);
        return;
    }
}

static void translate(struct decoding *d)
{
    bool string = d->source.meta.category == ZYDIS_CATEGORY_STRINGOP ||
                  d->source.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
    const struct row *row = find_row(rows, COUNT(rows), d->source.mnemonic);
    const struct row *string_row =
        string ? find_row(string_rows, COUNT(string_rows), d->source.mnemonic) : NULL;

    if (string_row)
        decode_string(d, string_row);
    else if (decode_far(d))
        return;
    else if (row)
        finish(d, row->operation, row->shape);
    else
        decode_other(d);
}

static void take_prefixes(struct decoding *d)
{
    for (ZyanU8 i = 0; i < d->source.raw.prefix_count; i++) {
        uint8_t prefix = d->source.raw.prefixes[i].value;

        if (prefix == 0xf3)
            d->result->flags |= VT_INSN_REP;
        else if (prefix == 0xf2)
            d->result->flags |= VT_INSN_REPNE;
        else if (prefix == 0xf0)
            d->result->flags |= VT_INSN_LOCK;
    }
    if (d->source.address_width == 32)
        d->result->flags |= VT_INSN_ADDRESS32;
}

int vt_vcpu_decode(const uint8_t *code, size_t size, struct vt_instruction *instruction)
{
    struct decoding d = {.result = instruction};
    ZydisDecoder decoder;
    ZyanStatus status;

    *instruction = (struct vt_instruction){.length = 1,
                                           .base = VT_NO_REGISTER,
                                           .index = VT_NO_REGISTER,
                                           .segment = 3,
                                           .operation = VT_OP_UNDEFINED};
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    status = ZydisDecoderDecodeFull(&decoder, code, size, &d.source, d.operands);
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return -ENODATA;
    if (!ZYAN_SUCCESS(status))
        return 0;
    instruction->length = d.source.length;
    instruction->operation = VT_OP_NONE;
    take_prefixes(&d);
    translate(&d);
    return 0;
}
