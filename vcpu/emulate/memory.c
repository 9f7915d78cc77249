/* Loads and stores that may reach a device's registers, with the arithmetic that comes in the same
 * instruction. */
#include "vcpu/emulate/string.h"

enum vt_step vt_emulate_mov_load(struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;
    uint64_t value;

    if (!vt_emulate_read_operand(e, instruction->size, &value))
        return VT_STEP_FAULT;
    vt_emulate_put(e->vcpu, instruction->reg, instruction->size, instruction->flags & VT_INSN_HIGH_REG,
                   value);
    return VT_STEP_DONE;
}

/* What `r` or `i` holds, whichever the instruction has. */
static uint64_t second_operand(const struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;

    if (instruction->flags & VT_INSN_IMMEDIATE)
        return (uint64_t)instruction->immediate;
    return vt_emulate_get(e->vcpu, instruction->reg, instruction->size,
                          instruction->flags & VT_INSN_HIGH_REG);
}

enum vt_step vt_emulate_mov_store(struct vt_emulation *e)
{
    return vt_emulate_write_operand(e, e->instruction->size, second_operand(e)) ? VT_STEP_DONE
                                                                                : VT_STEP_FAULT;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* MOVSXD to 16 bits reads as many on Intel's processors, and 32 on AMD's (Intel SDM 2B MOVSXD; AMD APM 3). */
static unsigned extended_size(const struct vt_emulation *e)
{
    bool narrow = e->instruction->size == 2 && e->vcpu->limits.vendor == VT_VENDOR_INTEL;

    return narrow && e->instruction->source_size == 4 ? 2 : e->instruction->source_size;
}

enum vt_step vt_emulate_mov_extend(struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;
    unsigned size = extended_size(e);
    uint64_t value;

    if (!vt_emulate_read_operand(e, size, &value))
        return VT_STEP_FAULT;
    if (instruction->operation == VT_OP_MOVSX)
        value = sign_extend(value, size);
    vt_emulate_put(e->vcpu, instruction->reg, instruction->size, false, value);
    return VT_STEP_DONE;
}

static bool stos_turn(struct vt_emulation *e)
{
    uint64_t value = e->vcpu->gpr[VT_RAX];

    if (!vt_emulate_store(e, vt_emulate_string_address(e, VT_RDI, VT_ES), VT_ES, &value,
                          e->instruction->size))
        return false;
    vt_emulate_string_advance(e, VT_RDI);
    return true;
}

static bool lods_turn(struct vt_emulation *e)
{
    unsigned segment = e->instruction->segment;
    uint64_t value = 0;

    if (!vt_emulate_load(e, vt_emulate_string_address(e, VT_RSI, segment), segment, &value,
                         e->instruction->size))
        return false;
    vt_emulate_put(e->vcpu, VT_RAX, e->instruction->size, false, value);
    vt_emulate_string_advance(e, VT_RSI);
    return true;
}

static bool movs_turn(struct vt_emulation *e)
{
    unsigned segment = e->instruction->segment, size = e->instruction->size;
    uint64_t value = 0;

    if (!vt_emulate_load(e, vt_emulate_string_address(e, VT_RSI, segment), segment, &value, size) ||
        !vt_emulate_store(e, vt_emulate_string_address(e, VT_RDI, VT_ES), VT_ES, &value, size))
        return false;
    vt_emulate_string_advance(e, VT_RSI);
    vt_emulate_string_advance(e, VT_RDI);
    return true;
}

enum vt_step vt_emulate_stos(struct vt_emulation *e)
{
    return vt_emulate_repeat(e, stos_turn);
}

enum vt_step vt_emulate_lods(struct vt_emulation *e)
{
    return vt_emulate_repeat(e, lods_turn);
}

enum vt_step vt_emulate_movs(struct vt_emulation *e)
{
    return vt_emulate_repeat(e, movs_turn);
}

static bool is_even(uint8_t value)
{
    return !(__builtin_popcount(value) & 1);
}

/* Status flags of a result of `size` bytes: ZF, SF and PF always mean the same (Intel SDM 1 3.4.3.1). */
static uint64_t result_flags(uint64_t result, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    uint64_t value = result & (sign | (sign - 1));

    return (value ? 0 : VT_FLAG_ZF) | (value & sign ? VT_FLAG_SF : 0) | (is_even(value) ? VT_FLAG_PF : 0);
}

static uint64_t carry_flags(uint64_t carries, uint64_t overflow, unsigned size)
{
    unsigned top = 8 * size - 1;

    return (carries >> top & 1 ? VT_FLAG_CF : 0) | (overflow >> top & 1 ? VT_FLAG_OF : 0) |
           (carries >> 3 & 1 ? VT_FLAG_AF : 0);
}

/* a + b + carry; the carry out of every bit comes from the operands and the sum. */
static uint64_t add(uint64_t a, uint64_t b, uint64_t carry, unsigned size, uint64_t *flags)
{
    uint64_t sum = a + b + carry, carries = (a & b) | ((a | b) & ~sum);

    *flags = result_flags(sum, size) | carry_flags(carries, (a ^ sum) & (b ^ sum), size);
    return sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, uint64_t borrow, unsigned size, uint64_t *flags)
{
    uint64_t difference = a - b - borrow, borrows = (~a & b) | ((~a | b) & difference);

    *flags = result_flags(difference, size) | carry_flags(borrows, (a ^ b) & (a ^ difference), size);
    return difference;
}

/* AF is undefined after AND, OR, XOR and TEST; every CPU clears it. */
static uint64_t combine(enum vt_alu alu, uint64_t a, uint64_t b, unsigned size, uint64_t *flags)
{
    uint64_t value = alu == VT_ALU_OR ? a | b : alu == VT_ALU_XOR ? a ^ b : a & b;

    *flags = result_flags(value, size);
    return value;
}

static uint64_t compute(enum vt_alu alu, uint64_t a, uint64_t b, uint64_t carry, unsigned size,
                        uint64_t *flags)
{
    switch (alu) {
    case VT_ALU_ADD:
        return add(a, b, 0, size, flags);
    case VT_ALU_ADC:
        return add(a, b, carry, size, flags);
    case VT_ALU_SBB:
        return subtract(a, b, carry, size, flags);
    case VT_ALU_SUB:
    case VT_ALU_CMP:
        return subtract(a, b, 0, size, flags);
    default:
        return combine(alu, a, b, size, flags);
    }
}

static bool writes_back(enum vt_alu alu)
{
    return alu != VT_ALU_CMP && alu != VT_ALU_TEST;
}

enum vt_step vt_emulate_alu(struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;
    bool to_register = instruction->operation == VT_OP_ALU_LOAD;
    uint64_t second = second_operand(e), carry = e->vcpu->rflags & VT_FLAG_CF, memory = 0, value, flags;
    unsigned size = instruction->size;
    bool reads = to_register || !writes_back(instruction->alu);

    if (!(reads ? vt_emulate_read_operand : vt_emulate_read_for_write)(e, size, &memory))
        return VT_STEP_FAULT;
    value = to_register ? compute(instruction->alu, second, memory, carry, size, &flags)
                        : compute(instruction->alu, memory, second, carry, size, &flags);
    if (writes_back(instruction->alu)) {
        if (to_register)
            vt_emulate_put(e->vcpu, instruction->reg, size, instruction->flags & VT_INSN_HIGH_REG, value);
        else if (!vt_emulate_write_operand(e, size, value))
            return VT_STEP_FAULT;
    }
    e->vcpu->rflags = (e->vcpu->rflags & ~VT_FLAGS_STATUS) | flags;
    return VT_STEP_DONE;
}

enum vt_step vt_emulate_xchg(struct vt_emulation *e)
{
    const struct vt_instruction *instruction = e->instruction;
    uint64_t memory, value = second_operand(e);

    if (!vt_emulate_read_for_write(e, instruction->size, &memory) ||
        !vt_emulate_write_operand(e, instruction->size, value))
        return VT_STEP_FAULT;
    vt_emulate_put(e->vcpu, instruction->reg, instruction->size, instruction->flags & VT_INSN_HIGH_REG,
                   memory);
    return VT_STEP_DONE;
}
