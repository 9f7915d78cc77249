/* Random encodings of a form, and the states they start from. */
#include "tests/difference/suit.h"

#include <string.h>

static void put_bytes(struct difference *d, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        d->code[d->length++] = value >> (8 * i);
}

static void put_modrm(struct difference *d, uint64_t *random)
{
    const struct form *form = d->form;
    bool memory =
        form->operand == OPERAND_MEMORY || (form->operand == OPERAND_EITHER && difference_one_in(random, 2));
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

/* What far RET releases stays on the stack most of the time. */
static uint64_t pick_immediate(const struct form *form, uint64_t *random)
{
    uint64_t value = difference_random(random);

    return form->immediate == 2 && !difference_one_in(random, 4) ? value & 0x7f : value;
}

static void encode(struct difference *d, uint64_t *random)
{
    const struct form *form = d->form;
    uint8_t rex = 0;

    d->length = 0;
    if (form->options & FORM_SIZE && difference_one_in(random, 4))
        put_bytes(d, 0x66, 1);
    if (form->options & FORM_REP && difference_one_in(random, 2))
        put_bytes(d, 0xf3, 1);
    if (form->options & FORM_LOCK && difference_one_in(random, 8))
        put_bytes(d, 0xf0, 1);
    if (difference_one_in(random, 10))
        put_bytes(d, 0x67, 1);
    if (difference_one_in(random, 10))
        put_bytes(d, difference_one_in(random, 2) ? 0x64 : 0x65, 1);
    if (form->prefix)
        put_bytes(d, form->prefix, 1);
    if (form->operand != OPERAND_NONE && difference_one_in(random, 2))
        rex = 0x40 | (difference_random(random) & 7);
    if (form->options & FORM_SIZE && difference_one_in(random, 2))
        rex |= 0x48;
    if (rex)
        put_bytes(d, rex, 1);
    for (unsigned i = 0; i < form->opcodes; i++)
        put_bytes(d, form->opcode[i], 1);
    if (form->operand != OPERAND_NONE)
        put_modrm(d, random);
    put_bytes(d, pick_immediate(form, random), form->immediate);
}

/* Descriptors of every kind in the last slots of the GDT. */
static void put_random_descriptors(struct emulator *e, uint64_t *random)
{
    for (uint16_t selector = 0x90; selector < 0xb0; selector += 8) {
        uint64_t descriptor = difference_random(random);
        if (difference_one_in(random, 2))
            descriptor |= UINT64_C(1) << 44;
        if (!difference_one_in(random, 4))
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

static void randomize_control(struct vt_vcpu *vcpu, uint64_t *random)
{
    if (difference_one_in(random, 2))
        vcpu->cr[0] |= VT_CR0_TS;
    vcpu->cr[4] |= difference_random(random) & DIFFERENCE_CR4 & vcpu->limits.cr4;
    vcpu->cr[2] = difference_pick_value(random);
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
    uint64_t flags = difference_random(random) &
                     (VT_FLAGS_STATUS | VT_FLAG_IF | VT_FLAG_DF | VT_FLAG_AC | VT_FLAG_ID | VT_FLAG_IOPL);

    if (difference_one_in(random, 16))
        flags |= VT_FLAG_NT;
    vt_vcpu_set_rflags(vcpu, flags);
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
    if (difference_one_in(random, 24))
        target = UINT64_C(0x7f0000000000);
    if (difference_one_in(random, 24))
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

    if (difference_one_in(random, 24))
        return UINT64_C(0x8123456789ab0000);
    return difference_one_in(random, 8) ? rsp + (difference_random(random) & 7) : rsp;
}

/* Values around an address, as far as it lies in the data or on the stack. */
static void fill_around(struct difference *d, uint64_t *random, uint64_t address)
{
    for (uint64_t at = (address & ~UINT64_C(7)) - 64; at != (address & ~UINT64_C(7)) + 80; at += 8) {
        bool data = at >= WORLD_DATA && at < WORLD_DATA + 0x1000,
             stack = at >= WORLD_STACK - 0x100 && at < WORLD_STACK + 0x100;
        uint64_t value = difference_pick_value(random);

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

/* Data segments as instructions could have left them at this level. */
static void randomize_segments(struct vt_vcpu *vcpu, uint64_t *random)
{
    static const struct vt_segment segments[] = {
        {0, 0, 0, 0},
        {WORLD_DATA3, 0xc0f3, UINT32_MAX, 0},
        {WORLD_CONFORMING | 3, 0xa09f, UINT32_MAX, 0},
        {WORLD_DATA0, 0xc093, UINT32_MAX, 0},
    };
    static const uint8_t names[] = {VT_ES, VT_DS, VT_FS, VT_GS};

    for (size_t i = 0; i < sizeof names; i++)
        vcpu->segment[names[i]] = segments[difference_random(random) % (vcpu->cpl == 3 ? 3 : 4)];
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
        vcpu->gpr[i] = difference_pick_value(&random);
    randomize_control(vcpu, &random);
    randomize_flags(vcpu, &random);
    d->world.port_value = difference_random(&random);
    d->world.device_value = difference_random(&random);
    difference_suit_registers(d, &random);
    vcpu->gpr[VT_RSP] = pick_stack(&random);
    vcpu->rip = WORLD_CODE;
    if (level == LEVEL_USER) {
        vcpu->cpl = 3;
        vcpu->segment[VT_CS] = (struct vt_segment){WORLD_CODE3, 0xa0fb, UINT32_MAX, 0};
        vcpu->segment[VT_SS] = (struct vt_segment){WORLD_DATA3, 0xc0f3, UINT32_MAX, 0};
    }
    randomize_segments(vcpu, &random);
    aim(d, &random);
    fill_memory(d, &random);
    difference_suit_memory(d, &random);
    if (d->instruction.flags & VT_INSN_MEMORY && d->instruction.operation != VT_OP_INVLPG &&
        !is_decided(vt_vcpu_linear_address(vcpu, &d->instruction)))
        return false;
    return true;
}
