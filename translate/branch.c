/* Branches, calls and returns. */
#include "translate/build.h"

/* There is no long form: the short one jumps over a jump. */
static void loop(struct vt_build *b)
{
    vt_emit_bytes(&b->e, (const uint8_t *)(uintptr_t)b->guest, b->insn.length - 1u);
    VT_EMIT(&b->e, 0x02, 0xeb, 0x05);
    vt_build_go_on_at(b, branch_target(b));
}

/*
 * RCX = the target, which the instruction names by memory or RSP. Whatever the operand says, its
 * bytes behind the opcode serve an 8B (MOV) as well, with RCX in ModRM.reg.
 */
static bool load_target(struct vt_build *b)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)b->guest;
    uint8_t rex = 0, *start;
    unsigned tail = b->insn.length - b->insn.modrm;

    if (b->insn.modrm >= 2 && (code[b->insn.modrm - 2] & 0xf0) == 0x40)
        rex = code[b->insn.modrm - 2] & 3;
    vt_emit_store(&b->e, VT_RCX, save_slot(b->t, VT_RCX));
    vt_build_point(b, POINT_PLAIN, 0);
    VT_EMIT(&b->e, (uint8_t)(0x48 | rex), 0x8b, (uint8_t)((code[b->insn.modrm] & 0xc7) | VT_RCX << 3));
    start = b->e.at;
    vt_emit_bytes(&b->e, code + b->insn.modrm + 1, tail - 1);
    b->saved |= 1u << VT_RCX;
    return !b->insn.relative || vt_build_relocate(b, start, b->e.at);
}

static int register_operand(const struct vt_build *b)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)b->guest;
    uint8_t modrm = code[b->insn.modrm], rex = b->insn.modrm >= 2 ? code[b->insn.modrm - 2] : 0;

    if (modrm >> 6 != 3)
        return BY_MEMORY;
    int reg = (modrm & 7) | ((rex & 0xf0) == 0x40 && (rex & 1) ? 8 : 0);
    return reg == VT_RSP ? BY_MEMORY : reg;
}

static void jump_through(struct vt_build *b, int branch)
{
    vt_build_point(b, POINT_INDIRECT, (unsigned)branch);
    if (!has_tables(b->t))
        vt_emit_jump(&b->e, b->t->stubs.miss[branch]);
    else
        vt_emit_jump_table(&b->e, branch == BY_MEMORY ? VT_RCX : (enum vt_gpr)branch,
                           table_of(b->t, (unsigned)branch));
    b->saved = 0;
}

/* Where the return arrives: a return is an indirect jump through memory, and this is its target's entry. */
static void land(struct vt_build *b)
{
    struct vt_translate *t = b->t;
    uint32_t next = next_of(b);

    if (!has_tables(t))
        return;
    vt_translate_set_table(t, BY_MEMORY, next - (uint32_t)(uintptr_t)t->window, vt_emit_here(&b->e));
    vt_build_check(&b->e, t, BY_MEMORY, next);
}

static void call(struct vt_build *b, uint32_t callee)
{
    vt_build_push_return(b);
    if (!vt_build_inline(b, callee)) {
        vt_build_go_on_at(b, callee);
        land(b);
        return;
    }
    VT_EMIT(&b->e, 0xe9, 0, 0, 0, 0);
    uint32_t over = vt_emit_here(&b->e) - 4;
    land(b);
    vt_translate_link(b->t, over, vt_emit_here(&b->e));
}

static void unreachable_operand(struct vt_build *b)
{
    b->saved = 0;
    vt_build_callout(b, &(struct vt_instruction){.operation = VT_OP_NONE, .length = b->insn.length});
}

/*
 * Where a call through a register will lead: most likely where the register points now, as this code is
 * translated because it is about to run. 0: nowhere that has been code so far.
 */
static uint32_t foresee(const struct vt_build *b, int branch)
{
    const struct vt_translate *t = b->t;
    uint64_t value = branch == BY_MEMORY ? 0 : t->context->vcpu.gpr[branch];

    return !t->step && is_code(t, value) ? (uint32_t)value : 0;
}

/* The inline cache: a call of `callee`, where the register holds anything else the call through it. */
static void call_foreseen(struct vt_build *b, int branch, uint32_t callee)
{
    vt_build_save(b, VT_RCX);
    vt_emit_lea(&b->e, VT_RCX, (enum vt_gpr)branch, -(int32_t)callee);
    uint8_t *equal = vt_emit_if_rcx_zero(&b->e);
    vt_emit_load(&b->e, VT_RCX, save_slot(b->t, VT_RCX));
    b->saved = 0;
    vt_build_push_return(b);
    jump_through(b, branch);
    vt_emit_land(&b->e, equal);
    vt_build_restore(b, VT_RCX);
    vt_build_push_return(b);
    vt_build_go_on_at(b, callee);
    land(b);
}

static void call_to(struct vt_build *b)
{
    int branch = register_operand(b);
    uint32_t callee = foresee(b, branch);

    if (callee) {
        call_foreseen(b, branch, callee);
        return;
    }

    if (branch == BY_MEMORY && !load_target(b)) {
        unreachable_operand(b);
        return;
    }
    vt_build_push_return(b);
    jump_through(b, branch);
    land(b);
}

static void jump_to(struct vt_build *b)
{
    int branch = register_operand(b);

    if (branch == BY_MEMORY && !load_target(b))
        unreachable_operand(b);
    else
        jump_through(b, branch);
    b->ended = true;
}

static void return_near(struct vt_build *b)
{
    vt_emit_store(&b->e, VT_RCX, save_slot(b->t, VT_RCX));
    vt_build_point(b, POINT_PLAIN, 0);
    vt_emit_8(&b->e, 0x59); /* POP RCX */
    b->saved |= 1u << VT_RCX;
    if (b->insn.pop)
        vt_emit_lea(&b->e, VT_RSP, VT_RSP, b->insn.pop);
    jump_through(b, BY_MEMORY);
    b->ended = true;
}

void vt_build_branch(struct vt_build *b)
{
    switch (b->insn.kind) {
    case VT_INSN_JUMP:
        vt_build_go_on_at(b, branch_target(b));
        b->ended = true;
        break;
    case VT_INSN_JUMP_IF:
        vt_build_jump_if(b);
        break;
    case VT_INSN_LOOP:
        loop(b);
        break;
    case VT_INSN_CALL:
        call(b, branch_target(b));
        break;
    case VT_INSN_CALL_TO:
        call_to(b);
        break;
    case VT_INSN_JUMP_TO:
        jump_to(b);
        break;
    default:
        return_near(b);
    }
}
