/* Instructions that do the same wherever they stand: copied, but for what is relative to their place. */
#include "translate/build.h"

static void copy(struct vt_build *b)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)b->guest;
    uint8_t *at = b->e.at;

    memcpy(at, code, 16);
    if (b->insn.relative && !vt_build_relocate(b, at + b->insn.relative, at + b->insn.length)) {
        vt_build_callout(b, &(struct vt_instruction){.operation = VT_OP_NONE, .length = b->insn.length});
        return;
    }
    b->e.at = at + b->insn.length;
}

/*
 * NOPs that pad up to an aligned address are padding here as well: what was aligned stays so,
 * although the code before it has changed its length.
 */
static void pad(struct vt_build *b)
{
    uint32_t next = next_of(b), alignment = next & -next;

    if (alignment < 16) {
        copy(b);
        return;
    }
    alignment = alignment > 64 ? 64 : alignment;
    vt_emit_nops(&b->e, (0 - vt_emit_here(&b->e)) & (alignment - 1));
}

/* Longer NOPs before the last one are dropped when they lead to it: it pads for all. */
static bool is_run_of_padding(const struct vt_build *b)
{
    uint32_t next = next_of(b);
    struct vt_insn following;

    vt_translate_decode(b->t, (const uint8_t *)(uintptr_t)next, b->t->code_end - next, &following);
    return following.kind == VT_INSN_PADDING;
}

static void innocuous(struct vt_build *b)
{
    if (b->insn.extended && !b->t->context->vectors)
        b->t->context->vectors = 1;
    if (b->insn.kind != VT_INSN_PADDING)
        copy(b);
    else if (!is_run_of_padding(b))
        pad(b);
}

void vt_build_plain(struct vt_build *b)
{
    if (b->insn.kind == VT_INSN_JUMP_IF)
        vt_build_jump_if(b);
    else
        innocuous(b);
}
