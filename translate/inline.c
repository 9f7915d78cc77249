/*
 * Short callees translated in place at the call. The return address is pushed all the same, and the
 * return looks whether it still lies on the stack: if not, the callee's own translation does the
 * return. No state is carried but the guest's, so a copy may be left and entered anywhere; what it
 * calls in turn returns to the callee's own translation.
 */
#include "translate/build.h"

/* An instruction of the copy; `joins`: a jump to where it is already. */
struct entry {
    uint32_t guest, host;
    bool joins;
    struct vt_insn insn;
};

struct copy {
    struct entry entries[MOST_INLINED];
    uint32_t count;
    uint32_t starts[MOST_INLINED + 1]; /* of stretches still to be collected */
    uint32_t waiting;
    bool returns;
    uint32_t next;                              /* where the call returns to */
    struct vt_build_pending ends[MOST_INLINED]; /* jumps to the end of the copy */
    struct vt_build_pending outs[MOST_INLINED]; /* jumps out of it, even to translations of what it holds */
    uint32_t end_count, out_count;
};

static const struct entry *find(const struct copy *copy, uint32_t guest)
{
    for (uint32_t i = 0; i < copy->count; i++)
        if (copy->entries[i].guest == guest && !copy->entries[i].joins)
            return &copy->entries[i];
    return NULL;
}

enum stretch { STRETCH_GOES_ON, STRETCH_ENDS, STRETCH_REFUSED };

/* Adds the instruction at *at and goes on to the next. */
static enum stretch add(const struct vt_build *b, struct copy *copy, uint32_t *at)
{
    const struct vt_translate *t = b->t;
    uint32_t guest = *at, offset = offset_of(t, guest);
    struct entry *entry = &copy->entries[copy->count];

    if (copy->count == MOST_INLINED || !is_code(t, guest) || (t->by_emulator[offset / 8] >> (offset % 8) & 1))
        return STRETCH_REFUSED;
    *entry = (struct entry){.guest = guest, .joins = find(copy, guest) != NULL};
    copy->count++;
    if (entry->joins)
        return STRETCH_ENDS;
    vt_translate_decode(t, (const uint8_t *)(uintptr_t)guest, t->code_end - guest, &entry->insn);
    *at += entry->insn.length;
    switch (entry->insn.kind) {
    case VT_INSN_JUMP_IF:
        copy->starts[copy->waiting++] = *at + (uint32_t)entry->insn.branch;
        return STRETCH_GOES_ON;
    case VT_INSN_COPY:
    case VT_INSN_PADDING:
        return STRETCH_GOES_ON;
    case VT_INSN_RETURN:
        copy->returns = true;
        return STRETCH_ENDS;
    case VT_INSN_CALL:
        return STRETCH_ENDS;
    default:
        return STRETCH_REFUSED;
    }
}

/* What is reached first comes first. False: not short, or not such that a copy would ever return. */
static bool collect(const struct vt_build *b, struct copy *copy, uint32_t callee)
{
    enum stretch stretch = STRETCH_ENDS;

    copy->starts[copy->waiting++] = callee;
    for (uint32_t i = 0; i < copy->waiting && stretch == STRETCH_ENDS; i++) {
        if (find(copy, copy->starts[i]))
            continue;
        uint32_t at = copy->starts[i];
        do
            stretch = add(b, copy, &at);
        while (stretch == STRETCH_GOES_ON);
    }
    return stretch == STRETCH_ENDS && copy->returns;
}

static void jump_later(struct vt_build *b, struct vt_build_pending *list, uint32_t *count, uint32_t guest)
{
    vt_emit_8(&b->e, 0xe9);
    list[(*count)++] = (struct vt_build_pending){vt_emit_here(&b->e), guest};
    vt_emit_32(&b->e, 0);
}

/* LEA and JRCXZ leave the flags alone, which the code behind another return address may look at. */
static void guarded_return(struct vt_build *b, struct copy *copy, bool last)
{
    vt_build_save(b, VT_RCX);
    b->saved = 0;
    vt_build_point(b, POINT_PLAIN, 0);
    VT_EMIT(&b->e, 0x48, 0x8b, 0x0c, 0x24); /* MOV RCX, [RSP] */
    b->saved = 1u << VT_RCX;
    vt_build_point(b, POINT_PLAIN, 0);
    vt_emit_lea(&b->e, VT_RCX, VT_RCX, -(int32_t)copy->next);
    uint8_t *equal = vt_emit_if_rcx_zero(&b->e);
    vt_emit_load(&b->e, VT_RCX, save_slot(b->t, VT_RCX));
    jump_later(b, copy->outs, &copy->out_count, b->guest);
    vt_emit_land(&b->e, equal);
    vt_build_restore(b, VT_RCX);
    vt_emit_lea(&b->e, VT_RSP, VT_RSP, 8 + b->insn.pop);
    if (!last)
        jump_later(b, copy->ends, &copy->end_count, copy->next);
}

static void emit_entry(struct vt_build *b, struct copy *copy, struct entry *entry)
{
    b->guest = entry->guest;
    b->insn = entry->insn;
    entry->host = vt_emit_here(&b->e);
    if (entry->joins) {
        vt_build_go_on_at(b, entry->guest);
        return;
    }
    vt_translate_watch(b->t, offset_of(b->t, entry->guest));
    vt_translate_watch(b->t, offset_of(b->t, next_of(b) - 1));
    vt_build_point(b, POINT_PLAIN, 0);
    switch (entry->insn.kind) {
    case VT_INSN_RETURN:
        guarded_return(b, copy, entry == &copy->entries[copy->count - 1]);
        break;
    case VT_INSN_CALL:
        vt_build_push_return(b);
        jump_later(b, copy->outs, &copy->out_count, next_of(b) + (uint32_t)entry->insn.branch);
        break;
    default:
        vt_build_plain(b);
    }
}

/* Branches from the copy into it; all others are the block's to settle. */
static void settle(struct vt_build *b, struct copy *copy, uint32_t first)
{
    uint32_t kept = first;

    for (uint32_t i = first; i < b->pendings; i++) {
        const struct entry *entry = find(copy, b->pending[i].guest);
        if (entry)
            vt_translate_link(b->t, b->pending[i].displacement, entry->host);
        else
            b->pending[kept++] = b->pending[i];
    }
    b->pendings = kept;
    for (uint32_t i = 0; i < copy->out_count; i++)
        vt_build_pend(b, copy->outs[i].displacement, copy->outs[i].guest);
    for (uint32_t i = 0; i < copy->end_count; i++)
        vt_translate_link(b->t, copy->ends[i].displacement, vt_emit_here(&b->e));
}

bool vt_build_inline(struct vt_build *b, uint32_t callee)
{
    struct copy copy = {.next = next_of(b)};
    struct vt_insn call = b->insn;
    uint32_t guest = b->guest, first = b->pendings;

    if (b->t->step || b->inlined + MOST_INLINED > MOST_INLINED_BLOCK || !collect(b, &copy, callee))
        return false;
    for (uint32_t i = 0; i < copy.count; i++)
        emit_entry(b, &copy, &copy.entries[i]);
    settle(b, &copy, first);
    b->inlined += copy.count;
    b->guest = guest;
    b->insn = call;
    b->watched_page = ~0u;
    return true;
}
