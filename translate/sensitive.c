/*
 * Sensitive instructions: inline where the virtual CPU's state is all it takes,
 * otherwise a callout to the emulator. Inline sequences leave the flags as the
 * instruction would, put away every register they use, and take a detour to the
 * emulator for operands they do not cover.
 */
#include "translate/build.h"

/* False: not inline; nothing has been emitted. */
typedef bool inline_function(struct vt_build *b, const struct vt_instruction *in);

static void detour(struct vt_build *b, uint32_t site, bool flags)
{
    b->detour[b->detours++] = (struct vt_build_detour){vt_emit_here(&b->e) - 4, site, b->saved, flags};
}

static void detour_if(struct vt_build *b, unsigned condition, uint32_t site, bool flags)
{
    vt_emit_jump_if(&b->e, condition, 0);
    detour(b, site, flags);
}

/* Detour unless RCX is 0. */
static void detour_unless_rcx_zero(struct vt_build *b, uint32_t site)
{
    uint8_t *zero = vt_emit_if_rcx_zero(&b->e);
    vt_emit_jump(&b->e, 0);
    detour(b, site, false);
    vt_emit_land(&b->e, zero);
}

/* The site of an inline sequence's detour; its end is set by the caller of the sequence. */
static uint32_t detour_site(struct vt_build *b, const struct vt_instruction *in)
{
    return vt_build_site(b, in);
}

static uint32_t cr(const struct vt_build *b, unsigned number)
{
    return AT(b->t, vcpu.cr) + 8 * number;
}

static uint32_t selector(const struct vt_build *b, unsigned segment)
{
    return AT(b->t, vcpu.segment) + (uint32_t)(segment * sizeof(struct vt_segment));
}

static uint32_t base(const struct vt_build *b, unsigned segment)
{
    return selector(b, segment) + (uint32_t)offsetof(struct vt_segment, base);
}

static bool flags_dead(const struct vt_build *b)
{
    return vt_translate_flags_dead(b->t, next_of(b));
}

static bool inline_cli(struct vt_build *b, const struct vt_instruction *in)
{
    (void)in;
    vt_emit_store_value(&b->e, AT(b->t, vcpu.interrupt_flag), 0);
    return true;
}

/* An interrupt that waits is taken behind the instruction after STI: the emulator's work. */
static void detour_when_pending(struct vt_build *b, uint32_t site)
{
    if (flags_dead(b)) {
        vt_emit_absolute(&b->e, false, 0x80, 7, AT(b->t, vcpu.apic.pending)); /* CMP byte, 0 */
        vt_emit_8(&b->e, 0);
        detour_if(b, VT_CC_NE, site, false);
        return;
    }
    vt_build_save(b, VT_RCX);
    vt_emit_absolute(&b->e, false, 0x0fb6, VT_RCX, AT(b->t, vcpu.apic.pending)); /* MOVZX */
    detour_unless_rcx_zero(b, site);
    vt_build_restore(b, VT_RCX);
}

static bool inline_sti(struct vt_build *b, const struct vt_instruction *in)
{
    detour_when_pending(b, detour_site(b, in));
    vt_emit_store_value(&b->e, AT(b->t, vcpu.interrupt_flag), (int32_t)VT_FLAG_IF);
    return true;
}

static bool inline_pushf(struct vt_build *b, const struct vt_instruction *in)
{
    struct vt_emitter *e = &b->e;

    if (in->size != 8)
        return false;
    vt_emit_8(e, 0x9c);
    vt_build_save(b, VT_RCX);
    vt_build_save(b, VT_RDX);
    VT_EMIT(e, 0x48, 0x8b, 0x0c, 0x24); /* MOV RCX, [RSP] */
    vt_emit_load(e, VT_RDX, AT(b->t, vcpu.interrupt_flag));
    vt_emit_lea_sum(e, VT_RCX, VT_RCX, VT_RDX, 0);
    vt_emit_load(e, VT_RDX, AT(b->t, flags_rest));
    vt_emit_lea_sum(e, VT_RCX, VT_RCX, VT_RDX, 0);
    VT_EMIT(e, 0x48, 0x89, 0x0c, 0x24); /* MOV [RSP], RCX */
    vt_build_restore(b, VT_RDX);
    vt_build_restore(b, VT_RCX);
    return true;
}

/*
 * Status flags and IF inline; the rest only when it does not change. SAHF and an ADD that overflows or not
 * take a tenth of the time of POPFQ.
 */
static bool inline_popf(struct vt_build *b, const struct vt_instruction *in)
{
    struct vt_emitter *e = &b->e;

    if (in->size != 8)
        return false;
    uint32_t site = detour_site(b, in);
    vt_build_save(b, VT_RAX);
    vt_build_save(b, VT_RCX);
    VT_EMIT(e, 0x48, 0x8b, 0x04, 0x24); /* MOV RAX, [RSP] */
    VT_EMIT(e, 0x89, 0xc1, 0x81, 0xe1); /* MOV ECX, EAX; AND ECX, */
    vt_emit_32(e, (uint32_t)FLAGS_FIXED);
    vt_emit_absolute(e, true, 0x3b, VT_RCX, AT(b->t, flags_fixed)); /* CMP RCX, [] */
    detour_if(b, VT_CC_NE, site, false);
    vt_emit_absolute(e, false, 0x80, 7, AT(b->t, vcpu.apic.pending)); /* CMP byte [], 0 */
    vt_emit_8(e, 0);
    detour_if(b, VT_CC_NE, site, false);
    vt_emit_lea(e, VT_RSP, VT_RSP, 8);
    VT_EMIT(e, 0x89, 0xc1, 0x81, 0xe1); /* MOV ECX, EAX; AND ECX, IF */
    vt_emit_32(e, (uint32_t)VT_FLAG_IF);
    vt_emit_store(e, VT_RCX, AT(b->t, vcpu.interrupt_flag));
    VT_EMIT(e, 0xfc);                         /* CLD */
    VT_EMIT(e, 0x89, 0xc1, 0xc1, 0xe9, 0x0b); /* MOV ECX, EAX; SHR ECX, 11: OF to bit 0 */
    VT_EMIT(e, 0x83, 0xe1, 0x01);             /* AND ECX, 1 */
    VT_EMIT(e, 0x88, 0xc4);                   /* MOV AH, AL */
    VT_EMIT(e, 0x80, 0xc1, 0x7f, 0x9e);       /* ADD CL, 127; SAHF */
    vt_build_restore(b, VT_RCX);
    vt_build_restore(b, VT_RAX);
    return true;
}

static bool inline_mov_from_cr(struct vt_build *b, const struct vt_instruction *in)
{
    if (in->reg != 0 && in->reg != 2 && in->reg != 3 && in->reg != 4 && in->reg != 8)
        return false;
    vt_emit_load(&b->e, in->rm, cr(b, in->reg));
    return true;
}

/* RCX = reg - [address], the flags untouched: NOT is the one arithmetic instruction that spares them. */
static void difference(struct vt_build *b, enum vt_gpr reg, uint32_t address)
{
    struct vt_emitter *e = &b->e;

    vt_build_save(b, VT_RCX);
    if (reg != VT_RCX) {
        vt_emit_load(e, VT_RCX, address);
        VT_EMIT(e, 0x48, 0xf7, 0xd1); /* NOT RCX */
        vt_emit_lea_sum(e, VT_RCX, reg, VT_RCX, 1);
        return;
    }
    vt_build_save(b, VT_RDX);
    vt_emit_load(e, VT_RDX, address);
    VT_EMIT(e, 0x48, 0xf7, 0xd2); /* NOT RDX */
    vt_emit_lea_sum(e, VT_RCX, VT_RCX, VT_RDX, 1);
    vt_build_restore(b, VT_RDX);
}

/*
 * A value that is already there changes nothing: no reserved bit, no mode, no priority. A write of CR3 would
 * still flush translations, of which there are none to flush.
 */
static bool inline_mov_to_cr(struct vt_build *b, const struct vt_instruction *in)
{
    if (in->reg == 2) {
        vt_emit_store(&b->e, in->rm, cr(b, 2));
        return true;
    }
    if (in->rm == VT_RSP || (in->reg != 0 && in->reg != 3 && in->reg != 4 && in->reg != 8))
        return false;
    uint32_t site = detour_site(b, in);
    difference(b, in->rm, cr(b, in->reg));
    detour_unless_rcx_zero(b, site);
    vt_build_restore(b, VT_RCX);
    return true;
}

static bool inline_clts(struct vt_build *b, const struct vt_instruction *in)
{
    bool dead = flags_dead(b);

    (void)in;
    if (!dead)
        vt_build_flags_away(b);
    vt_emit_absolute(&b->e, false, 0x80, 4, cr(b, 0)); /* AND byte [CR0], ~TS */
    vt_emit_8(&b->e, (uint8_t)~VT_CR0_TS);
    if (!dead)
        vt_build_flags_back(b);
    return true;
}

/* opcode reg, memory: the operand as the instruction has it, `beyond` bytes further. */
static void emit_memory(struct vt_build *b, const struct vt_instruction *in, bool wide, uint8_t opcode,
                        unsigned reg, int beyond)
{
    struct vt_emitter *e = &b->e;
    unsigned index = in->index == VT_NO_REGISTER ? 4 : in->index;
    unsigned base_reg = in->base == VT_NO_REGISTER || in->base == VT_BASE_RIP ? 5 : in->base;
    bool absolute = base_reg == 5 && in->base != VT_RBP;
    int64_t displacement = in->displacement + beyond + (in->base == VT_BASE_RIP ? next_of(b) : 0);

    vt_emit_8(e, (uint8_t)(0x40 | wide << 3 | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 |
                           (absolute ? 0 : base_reg >> 3 & 1)));
    VT_EMIT(e, opcode, (uint8_t)((absolute ? 0 : 2) << 6 | (reg & 7) << 3 | 4));
    vt_emit_8(e, (uint8_t)(in->scale << 6 | (index & 7) << 3 | (base_reg & 7)));
    vt_emit_32(e, (uint32_t)displacement);
}

/* Can the operand's address be formed by generated code? */
static bool is_plain_memory(const struct vt_build *b, const struct vt_instruction *in)
{
    int64_t displacement = in->displacement + 16 + (in->base == VT_BASE_RIP ? next_of(b) : 0);

    return (in->flags & VT_INSN_MEMORY) && !(in->flags & VT_INSN_ADDRESS32) && in->segment != VT_FS &&
           in->segment != VT_GS && displacement == (int32_t)displacement &&
           !(in->base == VT_BASE_RIP && in->index != VT_NO_REGISTER);
}

/* A register that the operand's address does not need. */
static enum vt_gpr scratch_for(const struct vt_instruction *in)
{
    enum vt_gpr reg = VT_RAX;
    while (reg == in->base || reg == in->index)
        reg++;
    return reg;
}

/* A register or memory receives what lies at `address`, `width` bytes wide there; the rest of a register is
 * 0. */
static bool store_to_operand(struct vt_build *b, const struct vt_instruction *in, uint32_t address,
                             unsigned width)
{
    struct vt_emitter *e = &b->e;

    if (!(in->flags & VT_INSN_MEMORY)) {
        if (in->size == 2)
            vt_emit_8(e, 0x66);
        vt_emit_absolute(e, in->size == 8 && width == 8, in->size > 2 && width == 2 ? 0x0fb7 : 0x8b, in->rm,
                         address);
        return true;
    }
    if (in->size != 2 || !is_plain_memory(b, in))
        return false;
    enum vt_gpr scratch = scratch_for(in);
    vt_build_save(b, scratch);
    vt_emit_load_16(e, scratch, address);
    vt_build_point(b, POINT_PLAIN, 0);
    vt_emit_8(e, 0x66);
    emit_memory(b, in, false, 0x89, scratch, 0);
    vt_build_restore(b, scratch);
    return true;
}

static bool inline_smsw(struct vt_build *b, const struct vt_instruction *in)
{
    return store_to_operand(b, in, cr(b, 0), 8);
}

static bool inline_store_selector(struct vt_build *b, const struct vt_instruction *in)
{
    return store_to_operand(b, in, selector(b, in->operation == VT_OP_STR ? VT_TR : VT_LDTR), 2);
}

static bool inline_mov_from_segment(struct vt_build *b, const struct vt_instruction *in)
{
    return store_to_operand(b, in, selector(b, in->reg), 2);
}

static bool inline_store_table(struct vt_build *b, const struct vt_instruction *in)
{
    struct vt_emitter *e = &b->e;
    uint32_t table = in->operation == VT_OP_SGDT ? AT(b->t, vcpu.gdtr) : AT(b->t, vcpu.idtr);

    if (!is_plain_memory(b, in))
        return false;
    enum vt_gpr scratch = scratch_for(in);
    vt_build_save(b, scratch);
    vt_emit_load(e, scratch, table + (uint32_t)offsetof(struct vt_table_register, base));
    vt_build_point(b, POINT_PLAIN, 0);
    emit_memory(b, in, true, 0x89, scratch, 2);
    vt_emit_load_16(e, scratch, table + (uint32_t)offsetof(struct vt_table_register, limit));
    vt_emit_8(e, 0x66);
    emit_memory(b, in, false, 0x89, scratch, 0);
    vt_build_restore(b, scratch);
    return true;
}

static bool inline_mov_from_dr(struct vt_build *b, const struct vt_instruction *in)
{
    if (in->reg > 7 || in->reg == 4 || in->reg == 5 || b->t->context->vcpu.dr[7] & UINT64_C(1) << 13)
        return false;
    vt_emit_load(&b->e, in->rm, AT(b->t, vcpu.dr) + 8u * in->reg);
    return true;
}

static bool inline_swapgs(struct vt_build *b, const struct vt_instruction *in)
{
    uint32_t gs = base(b, VT_GS), other = AT(b->t, vcpu.msr) + 8 * VT_MSR_KERNEL_GS_BASE;

    (void)in;
    vt_build_save(b, VT_RCX);
    vt_build_save(b, VT_RDX);
    vt_emit_load(&b->e, VT_RCX, gs);
    vt_emit_load(&b->e, VT_RDX, other);
    vt_emit_store(&b->e, VT_RCX, other);
    vt_emit_store(&b->e, VT_RDX, gs);
    vt_build_restore(b, VT_RDX);
    vt_build_restore(b, VT_RCX);
    return true;
}

static bool has_bases(const struct vt_build *b)
{
    const struct vt_vcpu *vcpu = &b->t->context->vcpu;
    return vt_vcpu_has(vcpu, VT_FEATURE_FSGSBASE) && vcpu->cr[4] & VT_CR4_FSGSBASE;
}

static bool inline_read_base(struct vt_build *b, const struct vt_instruction *in)
{
    if (!has_bases(b))
        return false;
    vt_emit_absolute(&b->e, in->size == 8, 0x8b, in->rm,
                     base(b, in->operation == VT_OP_RDFSBASE ? VT_FS : VT_GS));
    return true;
}

/* The base that is there already is canonical; any other goes to the emulator, which checks. */
static bool inline_write_base(struct vt_build *b, const struct vt_instruction *in)
{
    if (!has_bases(b) || in->size != 8 || in->rm == VT_RSP)
        return false;
    uint32_t site = detour_site(b, in);
    difference(b, in->rm, base(b, in->operation == VT_OP_WRFSBASE ? VT_FS : VT_GS));
    detour_unless_rcx_zero(b, site);
    vt_build_restore(b, VT_RCX);
    return true;
}

static bool inline_rdtsc(struct vt_build *b, const struct vt_instruction *in)
{
    const struct vt_vcpu *vcpu = &b->t->context->vcpu;
    bool auxiliary = in->operation == VT_OP_RDTSCP;

    if (vcpu->tsc_offset || (auxiliary && !vt_vcpu_has(vcpu, VT_FEATURE_RDTSCP)))
        return false;
    if (auxiliary)
        VT_EMIT(&b->e, 0x0f, 0x01, 0xf9);
    else
        VT_EMIT(&b->e, 0x0f, 0x31);
    if (auxiliary)
        vt_emit_load_32(&b->e, VT_RCX, AT(b->t, vcpu.msr) + 8 * VT_MSR_TSC_AUX);
    return true;
}

static bool inline_rdpid(struct vt_build *b, const struct vt_instruction *in)
{
    if (!vt_vcpu_has(&b->t->context->vcpu, VT_FEATURE_RDPID))
        return false;
    vt_emit_load(&b->e, in->rm, AT(b->t, vcpu.msr) + 8 * VT_MSR_TSC_AUX);
    return true;
}

static bool inline_pause(struct vt_build *b, const struct vt_instruction *in)
{
    (void)in;
    VT_EMIT(&b->e, 0xf3, 0x90);
    return true;
}

static inline_function *const sequences[VT_OPERATIONS] = {
    [VT_OP_CLI] = inline_cli,
    [VT_OP_STI] = inline_sti,
    [VT_OP_PUSHF] = inline_pushf,
    [VT_OP_POPF] = inline_popf,
    [VT_OP_MOV_FROM_CR] = inline_mov_from_cr,
    [VT_OP_MOV_TO_CR] = inline_mov_to_cr,
    [VT_OP_CLTS] = inline_clts,
    [VT_OP_SMSW] = inline_smsw,
    [VT_OP_SGDT] = inline_store_table,
    [VT_OP_SIDT] = inline_store_table,
    [VT_OP_SLDT] = inline_store_selector,
    [VT_OP_STR] = inline_store_selector,
    [VT_OP_MOV_FROM_SEGMENT] = inline_mov_from_segment,
    [VT_OP_MOV_FROM_DR] = inline_mov_from_dr,
    [VT_OP_SWAPGS] = inline_swapgs,
    [VT_OP_RDFSBASE] = inline_read_base,
    [VT_OP_RDGSBASE] = inline_read_base,
    [VT_OP_WRFSBASE] = inline_write_base,
    [VT_OP_WRGSBASE] = inline_write_base,
    [VT_OP_RDTSC] = inline_rdtsc,
    [VT_OP_RDTSCP] = inline_rdtsc,
    [VT_OP_RDPID] = inline_rdpid,
    [VT_OP_PAUSE] = inline_pause,
};

static bool emit_inline(struct vt_build *b, const struct vt_instruction *in)
{
    uint32_t first_site = b->t->sites.count;

    if (b->t->context->vcpu.cpl || !sequences[in->operation] || !sequences[in->operation](b, in))
        return false;
    if (b->t->counting)
        vt_build_count_hit(b);
    for (uint32_t i = first_site; i < b->t->sites.count && !b->t->step; i++)
        site_at(b, i)->resume = vt_emit_here(&b->e);
    return true;
}

void vt_build_sensitive(struct vt_build *b)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)b->guest;
    struct vt_instruction in;

    if (b->t->platform->decode_sensitive(code, b->t->code_end - b->guest, &in) != 0)
        in = (struct vt_instruction){.operation = VT_OP_UNDEFINED, .length = 1};
    b->insn.length = in.length;
    if (!emit_inline(b, &in))
        vt_build_callout(b, &in);
}
