/*
 * Finding and translating blocks. A block runs on over conditional branches and
 * calls until an unconditional branch; every instruction in it can be branched to, since no
 * state is carried from one to the next but the guest's own.
 */
#include "translate/build.h"

/* Room for the longest block, with its exits and detours. */
#define ROOM (MOST_HOST_BYTES + VT_EMIT_LONGEST + 64 * MOST_INSTRUCTIONS)

static bool pool_has(const struct vt_translate_pool *pool, uint32_t count)
{
    return pool->capacity - pool->count >= count;
}

static bool has_room(const struct vt_translate *t)
{
    return t->code_size - t->used >= ROOM && pool_has(&t->blocks, 2) &&
           pool_has(&t->points, 8 * MOST_INSTRUCTIONS) && pool_has(&t->exits, 2 * MOST_INSTRUCTIONS + 1) &&
           pool_has(&t->sites, MOST_INSTRUCTIONS);
}

static bool is_copied(const struct vt_insn *insn)
{
    return insn->kind == VT_INSN_COPY || insn->kind == VT_INSN_PADDING || insn->kind == VT_INSN_JUMP_IF;
}

static void instruction(struct vt_build *b)
{
    switch (b->insn.kind) {
    case VT_INSN_COPY:
    case VT_INSN_PADDING:
        vt_build_plain(b);
        break;
    case VT_INSN_BASED:
        if (!vt_build_based(b))
            vt_build_sensitive(b);
        break;
    case VT_INSN_SENSITIVE:
    case VT_INSN_INVALID:
    case VT_INSN_CUT:
        vt_build_sensitive(b);
        break;
    default:
        vt_build_branch(b);
    }
}

/* The page of the instruction's last byte; that of the first is the one of the instruction before, or is new
 * as well. */
static void watch(struct vt_build *b, uint32_t offset)
{
    uint32_t last = offset + b->insn.length - 1;

    if (last / PAGE == b->watched_page)
        return;
    vt_translate_watch(b->t, offset);
    vt_translate_watch(b->t, last);
    b->watched_page = last / PAGE;
}

static void translate(struct vt_build *b)
{
    struct vt_translate *t = b->t;
    int most = t->step ? 1 : MOST_INSTRUCTIONS;

    for (int i = 0; i < most && !b->ended; i++, b->guest = next_of(b)) {
        uint32_t offset = b->guest - (uint32_t)(uintptr_t)t->window;
        uint32_t here = vt_emit_here(&b->e);

        if (b->guest >= t->code_end || (!t->step && t->host_of[offset]) || here - b->start > MOST_HOST_BYTES)
            break;
        vt_translate_decode(t, (const uint8_t *)(uintptr_t)b->guest, t->code_end - b->guest, &b->insn);
        if (!t->step) {
            watch(b, offset);
            t->host_of[offset] = here;
        }
        vt_build_point(b, is_copied(&b->insn) ? POINT_COPY : POINT_PLAIN, 0);
        if (t->by_emulator[offset / 8] >> (offset % 8) & 1)
            vt_build_sensitive(b);
        else
            instruction(b);
    }
    if (!b->ended)
        vt_build_go_on_at(b, b->guest);
}

/* Code that reports a branch nobody has linked yet. */
static uint32_t emit_exit(struct vt_build *b, const struct vt_build_pending *pending)
{
    struct vt_translate *t = b->t;
    uint32_t start = vt_emit_here(&b->e);
    struct vt_translate_exit *record = pool_at(&t->exits, t->exits.count, sizeof *record);

    *record = (struct vt_translate_exit){t->step ? 0 : pending->displacement, pending->guest};
    vt_emit_store_value_32(&b->e, AT(t, index), t->exits.count++);
    vt_emit_jump(&b->e, t->step ? t->stubs.step : t->stubs.chain);
    return start;
}

static void settle_branches(struct vt_build *b)
{
    struct vt_translate *t = b->t;

    for (uint32_t i = 0; i < b->pendings; i++) {
        const struct vt_build_pending *pending = &b->pending[i];
        uint32_t host = 0;
        if (!t->step && in_window(t, pending->guest))
            host = t->host_of[offset_of(t, pending->guest)];
        vt_translate_link(t, pending->displacement, host ? host : emit_exit(b, pending));
    }
}

static void settle_detours(struct vt_build *b)
{
    struct vt_translate *t = b->t;

    for (uint32_t i = 0; i < b->detours; i++) {
        const struct vt_build_detour *detour = &b->detour[i];
        vt_translate_link(t, detour->displacement, vt_emit_here(&b->e));
        vt_build_put_back(b, detour);
        vt_emit_store_value_32(&b->e, AT(t, index), detour->site);
        vt_emit_jump(&b->e, t->stubs.callout);
    }
}

static void align(struct vt_emitter *e, uint32_t guest)
{
    uint32_t alignment = guest & -guest;

    if (alignment >= 16)
        vt_emit_nops(e, (0 - vt_emit_here(e)) & ((alignment > 64 ? 64 : alignment) - 1));
}

static struct vt_translate_block *open_block(struct vt_build *b, struct vt_translate *t, uint32_t guest)
{
    struct vt_translate_block *block = pool_at(&t->blocks, t->blocks.count++, sizeof *block);

    memset(b, 0, offsetof(struct vt_build, pending));
    b->t = t;
    b->e = (struct vt_emitter){t->code_writable + t->used, t->code - t->code_writable};
    b->guest = b->guest_start = guest;
    b->watched_page = ~0u;
    b->start = vt_emit_here(&b->e);
    b->first_point = t->points.count;
    *block = (struct vt_translate_block){.host = b->start, .guest = guest, .first_point = t->points.count};
    return block;
}

static void close_block(struct vt_build *b, struct vt_translate_block *block)
{
    struct vt_translate *t = b->t;

    block->host_end = vt_emit_here(&b->e);
    t->used = block->host_end - (uint32_t)(uintptr_t)t->code;
}

/* Returns the host address of the check when `branch` is one, else of the code. */
static uint32_t build(struct vt_translate *t, uint32_t guest, int branch)
{
    struct vt_build *b = t->build;
    struct vt_translate_block *block = open_block(b, t, guest);

    align(&b->e, guest);
    uint32_t entry = vt_emit_here(&b->e);
    if (branch >= 0)
        vt_build_check(&b->e, t, (unsigned)branch, guest);
    translate(b);
    t->has_programs |= is_program(t);
    t->counts.blocks++;
    t->counts.bytes += b->guest - guest;
    settle_branches(b);
    settle_detours(b);
    close_block(b, block);
    return entry;
}

static bool make_ready(struct vt_translate *t, uint64_t guest)
{
    if (!is_code(t, guest))
        return false;
    if (!has_room(t))
        vt_translate_flush(t);
    vt_translate_populate(t, ROOM);
    return true;
}

uint32_t vt_translate_block(struct vt_translate *t, uint64_t guest)
{
    if (!make_ready(t, guest))
        return 0;
    uint32_t host = t->step ? 0 : t->host_of[offset_of(t, guest)];
    return host ? host : build(t, (uint32_t)guest, -1);
}

/* A check of its own, for code that is already there. */
static uint32_t build_check(struct vt_translate *t, uint32_t guest, unsigned branch, uint32_t host)
{
    struct vt_emitter e = {t->code_writable + t->used, t->code - t->code_writable};
    struct vt_translate_block *block = pool_at(&t->blocks, t->blocks.count++, sizeof *block);

    *block =
        (struct vt_translate_block){.host = vt_emit_here(&e), .guest = guest, .first_point = t->points.count};
    vt_build_check(&e, t, branch, guest);
    vt_emit_jump(&e, host);
    block->host_end = vt_emit_here(&e);
    t->used = block->host_end - (uint32_t)(uintptr_t)t->code;
    return block->host;
}

uint32_t vt_translate_landing(struct vt_translate *t, uint64_t guest, unsigned branch)
{
    if (is_program(t))
        return vt_translate_block(t, guest);
    if (!make_ready(t, guest))
        return 0;
    uint32_t host = t->host_of[offset_of(t, guest)], landing;
    landing = host ? build_check(t, (uint32_t)guest, branch, host) : build(t, (uint32_t)guest, (int)branch);
    vt_translate_set_table(t, branch, offset_of(t, guest), landing);
    return t->host_of[offset_of(t, guest)];
}
