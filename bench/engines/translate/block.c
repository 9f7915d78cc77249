/*
 * Finding and translating blocks. A block runs on over conditional branches and
 * calls until an unconditional branch; every instruction in it can be branched to, since no
 * state is carried from one to the next but the guest's own.
 */
#include "bench/engines/translate/build.h"

#include <stdlib.h>

/* Room for the longest block, with its exits and detours. */
#define ROOM (MOST_HOST_BYTES + VT_EMIT_LONGEST + 64 * MOST_INSTRUCTIONS)

static bool pool_has(const struct pool *pool, uint32_t count)
{
    return pool->capacity - pool->count >= count;
}

static bool has_room(const struct vt_translate *t)
{
    return t->code_size - t->used >= ROOM && pool_has(&t->blocks, 2) &&
           pool_has(&t->points, 8 * MOST_INSTRUCTIONS) && pool_has(&t->exits, 2 * MOST_INSTRUCTIONS + 1) &&
           pool_has(&t->sites, MOST_INSTRUCTIONS);
}

/* Nothing to say when the last point goes on to be right. */
static bool is_implied(const struct build *b, uint16_t host, int32_t guest)
{
    const struct pool *points = &b->t->points;
    const struct point *last = pool_at(points, points->count - 1, sizeof *last);

    return points->count > b->first_point && last->kind == POINT_COPY &&
           host - last->host == guest - last->guest;
}

void vt_build_point(struct build *b, enum point_kind kind, unsigned reg)
{
    struct vt_translate *t = b->t;
    uint16_t host = (uint16_t)(vt_emit_here(&b->e) - b->start);
    int32_t guest = (int32_t)(b->guest - b->guest_start);

    if (kind == POINT_COPY && is_implied(b, host, guest))
        return;
    struct point *point = pool_at(&t->points, t->points.count++, sizeof *point);
    *point = (struct point){guest, host, (uint8_t)kind, (uint8_t)reg, b->saved};
}

static bool is_copied(const struct vt_insn *insn)
{
    return insn->kind == VT_INSN_COPY || insn->kind == VT_INSN_PADDING || insn->kind == VT_INSN_JUMP_IF;
}

void vt_build_save(struct build *b, enum vt_gpr reg)
{
    vt_emit_store(&b->e, reg, save_slot(b->t, reg));
    b->saved |= (uint16_t)(1u << reg);
}

void vt_build_restore(struct build *b, enum vt_gpr reg)
{
    vt_emit_load(&b->e, reg, save_slot(b->t, reg));
    b->saved &= (uint16_t) ~(1u << reg);
}

void vt_build_pend(struct build *b, uint32_t displacement, uint32_t guest)
{
    b->pending[b->pendings++] = (struct pending){displacement, guest};
}

bool vt_build_relocate(struct build *b, uint8_t *at, const uint8_t *end)
{
    int32_t displacement;
    memcpy(&displacement, at, sizeof displacement);
    int64_t target = (int64_t)next_of(b) + displacement;
    int64_t distance = target - (int64_t)((intptr_t)end + b->e.run);

    if (distance != (int32_t)distance)
        return false;
    displacement = (int32_t)distance;
    memcpy(at, &displacement, sizeof displacement);
    return true;
}

static void copy(struct build *b)
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
static void pad(struct build *b)
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
static bool is_run_of_padding(const struct build *b)
{
    uint32_t next = next_of(b);
    struct vt_insn following;

    vt_translate_decode(b->t->decoder, (const uint8_t *)(uintptr_t)next, gate_of(b->t) - next, &following);
    return following.kind == VT_INSN_PADDING;
}

static void innocuous(struct build *b)
{
    if (b->insn.extended && !b->t->context->vectors)
        b->t->context->vectors = 1;
    if (b->insn.kind != VT_INSN_PADDING)
        copy(b);
    else if (!is_run_of_padding(b))
        pad(b);
}

void vt_build_plain(struct build *b)
{
    if (b->insn.kind == VT_INSN_JUMP_IF)
        vt_build_branch(b);
    else
        innocuous(b);
}

static void instruction(struct build *b)
{
    switch (b->insn.kind) {
    case VT_INSN_COPY:
    case VT_INSN_PADDING:
        innocuous(b);
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

/* JMP rel32 to a place in the guest. */
void vt_build_go_on_at(struct build *b, uint32_t guest)
{
    vt_emit_8(&b->e, 0xe9);
    vt_build_pend(b, vt_emit_here(&b->e), guest);
    vt_emit_32(&b->e, 0);
}

/* The page of the instruction's last byte; that of the first is the one of the instruction before, or is new
 * as well. */
static void watch(struct build *b, uint32_t offset)
{
    uint32_t last = offset + b->insn.length - 1;

    if (last / PAGE == b->watched_page)
        return;
    vt_translate_watch(b->t, offset);
    vt_translate_watch(b->t, last);
    b->watched_page = last / PAGE;
}

static void translate(struct build *b)
{
    struct vt_translate *t = b->t;
    int most = t->step ? 1 : MOST_INSTRUCTIONS;

    for (int i = 0; i < most && !b->ended; i++, b->guest = next_of(b)) {
        uint32_t offset = b->guest - (uint32_t)(uintptr_t)t->window;
        uint32_t here = vt_emit_here(&b->e);

        if (b->guest >= gate_of(t) || (!t->step && t->host_of[offset]) || here - b->start > MOST_HOST_BYTES)
            break;
        vt_translate_decode(t->decoder, (const uint8_t *)(uintptr_t)b->guest, gate_of(t) - b->guest,
                            &b->insn);
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
static uint32_t emit_exit(struct build *b, const struct pending *pending)
{
    struct vt_translate *t = b->t;
    uint32_t start = vt_emit_here(&b->e);
    struct exit_record *record = pool_at(&t->exits, t->exits.count, sizeof *record);

    *record = (struct exit_record){t->step ? 0 : pending->displacement, pending->guest};
    vt_emit_store_value_32(&b->e, AT(t, index), t->exits.count++);
    vt_emit_jump(&b->e, t->step ? t->stubs.step : t->stubs.chain);
    return start;
}

void vt_translate_link(struct vt_translate *t, uint32_t displacement, uint32_t host)
{
    uint32_t value = host - displacement - 4;
    memcpy(t->code_writable + (displacement - (uint32_t)(uintptr_t)t->code), &value, sizeof value);
}

static void settle_branches(struct build *b)
{
    struct vt_translate *t = b->t;

    for (uint32_t i = 0; i < b->pendings; i++) {
        const struct pending *pending = &b->pending[i];
        uint32_t host = 0;
        if (!t->step && in_window(t, pending->guest))
            host = t->host_of[offset_of(t, pending->guest)];
        vt_translate_link(t, pending->displacement, host ? host : emit_exit(b, pending));
    }
}

void vt_build_put_back(struct build *b, const struct detour *detour)
{
    if (detour->flags) {
        vt_emit_load(&b->e, VT_RAX, AT(b->t, flags_save));
        VT_EMIT(&b->e, 0x04, 0x7f, 0x9e); /* ADD AL, 127; SAHF */
    }
    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        if (detour->saved >> reg & 1)
            vt_emit_load(&b->e, reg, save_slot(b->t, reg));
}

static void settle_detours(struct build *b)
{
    struct vt_translate *t = b->t;

    for (uint32_t i = 0; i < b->detours; i++) {
        const struct detour *detour = &b->detour[i];
        vt_translate_link(t, detour->displacement, vt_emit_here(&b->e));
        vt_build_put_back(b, detour);
        vt_emit_store_value_32(&b->e, AT(t, index), detour->site);
        vt_emit_jump(&b->e, t->stubs.callout);
    }
}

/*
 * What a table leads to: RCX-free unless the status flags are needed behind it. Falls into what
 * follows when the register holds `guest`.
 */
void vt_build_check(struct vt_emitter *e, const struct vt_translate *t, unsigned branch, uint32_t guest)
{
    enum vt_gpr reg = branch == BY_MEMORY ? VT_RCX : (enum vt_gpr)branch;
    uint32_t slot = save_slot(t, VT_RCX);

    if (vt_translate_flags_dead(t, guest)) {
        vt_emit_compare(e, reg, (int32_t)guest);
        vt_emit_jump_if(e, VT_CC_NE, t->stubs.miss[branch]);
        if (branch == BY_MEMORY)
            vt_emit_load(e, VT_RCX, slot);
        return;
    }
    if (reg != VT_RCX)
        vt_emit_store(e, VT_RCX, slot);
    vt_emit_lea(e, VT_RCX, reg, -(int32_t)guest);
    uint8_t *equal = vt_emit_if_rcx_zero(e);
    if (reg != VT_RCX)
        vt_emit_load(e, VT_RCX, slot);
    else
        vt_emit_lea(e, VT_RCX, VT_RCX, (int32_t)guest);
    vt_emit_jump(e, t->stubs.miss[branch]);
    vt_emit_land(e, equal);
    if (branch == VT_RCX)
        vt_emit_value(e, VT_RCX, guest);
    else
        vt_emit_load(e, VT_RCX, slot);
}

static void align(struct vt_emitter *e, uint32_t guest)
{
    uint32_t alignment = guest & -guest;

    if (alignment >= 16)
        vt_emit_nops(e, (0 - vt_emit_here(e)) & ((alignment > 64 ? 64 : alignment) - 1));
}

static struct block *open_block(struct build *b, struct vt_translate *t, uint32_t guest)
{
    struct block *block = pool_at(&t->blocks, t->blocks.count++, sizeof *block);

    memset(b, 0, offsetof(struct build, pending));
    b->t = t;
    b->e = (struct vt_emitter){t->code_writable + t->used, t->code - t->code_writable};
    b->guest = b->guest_start = guest;
    b->watched_page = ~0u;
    b->start = vt_emit_here(&b->e);
    b->first_point = t->points.count;
    *block = (struct block){.host = b->start, .guest = guest, .first_point = t->points.count};
    return block;
}

static void close_block(struct build *b, struct block *block)
{
    struct vt_translate *t = b->t;

    block->host_end = vt_emit_here(&b->e);
    t->used = block->host_end - (uint32_t)(uintptr_t)t->code;
}

/* Returns the host address of the check when `branch` is one, else of the code. */
static uint32_t build(struct vt_translate *t, uint32_t guest, int branch)
{
    struct build *b = t->build;
    struct block *block = open_block(b, t, guest);

    align(&b->e, guest);
    uint32_t entry = vt_emit_here(&b->e);
    if (branch >= 0)
        vt_build_check(&b->e, t, (unsigned)branch, guest);
    translate(b);
    t->counts.blocks++;
    t->counts.bytes += b->guest - guest;
    settle_branches(b);
    settle_detours(b);
    close_block(b, block);
    return entry;
}

static bool make_ready(struct vt_translate *t, uint64_t guest)
{
    if (!in_window(t, guest) || guest >= gate_of(t))
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
    struct block *block = pool_at(&t->blocks, t->blocks.count++, sizeof *block);

    *block = (struct block){.host = vt_emit_here(&e), .guest = guest, .first_point = t->points.count};
    vt_build_check(&e, t, branch, guest);
    vt_emit_jump(&e, host);
    block->host_end = vt_emit_here(&e);
    t->used = block->host_end - (uint32_t)(uintptr_t)t->code;
    return block->host;
}

uint32_t vt_translate_landing(struct vt_translate *t, uint64_t guest, unsigned branch)
{
    if (!make_ready(t, guest))
        return 0;
    uint32_t host = t->host_of[offset_of(t, guest)], landing;
    landing = host ? build_check(t, (uint32_t)guest, branch, host) : build(t, (uint32_t)guest, (int)branch);
    vt_translate_set_table(t, branch, offset_of(t, guest), landing);
    return t->host_of[offset_of(t, guest)];
}
