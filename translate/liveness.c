/*
 * Are the status flags worth anything at a place? Most code computes them anew
 * before it looks; there, generated code may use them for itself.
 *
 * One thing can tell: the handler of a fault raised between such a place and the
 * next instruction that writes the flags finds other status flags in its frame.
 */
#include "translate/decode.h"
#include "translate/internal.h"

#define LOOK_AHEAD 12

static bool follow(const struct vt_insn *insn)
{
    return insn->kind == VT_INSN_JUMP || insn->kind == VT_INSN_CALL;
}

bool vt_translate_flags_dead(const struct vt_translate *t, uint64_t guest)
{
    for (int i = 0; i < LOOK_AHEAD; i++) {
        if (!is_code(t, guest))
            return false;
        const uint8_t *code = (const uint8_t *)(uintptr_t)guest;
        struct vt_insn insn;
        vt_translate_decode(t, code, t->code_end - guest, &insn);
        if (insn.flags == VT_FLAGS_READ || insn.kind >= VT_INSN_SENSITIVE)
            return false;
        if (insn.flags == VT_FLAGS_WRITTEN)
            return true;
        if (insn.kind != VT_INSN_COPY && insn.kind != VT_INSN_PADDING && !follow(&insn))
            return false;
        guest += insn.length;
        if (follow(&insn))
            guest += (uint64_t)(int64_t)insn.branch;
    }
    return false;
}
