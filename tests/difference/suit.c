/* States that suit an instruction: what it takes from registers, and what it finds in memory. */
#include "tests/difference/suit.h"

#include <string.h>

uint64_t difference_pick_value(uint64_t *random)
{
    static const uint64_t values[] = {
        0,
        1,
        2,
        3,
        7,
        8,
        15,
        16,
        0x7f,
        0x80,
        0xff,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_C(1) << 32,
        UINT64_C(1) << 47,
        UINT64_C(0xffff800000000000),
        UINT64_C(1) << 63,
        ~UINT64_C(0),
        0x80000001,
        0x80050033,
        0x6a0,
        0x400,
        0xffff0ff0,
    };
    static const uint16_t selectors[] = {
        WORLD_CODE0,
        WORLD_DATA0,
        WORLD_DATA3,
        WORLD_CODE3,
        WORLD_TSS_SEL,
        WORLD_LDT_SEL,
        WORLD_GATE,
        WORLD_CONFORMING,
        WORLD_ABSENT,
        WORLD_READONLY,
        WORLD_CODE32,
        WORLD_GDT_LIMIT + 1,
        0x90,
        0x98,
        0xa0,
        0xa8,
        4,
        0xc,
    };

    switch (difference_random(random) % 4) {
    case 0:
        return DIFFERENCE_PICK(random, values);
    case 1:
        return DIFFERENCE_PICK(random, selectors) ^
               (difference_one_in(random, 3) ? difference_random(random) & 7 : 0);
    case 2:
        return difference_random(random) >> (difference_random(random) & 63);
    default:
        return difference_random(random);
    }
}

static const uint32_t msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000081, 0xc0000082, 0xc0000083,
                                0xc0000084, 0x174,      0x175,      0x176,      0xc0000080, 0x277};

/* An address of either half, as wide as 48 bits allow. */
static uint64_t pick_canonical(uint64_t *random)
{
    return (uint64_t)((int64_t)(difference_pick_value(random) << 16) >> 16);
}

/* Most MSRs hold addresses, and refuse what is none. */
static void suit_msr(uint64_t *gpr, uint64_t *random)
{
    uint64_t value = pick_canonical(random);

    gpr[VT_RCX] = difference_one_in(random, 16) ? 0x12345678 : DIFFERENCE_PICK(random, msrs);
    if (difference_one_in(random, 4))
        return;
    gpr[VT_RAX] = (uint32_t)value;
    gpr[VT_RDX] = value >> 32;
}

/* Bits that both sides know change; of CR4 also one that nobody has. */
static void suit_control(const struct vt_vcpu *vcpu, unsigned reg, uint64_t *value, uint64_t *random)
{
    static const uint64_t changed[] = {
        [0] = VT_CR0_MP | VT_CR0_EM | VT_CR0_TS | VT_CR0_NE | VT_CR0_WP | VT_CR0_AM | VT_CR0_NW | VT_CR0_CD,
        [3] = 0x18, /* PWT and PCD */
        [4] = DIFFERENCE_CR4 | VT_CR4_PAE | UINT64_C(1) << 40,
        [8] = 15,
    };

    if (reg < sizeof changed / sizeof changed[0] && changed[reg] && !difference_one_in(random, 8))
        *value = vcpu->cr[reg] ^ (difference_sparse(random) & changed[reg]);
}

void difference_suit_registers(struct difference *d, uint64_t *random)
{
    struct vt_vcpu *vcpu = &d->world.vcpu;
    uint64_t *gpr = vcpu->gpr;

    switch (d->instruction.operation) {
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        suit_msr(gpr, random);
        break;
    case VT_OP_XGETBV:
    case VT_OP_XSETBV:
        gpr[VT_RCX] = difference_one_in(random, 4) ? difference_random(random) & 3 : 0;
        gpr[VT_RDX] = difference_one_in(random, 4) ? difference_random(random) : 0;
        gpr[VT_RAX] = difference_random(random) & (difference_one_in(random, 2) ? 0xff : 7);
        break;
    case VT_OP_RDPKRU:
    case VT_OP_WRPKRU: /* never of key 0: all pages here have it, and QEMU would heed it */
        vcpu->pkru = (uint32_t)difference_random(random) & ~UINT32_C(3);
        gpr[VT_RAX] &= ~UINT64_C(3);
        gpr[VT_RCX] = difference_one_in(random, 8) ? gpr[VT_RCX] : 0;
        gpr[VT_RDX] = difference_one_in(random, 8) ? gpr[VT_RDX] : 0;
        break;
    case VT_OP_CPUID:
        gpr[VT_RAX] = difference_one_in(random, 2) ? difference_random(random) % 16
                                                   : 0x80000000 + difference_random(random) % 10;
        gpr[VT_RCX] = difference_random(random) % 4;
        break;
    case VT_OP_MOV_TO_CR:
        suit_control(vcpu, d->instruction.reg, &gpr[d->instruction.rm], random);
        break;
    case VT_OP_SYSRET:
        gpr[VT_RCX] = difference_one_in(random, 8) ? UINT64_C(1) << 50 : WORLD_CODE + 0x200;
        if (difference_one_in(random, 2)) /* no single step, and nothing of virtual-8086 mode */
            gpr[VT_R11] &= VT_FLAGS_STATUS | VT_FLAG_IF | VT_FLAG_DF | VT_FLAG_IOPL | VT_FLAG_NT |
                           VT_FLAG_AC | VT_FLAG_ID;
        break;
    case VT_OP_INS:
    case VT_OP_OUTS:
    case VT_OP_STOS:
    case VT_OP_LODS:
    case VT_OP_MOVS:
        gpr[VT_RCX] = difference_random(random) & 7;
        gpr[VT_RSI] = WORLD_DATA + 0x400 + (difference_random(random) & 0x7f);
        gpr[VT_RDI] = WORLD_DATA + 0x800 + (difference_random(random) & 0x7f);
        break;
    default:
        break;
    }
}

/* A frame that IRET and far RET may find good: code, stack and flags of random levels. */
static void put_frame(struct difference *d, uint64_t *random)
{
    static const uint16_t codes[] = {WORLD_CODE0,          WORLD_CODE0, WORLD_CODE3,     WORLD_CODE3,
                                     WORLD_CONFORMING,     0,           WORLD_CODE0 | 3, WORLD_CODE3 & 0xfffc,
                                     WORLD_CONFORMING | 3, WORLD_DATA0};
    static const uint16_t stacks[] = {
        WORLD_DATA0, WORLD_DATA0,  WORLD_DATA3,    WORLD_DATA3,     0,
        3,           WORLD_ABSENT, WORLD_READONLY, WORLD_DATA0 | 3, WORLD_DATA3 & 0xfffc};
    uint64_t frame[5] = {
        WORLD_CODE + 0x200, DIFFERENCE_PICK(random, codes),
        (difference_random(random) & (VT_FLAGS_USER | VT_FLAG_IF | VT_FLAG_IOPL) & ~VT_FLAG_TF) | VT_FLAG_ONE,
        WORLD_STACK - 0x80, DIFFERENCE_PICK(random, stacks)};
    bool far = d->instruction.operation == VT_OP_RET_FAR;
    size_t size = d->instruction.size, released = far ? d->instruction.immediate & 0x7f : 0;
    uint8_t *at = emulator_at(&d->world, d->world.vcpu.gpr[VT_RSP]);

    if (difference_one_in(random, 16))
        frame[0] = UINT64_C(0x8123456789ab0000);
    if (far) {
        frame[2] = WORLD_STACK - 0x80;
        frame[3] = frame[4];
    }
    for (size_t i = 0; i < 5; i++)
        memcpy(at + i * size + (i > 1 ? released : 0), &frame[i], size);
}

/* The gate INT n asks for, and the stacks it may name. */
static void put_interrupt_gate(struct difference *d, uint64_t *random)
{
    static const uint16_t codes[] = {WORLD_CODE0,  WORLD_CODE0,  WORLD_CODE0, WORLD_CONFORMING,
                                     WORLD_CODE32, WORLD_ABSENT, WORLD_CODE3, 0};
    unsigned vector = d->instruction.operation == VT_OP_INT3 ? 3 : d->instruction.immediate & 0xff;
    uint8_t *gate = emulator_at(&d->world, WORLD_IDT + 16 * vector);
    uint16_t code = DIFFERENCE_PICK(random, codes);

    for (unsigned i = 0; i < 7; i++) {
        uint64_t stack = WORLD_STACK0 - 0x80 * i - (difference_random(random) & 15);

        if (difference_one_in(random, 8))
            stack = UINT64_C(0x8123456789ab0000);
        memcpy(emulator_at(&d->world, WORLD_TSS + 36 + 8 * i), &stack, 8);
    }
    if (difference_one_in(random, 2))
        return;
    memcpy(gate + 2, &code, 2);
    gate[4] = difference_one_in(random, 2) ? difference_random(random) & 7 : 0;
    gate[5] = 0x80 | (difference_random(random) & 0x60) | (difference_one_in(random, 2) ? 14 : 15);
    if (difference_one_in(random, 8))
        gate[5] = (uint8_t)difference_random(random);
    if (difference_one_in(random, 16))
        gate[13] = (uint8_t)difference_random(random);
    if (difference_one_in(random, 16))
        gate[11] ^= 0x80;
}

/* Where the operand lies in the data, or NULL. */
static uint8_t *operand_at(struct difference *d, unsigned size)
{
    uint64_t address = vt_vcpu_linear_address(&d->world.vcpu, &d->instruction);

    if (!(d->instruction.flags & VT_INSN_MEMORY) || address < WORLD_DATA ||
        address > WORLD_DATA + 0x1000 - size)
        return NULL;
    return emulator_at(&d->world, address);
}

/* A far pointer to code or to the gate. */
static void put_pointer(struct difference *d, uint64_t *random)
{
    static const uint16_t selectors[] = {WORLD_CODE0,
                                         WORLD_CODE0,
                                         WORLD_CODE3,
                                         WORLD_CONFORMING,
                                         WORLD_GATE,
                                         WORLD_GATE | 3,
                                         WORLD_CODE0 | 3,
                                         WORLD_CODE3 & 0xfffc,
                                         WORLD_CONFORMING | 3,
                                         WORLD_DATA0,
                                         0};
    uint64_t offset = WORLD_CODE + 0x200;
    uint16_t selector = DIFFERENCE_PICK(random, selectors);
    uint8_t *at = operand_at(d, 10);

    if (!at)
        return;
    memcpy(at, &offset, d->instruction.size);
    memcpy(at + d->instruction.size, &selector, 2);
}

/* What LGDT and LIDT load. */
static void put_table(struct difference *d, uint64_t *random)
{
    uint64_t table = pick_canonical(random);
    uint8_t *at = operand_at(d, 10);

    if (at && !difference_one_in(random, 4))
        memcpy(at + 2, &table, sizeof table);
}

/* A system descriptor of two halves that LLDT or LTR may find good, and its selector. */
static void put_system_descriptor(struct difference *d, uint64_t *random)
{
    uint64_t rights = d->instruction.operation == VT_OP_LTR ? 0x89 : 0x82;
    uint64_t low = difference_random(random), high = pick_canonical(random) >> 32;
    static const uint16_t places[] = {0x90, 0x90, 0xa0, 0xa0, 0xa8}; /* the last one is cut by the limit */
    uint16_t selector = DIFFERENCE_PICK(random, places) | (difference_random(random) & 3);
    uint8_t *at = operand_at(d, 2);

    if (difference_one_in(random, 4))
        return;
    if (!difference_one_in(random, 4))
        low = (low & ~(UINT64_C(0xff) << 40)) | rights << 40;
    if (difference_one_in(random, 8))
        high |= difference_random(random) << 32;
    emulator_put_descriptor(&d->world, selector, low);
    emulator_put_descriptor(&d->world, selector + 8, high);
    if (at)
        memcpy(at, &selector, 2);
    else if (!(d->instruction.flags & VT_INSN_MEMORY) && d->instruction.rm != VT_RSP)
        d->world.vcpu.gpr[d->instruction.rm] = selector;
}

void difference_suit_memory(struct difference *d, uint64_t *random)
{
    switch (d->instruction.operation) {
    case VT_OP_IRET:
    case VT_OP_RET_FAR:
        if (d->world.vcpu.gpr[VT_RSP] >> 40 == 0)
            put_frame(d, random);
        break;
    case VT_OP_CALL_FAR:
    case VT_OP_JMP_FAR:
        put_pointer(d, random);
        break;
    case VT_OP_INT:
    case VT_OP_INT3:
        put_interrupt_gate(d, random);
        break;
    case VT_OP_LGDT:
    case VT_OP_LIDT:
        put_table(d, random);
        break;
    case VT_OP_LLDT:
    case VT_OP_LTR:
        put_system_descriptor(d, random);
        break;
    default:
        break;
    }
}
