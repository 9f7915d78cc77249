/* Random encodings of a form, and states that suit what they decode to. */
#include "tests/unit/difference.h"

#include <string.h>

/* Each bit set one time in four. */
static uint64_t sparse(uint64_t *state)
{
    uint64_t first = difference_random(state);
    return first & difference_random(state);
}

static bool one_in(uint64_t *random, unsigned n)
{
    return difference_random(random) % n == 0;
}

#define PICK(random, table) ((table)[difference_random(random) % (sizeof(table) / sizeof((table)[0]))])

static uint64_t pick_value(uint64_t *random)
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
        return PICK(random, values);
    case 1:
        return PICK(random, selectors) ^ (one_in(random, 3) ? difference_random(random) & 7 : 0);
    case 2:
        return difference_random(random) >> (difference_random(random) & 63);
    default:
        return difference_random(random);
    }
}

static void put_bytes(struct difference *d, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        d->code[d->length++] = value >> (8 * i);
}

static void put_modrm(struct difference *d, uint64_t *random)
{
    const struct form *form = d->form;
    bool memory = form->operand == OPERAND_MEMORY || (form->operand == OPERAND_EITHER && one_in(random, 2));
    unsigned mod = memory ? difference_random(random) % 3 : 3,
             reg = form->group >= 0 ? (unsigned)form->group : difference_random(random) & 7;
    unsigned rm = difference_random(random) & 7;

    put_bytes(d, mod << 6 | reg << 3 | rm, 1);
    if (memory && rm == 4) {
        unsigned sib = difference_random(random) & 0xff;
        put_bytes(d, sib, 1);
        if (mod == 0 && (sib & 7) == 5)
            put_bytes(d, difference_random(random), 4);
    }
    if (memory && mod == 0 && rm == 5)
        put_bytes(d, 0x5000 + (difference_random(random) & 0x7ff), 4);
    if (memory && mod == 1)
        put_bytes(d, difference_random(random), 1);
    if (memory && mod == 2)
        put_bytes(d, difference_random(random), 4);
}

static void encode(struct difference *d, uint64_t *random)
{
    const struct form *form = d->form;
    uint8_t rex = 0;

    d->length = 0;
    if (form->options & FORM_SIZE && one_in(random, 4))
        put_bytes(d, 0x66, 1);
    if (form->options & FORM_REP && one_in(random, 2))
        put_bytes(d, 0xf3, 1);
    if (form->options & FORM_LOCK && one_in(random, 8))
        put_bytes(d, 0xf0, 1);
    if (one_in(random, 10))
        put_bytes(d, 0x67, 1);
    if (one_in(random, 10))
        put_bytes(d, one_in(random, 2) ? 0x64 : 0x65, 1);
    if (form->prefix)
        put_bytes(d, form->prefix, 1);
    if (form->operand != OPERAND_NONE && one_in(random, 2))
        rex = 0x40 | (difference_random(random) & 7);
    if (form->options & FORM_SIZE && one_in(random, 2))
        rex |= 0x48;
    if (rex)
        put_bytes(d, rex, 1);
    for (unsigned i = 0; i < form->opcodes; i++)
        put_bytes(d, form->opcode[i], 1);
    if (form->operand != OPERAND_NONE)
        put_modrm(d, random);
    put_bytes(d,
              form->immediate == 1 && form->opcode[0] == 0xcd ? (difference_random(random) & 0xff)
                                                              : difference_random(random),
              form->immediate);
}

/* Descriptors of every kind in the last slots of the GDT. */
static void put_random_descriptors(struct emulator *e, uint64_t *random)
{
    for (uint16_t selector = 0x90; selector < 0xb0; selector += 8) {
        uint64_t descriptor = difference_random(random);
        if (one_in(random, 2))
            descriptor |= UINT64_C(1) << 44;
        if (!one_in(random, 4))
            descriptor |= UINT64_C(1) << 47;
        emulator_put_descriptor(e, selector, descriptor);
    }
    e->vcpu.gdtr.limit = 0xaf;
}

static void load_system_segments(struct emulator *e)
{
    uint8_t *busy = emulator_at(e, WORLD_GDT + WORLD_TSS_SEL + 5);

    e->vcpu.segment[VT_TR] = (struct vt_segment){WORLD_TSS_SEL, 0x8b, 0x67, WORLD_TSS};
    e->vcpu.segment[VT_LDTR] = (struct vt_segment){WORLD_LDT_SEL, 0x82, 0xff, WORLD_LDT};
    *busy |= 2;
}

#define OPTIONAL_CR4 (VT_CR4_TSD | VT_CR4_DE | VT_CR4_PCE | VT_CR4_UMIP | VT_CR4_FSGSBASE | VT_CR4_OSXSAVE)

static void randomize_control(struct vt_vcpu *vcpu, uint64_t *random)
{
    if (one_in(random, 2))
        vcpu->cr[0] |= VT_CR0_TS;
    vcpu->cr[4] |= difference_random(random) & OPTIONAL_CR4 & vcpu->limits.cr4;
    vcpu->cr[2] = pick_value(random);
    vcpu->msr[VT_MSR_KERNEL_GS_BASE] = WORLD_DATA + (difference_random(random) & 0xff);
    vcpu->msr[VT_MSR_STAR] = UINT64_C(0x0020000800000000);
    vcpu->msr[VT_MSR_LSTAR] = WORLD_CODE + 0x200;
    vcpu->msr[VT_MSR_FMASK] = difference_random(random) & 0x47700;
    for (unsigned i = 0; i < 4; i++)
        vcpu->dr[i] = difference_random(random) >> 20;
    vt_vcpu_refresh(vcpu);
}

static void randomize_flags(struct vt_vcpu *vcpu, uint64_t *random)
{
    uint64_t flags =
        difference_random(random) & (VT_FLAGS_STATUS | VT_FLAG_DF | VT_FLAG_AC | VT_FLAG_ID | VT_FLAG_IOPL);

    if (one_in(random, 16))
        flags |= VT_FLAG_NT;
    vt_vcpu_set_rflags(vcpu, flags);
}

static const uint32_t msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000081, 0xc0000082, 0xc0000083,
                                0xc0000084, 0x174,      0x175,      0x176,      0xc0000080, 0x277};

/* An address of either half, as wide as 48 bits allow. */
static uint64_t pick_canonical(uint64_t *random)
{
    return (uint64_t)((int64_t)(pick_value(random) << 16) >> 16);
}

/* Most MSRs hold addresses, and refuse what is none. */
static void suit_msr(uint64_t *gpr, uint64_t *random)
{
    uint64_t value = pick_canonical(random);

    gpr[VT_RCX] = one_in(random, 16) ? 0x12345678 : PICK(random, msrs);
    if (one_in(random, 4))
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
        [4] = OPTIONAL_CR4 | VT_CR4_PAE | UINT64_C(1) << 40,
        [8] = 15,
    };

    if (reg < sizeof changed / sizeof changed[0] && changed[reg] && !one_in(random, 8))
        *value = vcpu->cr[reg] ^ (sparse(random) & changed[reg]);
}

/* Inputs that only make sense for some instructions. */
static void suit_registers(struct difference *d, uint64_t *random)
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
        gpr[VT_RCX] = one_in(random, 4) ? difference_random(random) & 3 : 0;
        gpr[VT_RDX] = one_in(random, 4) ? difference_random(random) : 0;
        gpr[VT_RAX] = difference_random(random) & (one_in(random, 2) ? 0xff : 7);
        break;
    case VT_OP_CPUID:
        gpr[VT_RAX] =
            one_in(random, 2) ? difference_random(random) % 16 : 0x80000000 + difference_random(random) % 10;
        gpr[VT_RCX] = difference_random(random) % 4;
        break;
    case VT_OP_MOV_TO_CR:
        suit_control(vcpu, d->instruction.reg, &gpr[d->instruction.rm], random);
        break;
    case VT_OP_SYSRET:
        gpr[VT_RCX] = one_in(random, 8) ? UINT64_C(1) << 50 : WORLD_CODE + 0x200;
        if (one_in(random, 2)) /* no single step, and nothing of virtual-8086 mode */
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

static bool is_base_free(const struct vt_instruction *i)
{
    return i->base < VT_GPRS && i->base != i->index && i->base != VT_RSP;
}

/* Move the base register so that the operand lies in the world, most of the time. */
static void aim(struct difference *d, uint64_t *random)
{
    const struct vt_instruction *i = &d->instruction;
    uint64_t target = WORLD_DATA + 0x100 + (difference_random(random) & 0x7ff);

    if (!(i->flags & VT_INSN_MEMORY) || !is_base_free(i))
        return;
    if (one_in(random, 24))
        target = UINT64_C(0x7f0000000000);
    if (one_in(random, 24))
        target = UINT64_C(0x8123456789ab0000);
    d->world.vcpu.gpr[i->base] += target - vt_vcpu_linear_address(&d->world.vcpu, i);
}

/* Inside the world with room to spare, surely unmapped, or not canonical. */
static bool is_decided(uint64_t address)
{
    return (address >= WORLD_MEMORY + 0x100 && address < WORLD_MEMORY + WORLD_SIZE - 0x100) ||
           address >= UINT64_C(1) << 33;
}

static uint64_t pick_stack(uint64_t *random)
{
    uint64_t rsp = WORLD_STACK - 0x100 + 8 * (difference_random(random) & 31);

    if (one_in(random, 24))
        return UINT64_C(0x8123456789ab0000);
    return one_in(random, 8) ? rsp + (difference_random(random) & 7) : rsp;
}

/* A frame that IRET and far RET may find good: code, stack and flags of random levels. */
static void put_frame(struct difference *d, uint64_t *random)
{
    static const uint16_t codes[] = {WORLD_CODE0, WORLD_CODE0, WORLD_CODE3, WORLD_CONFORMING, 0};
    static const uint16_t stacks[] = {WORLD_DATA0, WORLD_DATA0, WORLD_DATA3, 0, WORLD_ABSENT, WORLD_READONLY};
    uint64_t frame[5] = {
        WORLD_CODE + 0x200, PICK(random, codes),
        (difference_random(random) & (VT_FLAGS_USER | VT_FLAG_IOPL) & ~(VT_FLAG_TF | VT_FLAG_IF)) |
            VT_FLAG_ONE,
        WORLD_STACK - 0x80, PICK(random, stacks)};
    unsigned size = d->instruction.size;
    uint8_t *at = emulator_at(&d->world, d->world.vcpu.gpr[VT_RSP]);

    if (one_in(random, 16))
        frame[0] = UINT64_C(0x8123456789ab0000);
    if (d->instruction.operation == VT_OP_RET_FAR) {
        frame[2] = WORLD_STACK - 0x80;
        frame[3] = frame[4];
    }
    for (unsigned i = 0; i < 5; i++)
        memcpy(at + (size_t)i * size, &frame[i], size);
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
    static const uint16_t selectors[] = {
        WORLD_CODE0, WORLD_CODE0, WORLD_CODE3, WORLD_CONFORMING, WORLD_GATE, WORLD_DATA0, 0};
    uint64_t offset = WORLD_CODE + 0x200;
    uint16_t selector = PICK(random, selectors);
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

    if (at && !one_in(random, 4))
        memcpy(at + 2, &table, sizeof table);
}

/* A system descriptor of two halves that LLDT or LTR may find good, and its selector. */
static void put_system_descriptor(struct difference *d, uint64_t *random)
{
    uint64_t rights = d->instruction.operation == VT_OP_LTR ? 0x89 : 0x82;
    uint64_t low = difference_random(random), high = pick_canonical(random) >> 32;
    uint16_t selector = (one_in(random, 2) ? 0x90 : 0xa0) | (difference_random(random) & 3);
    uint8_t *at = operand_at(d, 2);

    if (one_in(random, 4))
        return;
    if (!one_in(random, 4))
        low = (low & ~(UINT64_C(0xff) << 40)) | rights << 40;
    if (one_in(random, 8))
        high |= difference_random(random) << 32;
    emulator_put_descriptor(&d->world, selector, low);
    emulator_put_descriptor(&d->world, selector + 8, high);
    if (at)
        memcpy(at, &selector, 2);
    else if (!(d->instruction.flags & VT_INSN_MEMORY) && d->instruction.rm != VT_RSP)
        d->world.vcpu.gpr[d->instruction.rm] = selector;
}

/* Values around an address, as far as it lies in the data or on the stack. */
static void fill_around(struct difference *d, uint64_t *random, uint64_t address)
{
    for (uint64_t at = (address & ~UINT64_C(7)) - 64; at != (address & ~UINT64_C(7)) + 80; at += 8) {
        bool data = at >= WORLD_DATA && at < WORLD_DATA + 0x1000,
             stack = at >= WORLD_STACK - 0x100 && at < WORLD_STACK + 0x100;
        uint64_t value = pick_value(random);

        if (data || stack)
            memcpy(emulator_at(&d->world, at), &value, 8);
    }
}

static bool is_string(uint16_t operation)
{
    return operation == VT_OP_INS || operation == VT_OP_OUTS || operation == VT_OP_STOS ||
           operation == VT_OP_LODS || operation == VT_OP_MOVS;
}

/* One byte everywhere, so that nothing is written unseen, and values where the instruction may look. */
static void fill_memory(struct difference *d, uint64_t *random)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    int byte = (int)(difference_random(random) & 0xff);

    memset(emulator_at(&d->world, WORLD_DATA), byte, 0x1000);
    memset(emulator_at(&d->world, WORLD_STACK - 0x100), byte, 0x100);
    memset(emulator_at(&d->world, WORLD_STACK), byte, 0x100);
    memcpy(emulator_at(&d->world, WORLD_CODE), d->code, d->length);
    fill_around(d, random, vcpu->gpr[VT_RSP]);
    if (d->instruction.flags & VT_INSN_MEMORY)
        fill_around(d, random, vt_vcpu_linear_address(vcpu, &d->instruction));
    if (is_string(d->instruction.operation)) {
        fill_around(d, random, vcpu->gpr[VT_RSI]);
        fill_around(d, random, vcpu->gpr[VT_RDI]);
    }
}

/* What some instructions want to find in memory. */
static void suit_memory(struct difference *d, uint64_t *random)
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

/* A world that was a copy of the base once differs from it in what was touched since. */
static void restore(struct emulator *e, const struct emulator *base)
{
    uint32_t touched = e->environment.context == e ? e->touched : DIFFERENCE_ALL;

    for (size_t page = 0; page < WORLD_SIZE / 4096; page++)
        if (touched >> page & 1)
            memcpy(e->memory + page * 4096, base->memory + page * 4096, 4096);
    memcpy(e, base, offsetof(struct emulator, memory));
    memcpy(&e->touched, &base->touched, sizeof *e - offsetof(struct emulator, touched));
    e->environment.context = e;
    e->touched = 0;
}

bool difference_make(struct difference *d, const struct emulator *base, const struct form *form,
                     enum difference_level level, uint64_t seed)
{
    uint64_t random = seed;
    struct vt_vcpu *vcpu = &d->world.vcpu;

    d->form = form;
    d->seed = seed;
    restore(&d->world, base);
    encode(d, &random);
    if (vt_vcpu_decode(d->code, d->length, &d->instruction) != 0 || d->instruction.length != d->length)
        return false;
    load_system_segments(&d->world);
    put_random_descriptors(&d->world, &random);
    for (unsigned i = 0; i < VT_GPRS; i++)
        vcpu->gpr[i] = pick_value(&random);
    randomize_control(vcpu, &random);
    randomize_flags(vcpu, &random);
    d->world.port_value = difference_random(&random);
    d->world.device_value = difference_random(&random);
    suit_registers(d, &random);
    vcpu->gpr[VT_RSP] = pick_stack(&random);
    vcpu->rip = WORLD_CODE;
    if (level == LEVEL_USER) {
        vcpu->cpl = 3;
        vcpu->segment[VT_CS] = (struct vt_segment){WORLD_CODE3, 0xa0fb, UINT32_MAX, 0};
        vcpu->segment[VT_SS] = (struct vt_segment){WORLD_DATA3, 0xc0f3, UINT32_MAX, 0};
    }
    aim(d, &random);
    fill_memory(d, &random);
    suit_memory(d, &random);
    if (d->instruction.flags & VT_INSN_MEMORY && d->instruction.operation != VT_OP_INVLPG &&
        !is_decided(vt_vcpu_linear_address(vcpu, &d->instruction)))
        return false;
    return true;
}
