#include "tests/unit/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Each bit set one time in four. */
static uint64_t sparse(uint64_t *state)
{
    uint64_t first = next(state);
    return first & next(state);
}

static bool one_in(uint64_t *random, unsigned n)
{
    return next(random) % n == 0;
}

#define PICK(random, table) ((table)[next(random) % (sizeof(table) / sizeof((table)[0]))])

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

    switch (next(random) % 4) {
    case 0:
        return PICK(random, values);
    case 1:
        return PICK(random, selectors) ^ (one_in(random, 3) ? next(random) & 7 : 0);
    case 2:
        return next(random) >> (next(random) & 63);
    default:
        return next(random);
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
    unsigned mod = memory ? next(random) % 3 : 3,
             reg = form->group >= 0 ? (unsigned)form->group : next(random) & 7;
    unsigned rm = next(random) & 7;

    put_bytes(d, mod << 6 | reg << 3 | rm, 1);
    if (memory && rm == 4) {
        unsigned sib = next(random) & 0xff;
        put_bytes(d, sib, 1);
        if (mod == 0 && (sib & 7) == 5)
            put_bytes(d, next(random), 4);
    }
    if (memory && mod == 0 && rm == 5)
        put_bytes(d, 0x5000 + (next(random) & 0x7ff), 4);
    if (memory && mod == 1)
        put_bytes(d, next(random), 1);
    if (memory && mod == 2)
        put_bytes(d, next(random), 4);
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
        rex = 0x40 | (next(random) & 7);
    if (form->options & FORM_SIZE && one_in(random, 2))
        rex |= 0x48;
    if (rex)
        put_bytes(d, rex, 1);
    for (unsigned i = 0; i < form->opcodes; i++)
        put_bytes(d, form->opcode[i], 1);
    if (form->operand != OPERAND_NONE)
        put_modrm(d, random);
    put_bytes(d, form->immediate == 1 && form->opcode[0] == 0xcd ? (next(random) & 0xff) : next(random),
              form->immediate);
}

/* Descriptors of every kind in the last slots of the GDT. */
static void put_random_descriptors(struct emulator *e, uint64_t *random)
{
    for (uint16_t selector = 0x90; selector < 0xb0; selector += 8) {
        uint64_t descriptor = next(random);
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
    vcpu->cr[4] |= next(random) & OPTIONAL_CR4 & vcpu->limits.cr4;
    vcpu->cr[2] = pick_value(random);
    vcpu->msr[VT_MSR_KERNEL_GS_BASE] = WORLD_DATA + (next(random) & 0xff);
    vcpu->msr[VT_MSR_STAR] = UINT64_C(0x0020000800000000);
    vcpu->msr[VT_MSR_LSTAR] = WORLD_CODE + 0x200;
    vcpu->msr[VT_MSR_FMASK] = next(random) & 0x47700;
    for (unsigned i = 0; i < 4; i++)
        vcpu->dr[i] = next(random) >> 20;
    vt_vcpu_refresh(vcpu);
}

static void randomize_flags(struct vt_vcpu *vcpu, uint64_t *random)
{
    uint64_t flags = next(random) & (VT_FLAGS_STATUS | VT_FLAG_DF | VT_FLAG_AC | VT_FLAG_ID | VT_FLAG_IOPL);

    if (one_in(random, 16))
        flags |= VT_FLAG_NT;
    vt_vcpu_set_rflags(vcpu, flags);
}

static const uint32_t msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000081, 0xc0000082, 0xc0000083,
                                0xc0000084, 0x174,      0x175,      0x176,      0xc0000080, 0x277};

/* Inputs that only make sense for some instructions. */
static void suit_registers(struct difference *d, uint64_t *random)
{
    struct vt_vcpu *vcpu = &d->world.vcpu;
    uint64_t *gpr = vcpu->gpr;

    switch (d->instruction.operation) {
    case VT_OP_RDMSR:
    case VT_OP_WRMSR:
        gpr[VT_RCX] = one_in(random, 16) ? 0x12345678 : PICK(random, msrs);
        break;
    case VT_OP_XGETBV:
    case VT_OP_XSETBV:
        gpr[VT_RCX] = one_in(random, 4) ? next(random) & 3 : 0;
        gpr[VT_RDX] = one_in(random, 4) ? next(random) : 0;
        gpr[VT_RAX] = next(random) & (one_in(random, 2) ? 0xff : 7);
        break;
    case VT_OP_CPUID:
        gpr[VT_RAX] = one_in(random, 2) ? next(random) % 16 : 0x80000000 + next(random) % 10;
        gpr[VT_RCX] = next(random) % 4;
        break;
    case VT_OP_MOV_TO_CR: /* CR4 changes in bits both sides know, and in one that nobody has */
        if (d->instruction.reg == 4)
            gpr[d->instruction.rm] =
                vcpu->cr[4] ^ (sparse(random) & (OPTIONAL_CR4 | VT_CR4_PAE | UINT64_C(1) << 40));
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
        gpr[VT_RCX] = next(random) & 7;
        gpr[VT_RSI] = WORLD_DATA + 0x400 + (next(random) & 0x7f);
        gpr[VT_RDI] = WORLD_DATA + 0x800 + (next(random) & 0x7f);
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
    uint64_t target = WORLD_DATA + 0x100 + (next(random) & 0x7ff);

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
    uint64_t rsp = WORLD_STACK - 0x100 + 8 * (next(random) & 31);

    if (one_in(random, 24))
        return UINT64_C(0x8123456789ab0000);
    return one_in(random, 8) ? rsp + (next(random) & 7) : rsp;
}

/* A frame that IRET and far RET may find good: code, stack and flags of random levels. */
static void put_frame(struct difference *d, uint64_t *random)
{
    static const uint16_t codes[] = {WORLD_CODE0, WORLD_CODE0, WORLD_CODE3, WORLD_CONFORMING, 0};
    static const uint16_t stacks[] = {WORLD_DATA0, WORLD_DATA0, WORLD_DATA3, 0, WORLD_ABSENT, WORLD_READONLY};
    uint64_t frame[5] = {WORLD_CODE + 0x200, PICK(random, codes),
                         (next(random) & (VT_FLAGS_USER | VT_FLAG_IOPL) & ~(VT_FLAG_TF | VT_FLAG_IF)) |
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

/* A far pointer to code or to the gate. */
static void put_pointer(struct difference *d, uint64_t *random)
{
    static const uint16_t selectors[] = {
        WORLD_CODE0, WORLD_CODE0, WORLD_CODE3, WORLD_CONFORMING, WORLD_GATE, WORLD_DATA0, 0};
    uint64_t offset = WORLD_CODE + 0x200, address = vt_vcpu_linear_address(&d->world.vcpu, &d->instruction);
    uint16_t selector = PICK(random, selectors);
    uint8_t *at;

    if (address < WORLD_DATA || address >= WORLD_DATA + 0x1000)
        return;
    at = emulator_at(&d->world, address);
    memcpy(at, &offset, d->instruction.size);
    memcpy(at + d->instruction.size, &selector, 2);
}

static void fill_memory(struct difference *d, uint64_t *random)
{
    uint8_t *data = emulator_at(&d->world, WORLD_DATA), *stack = emulator_at(&d->world, WORLD_STACK);

    memset(emulator_at(&d->world, WORLD_CODE), 0xf4, 0x1000);
    for (size_t i = 0; i < 0x1000; i += 8) {
        uint64_t value = pick_value(random);
        memcpy(data + i, &value, 8);
    }
    for (size_t i = 0; i < 0x200; i += 8) {
        uint64_t value = pick_value(random);
        memcpy(stack - 0x100 + i, &value, 8);
    }
    emulator_at(&d->world, WORLD_STACK - 1);
    memcpy(d->world.memory, d->code, d->length);
}

static bool uses_stack(uint16_t operation)
{
    return operation == VT_OP_PUSHF || operation == VT_OP_POPF || operation == VT_OP_PUSH_SEGMENT ||
           operation == VT_OP_POP_SEGMENT || operation == VT_OP_IRET || operation == VT_OP_RET_FAR ||
           operation == VT_OP_CALL_FAR;
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

void difference_lay(const struct difference *d, uint8_t *memory, uint32_t *stale)
{
    for (size_t page = 0; page < WORLD_SIZE / 4096; page++)
        if ((d->world.touched | *stale) >> page & 1)
            memcpy(memory + page * 4096, d->world.memory + page * 4096, 4096);
    *stale = DIFFERENCE_ALL;
}

long difference_memory(const struct difference *d, const uint8_t *memory, uint32_t *stale)
{
    if (memcmp(memory, d->world.memory, WORLD_SIZE) == 0) {
        *stale = d->world.touched;
        return -1;
    }
    for (long i = 0; i < WORLD_SIZE; i++)
        if (memory[i] != d->world.memory[i])
            return i;
    return -1;
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
    d->world.port_value = next(&random);
    d->world.device_value = next(&random);
    fill_memory(d, &random);
    suit_registers(d, &random);
    vcpu->gpr[VT_RSP] = pick_stack(&random);
    vcpu->rip = WORLD_CODE;
    if (level == LEVEL_USER) {
        vcpu->cpl = 3;
        vcpu->segment[VT_CS] = (struct vt_segment){WORLD_CODE3, 0xa0fb, UINT32_MAX, 0};
        vcpu->segment[VT_SS] = (struct vt_segment){WORLD_DATA3, 0xc0f3, UINT32_MAX, 0};
    }
    aim(d, &random);
    if (uses_stack(d->instruction.operation) && d->instruction.operation != VT_OP_CALL_FAR &&
        vcpu->gpr[VT_RSP] >> 40 == 0 &&
        (d->instruction.operation == VT_OP_IRET || d->instruction.operation == VT_OP_RET_FAR))
        put_frame(d, &random);
    if (d->instruction.operation == VT_OP_CALL_FAR || d->instruction.operation == VT_OP_JMP_FAR)
        put_pointer(d, &random);
    if (d->instruction.flags & VT_INSN_MEMORY && d->instruction.operation != VT_OP_INVLPG &&
        !is_decided(vt_vcpu_linear_address(vcpu, &d->instruction)))
        return false;
    return true;
}

enum vt_step difference_emulate(struct difference *d, bool delivers)
{
    struct emulator *e = &d->world;
    enum vt_step step = vt_vcpu_execute(&e->vcpu, &e->environment, &d->instruction);

    if (step == VT_STEP_FAULT && delivers)
        step = vt_vcpu_deliver(&e->vcpu, &e->environment);
    return step;
}

const char *difference_describe(const struct difference *d)
{
    static char text[160];
    int used = snprintf(text, sizeof text, "%s seed 0x%llx:", d->form->name, (unsigned long long)d->seed);

    for (size_t i = 0; i < d->length; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, " %02x", d->code[i]);
    return text;
}

unsigned difference_rounds(const struct form *form, unsigned usual)
{
    const char *text = getenv("VT_ROUNDS");

    return text ? (unsigned)strtoul(text, NULL, 0) : (usual + form->siblings - 1) / form->siblings;
}

void difference_count(const struct form *form, const char *judge, unsigned states)
{
    if (states)
        printf("# judged: %s: %s %u\n", form->name, judge, states);
}

uint64_t difference_seed_of(uint64_t seed, size_t form, unsigned round)
{
    uint64_t state = seed ^ (uint64_t)form << 48 ^ (uint64_t)round << 16;

    return next(&state);
}

uint64_t difference_seed(void)
{
    const char *text = getenv("VT_SEED");
    struct timespec now;
    uint64_t seed;

    /* A failed assertion ends the process: what was said before must be out by then. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    clock_gettime(CLOCK_REALTIME, &now);
    seed = text ? strtoull(text, NULL, 0) : (uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec;
    printf("# VT_SEED=0x%llx VT_ROUNDS=N repeats and lengthens this run\n", (unsigned long long)seed);
    return seed;
}
