/*
 * A block under construction: what those who build it share.
 */
#ifndef VT_TRANSLATE_BUILD_H
#define VT_TRANSLATE_BUILD_H

#include "translate/decode.h"
#include "translate/emit.h"
#include "translate/internal.h"

#define MOST_INSTRUCTIONS 512
/* Of one callee, of all callees in one block. Each may leave a pending branch, as each instruction may. */
#define MOST_INLINED       24
#define MOST_INLINED_BLOCK MOST_INSTRUCTIONS
#define MOST_HOST_BYTES    60000 /* points hold 16-bit offsets */

/* A direct branch whose target is settled when the block is complete. */
struct vt_build_pending {
    uint32_t displacement; /* address of its 32-bit displacement */
    uint32_t guest;
};

/* The way from an inline sequence to the emulator: registers are put back on it. */
struct vt_build_detour {
    uint32_t displacement;
    uint32_t site;
    uint16_t saved;
    bool flags; /* status flags are in flags_save */
};

struct vt_build {
    struct vt_translate *t;
    struct vt_emitter e;
    uint32_t start;       /* host address of the block */
    uint32_t guest_start; /* of the block */
    uint32_t first_point; /* of the block */
    uint32_t guest;       /* instruction under way */
    uint32_t watched_page;
    struct vt_insn insn;
    bool ended;       /* control does not go on behind the last instruction */
    uint16_t saved;   /* registers that the sequence under way has put away */
    uint32_t inlined; /* instructions of callees */
    uint32_t pendings, detours;
    /* Not cleared for each block: */
    struct vt_build_pending pending[2 * MOST_INSTRUCTIONS];
    struct vt_build_detour detour[4 * MOST_INSTRUCTIONS];
};

static inline uint32_t next_of(const struct vt_build *b)
{
    return b->guest + b->insn.length;
}

static inline uint32_t branch_target(const struct vt_build *b)
{
    return next_of(b) + (uint32_t)b->insn.branch;
}

static inline struct vt_translate_site *site_at(const struct vt_build *b, uint32_t index)
{
    return pool_at(&b->t->sites, index, sizeof(struct vt_translate_site));
}

static inline uint32_t save_slot(const struct vt_translate *t, unsigned reg)
{
    return AT(t, save) + 8 * reg;
}

static inline int32_t table_of(const struct vt_translate *t, unsigned branch)
{
    return (int32_t)(t->table_distance + (int64_t)(branch * t->table_size));
}

/* build.c */
void vt_build_point(struct vt_build *b, enum vt_translate_point_kind kind, unsigned reg);
void vt_build_save(struct vt_build *b, enum vt_gpr reg); /* put a register away for scratch use */
void vt_build_restore(struct vt_build *b, enum vt_gpr reg);
void vt_build_flags_away(struct vt_build *b); /* the status flags; RAX is scratch until they are back */
void vt_build_flags_back(struct vt_build *b);
void vt_build_pend(struct vt_build *b, uint32_t displacement, uint32_t guest);
/* A RIP-relative displacement at `at`, for an instruction that ends at `end`, shall reach what the guest's
 * reached. */
bool vt_build_relocate(struct vt_build *b, uint8_t *at, const uint8_t *end);
/* Control goes on at `guest`. */
void vt_build_go_on_at(struct vt_build *b, uint32_t guest);
/* Control goes on at the target of a Jcc, should its condition hold. */
void vt_build_jump_if(struct vt_build *b);
/* PUSH the address the guest would push. */
void vt_build_push_return(struct vt_build *b);
uint32_t vt_build_site(struct vt_build *b, const struct vt_instruction *instruction);
/* The whole instruction is the emulator's. */
void vt_build_callout(struct vt_build *b, const struct vt_instruction *instruction);
/* One more sensitive instruction done inline. */
void vt_build_count_hit(struct vt_build *b);
/* What the start of a detour owes the guest. */
void vt_build_put_back(struct vt_build *b, const struct vt_build_detour *detour);
/* The start of what a table leads to: is the register's value `guest` all the way? It is when the guest is
 * sane. */
void vt_build_check(struct vt_emitter *e, const struct vt_translate *t, unsigned branch, uint32_t guest);

/* copy.c: an instruction that is copied, or a conditional branch. */
void vt_build_plain(struct vt_build *b);

/* branch.c */
void vt_build_branch(struct vt_build *b);

/* inline.c: the callee here and now, behind the PUSH. It returns to what is emitted next, or into the table.
 */
bool vt_build_inline(struct vt_build *b, uint32_t callee);

/* sensitive.c, based.c */
void vt_build_sensitive(struct vt_build *b);
bool vt_build_based(struct vt_build *b);

#endif
