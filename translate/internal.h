/*
 * What the files of the translator share: its parts, their places and the
 * records that tie translated code to guest code.
 *
 * Places. Everything generated code names by address lies below 2 GiB, so that an
 * address is a sign-extended 32-bit operand and no guest register is needed to reach it:
 *
 *     window   guest memory
 *     context  struct vt_translate_context
 *     code     translated code, executable; written through a second mapping
 *
 * and at eight times the window's address, less a constant, one table per register: guest
 * address t leads to the host address at [t * 8 + distance], an operand of JMP.
 */
#ifndef VT_TRANSLATE_INTERNAL_H
#define VT_TRANSLATE_INTERNAL_H

#include "translate/platform.h"
#include "translate/translate.h"
#include "vcpu/instruction.h"

#define PAGE 4096

/* Tables are filled and forgotten in chunks. */
#define CHUNK 16384

/* What an indirect branch reads its target from: a register, or memory by way of RCX. */
#define BY_MEMORY 16
#define BRANCHES  17

/* Why translated code was left. */
enum vt_translate_reason {
    EXIT_CHAIN,    /* index: struct vt_translate_exit */
    EXIT_CALLOUT,  /* index: struct vt_translate_site */
    EXIT_INDIRECT, /* index: register or BY_MEMORY, as the entry says; target: guest address */
    EXIT_WILD,     /* the same, as the jump itself says */
    EXIT_STEP,     /* end of a stretch of one instruction; index: struct vt_translate_exit */
    EXIT_FAULT,    /* written where the fault was taken: trap */
    EXIT_STOP,
};

/* A hardware exception of translated code. */
struct vt_translate_trap {
    uint8_t vector;
    uint32_t error;
    uint64_t address;
};

/* Reached by generated code through absolute addresses. */
struct vt_translate_context {
    struct vt_vcpu vcpu;
    uint64_t save[VT_GPRS]; /* guest registers while a sequence uses the host's */
    uint64_t flags_save;    /* AH and AL: status flags while a sequence uses the processor's */
    uint64_t target;        /* host address to enter, or guest address of EXIT_INDIRECT */
    uint64_t host_stack;
    uint64_t hits;        /* inline sequences executed, in counting mode */
    uint64_t flags_rest;  /* to be added to what PUSHF gives, with vcpu.interrupt_flag: see flags.c */
    uint64_t flags_fixed; /* what POPF must find in FLAGS_FIXED to be done inline */
    uint64_t flags_enter; /* AX for SAHF and ADD AL, 127 */
    uint64_t flags_leave;
    uint32_t reason, index;
    uint32_t inside;  /* the thread is between enter and leave */
    uint32_t vectors; /* guest code uses vector registers: they are kept in `vector_state` outside it */
    uint8_t vector_state[4096] __attribute__((aligned(64))); /* XSAVE area (Intel SDM 1 13.4) */
};

/* Flags beyond the status flags that POPF may change: inline only while they stay as they are, DF clear. */
#define FLAGS_FIXED (VT_FLAG_TF | VT_FLAG_DF | VT_FLAG_NT | VT_FLAG_AC | VT_FLAG_ID | VT_FLAG_IOPL)
/* What the processor's flags register holds for the guest; all else is in the virtual CPU. */
#define FLAGS_REAL (VT_FLAGS_STATUS | VT_FLAG_DF)

/* How the state at a point inside translated code differs from the guest's. */
enum vt_translate_point_kind {
    POINT_COPY,     /* from here on as long as the guest's code: both advance alike */
    POINT_PLAIN,    /* one instruction of the guest */
    POINT_INDIRECT, /* the jump through a table: `reg` */
};

/* From `host` on (offset in the block), the guest is at `guest` (distance from the block's start: a callee in
 * place may lie before it). */
struct vt_translate_point {
    int32_t guest;
    uint16_t host;
    uint8_t kind; /* enum vt_translate_point_kind */
    uint8_t reg;
    uint16_t saved; /* bit r: register r is in save[r] */
};

/* A stretch of translated code; in the order of their host addresses. */
struct vt_translate_block {
    uint32_t host, host_end;
    uint32_t guest;
    uint32_t first_point;
};

/* A direct branch that leads out of its block. */
struct vt_translate_exit {
    uint32_t displacement; /* address of the 32-bit displacement to be linked; 0: none */
    uint32_t guest;        /* target */
};

/* An instruction done by the emulator. */
struct vt_translate_site {
    struct vt_instruction instruction;
    uint32_t guest;
    uint32_t resume;      /* host address behind it; 0: control does not go there */
    uint32_t host;        /* first host address: a jump to a specialization may be put there; 0: never */
    uint32_t specialized; /* the newest one; a miss of it goes to the one before, or the callout */
    uint32_t tries;       /* to make one, whether it could be made or not */
};

struct vt_translate_stubs {
    uint32_t enter[2]; /* the second with the direction flag set */
    uint32_t leave, unwind;
    uint32_t chain, callout, step;
    uint32_t miss[BRANCHES];
};

struct vt_translate_pool {
    void *items;
    uint32_t count, capacity;
};

struct vt_translate {
    const struct vt_translate_platform *platform;
    const struct vt_environment *environment;

    /* The places, filled by who makes it. */
    struct vt_translate_context *context;
    uint8_t *window;
    size_t window_size;
    uint8_t *tables; /* BRANCHES of table_size */
    size_t table_size;
    int64_t table_distance; /* of the first */
    uint8_t *table_filled;  /* per table chunk: holds entries */
    uint8_t *code;          /* where it is executed */
    uint8_t *code_writable; /* where it is written */
    size_t code_size;
    uint32_t *lookup[2];  /* of the guest's kernel, and of its programs: what is sensitive differs */
    uint32_t *host_of;    /* the one of them that is of the level now; per byte of the window: host address of
                             the instruction there, 0: none */
    bool has_programs;    /* the second is not empty */
    uint8_t *watched;     /* per page of the window: translated from, hence write-protected */
    uint8_t *by_emulator; /* bit per byte of the window: the access of this instruction is a device's */
    struct vt_translate_pool blocks, points, exits, sites;
    void *build;       /* struct vt_build: one block at a time */
    uint32_t gate;     /* where the guest's return ends the run: no code lies there */
    uint32_t code_end; /* of what may be code in the window */

    uint32_t used, after_stubs;
    uint32_t populated; /* bytes of code that have memory behind them */
    struct vt_translate_stubs stubs;
    void (*enter[2])(uint64_t stub); /* how each of them is called */
    uint64_t host_flags;             /* of this run */
    uint64_t lookup_span;            /* where in host_of memory was last given */

    uint64_t mode; /* what of the CPU's state the translations were made for */
    bool counting;
    bool step; /* translate one instruction at a time: it writes to the page it lies in */
    volatile int stop;
    struct vt_translate_trap trap;
    struct vt_translate_counts counts;
};

static inline bool in_window(const struct vt_translate *t, uint64_t address)
{
    return address - (uintptr_t)t->window < t->window_size;
}

static inline uint32_t offset_of(const struct vt_translate *t, uint64_t address)
{
    return (uint32_t)(address - (uintptr_t)t->window);
}

/* May the guest have code there? */
static inline bool is_code(const struct vt_translate *t, uint64_t address)
{
    return in_window(t, address) && address < t->code_end;
}

/* Is it a program of the guest's that runs, and not its kernel? */
static inline bool is_program(const struct vt_translate *t)
{
    return t->context->vcpu.cpl != 0;
}

/* Jumps through a table find the kernel's code alone: where else, each is looked up. */
static inline bool has_tables(const struct vt_translate *t)
{
    return !t->step && !is_program(t);
}

/* What the tables know, the platform's decoder for the rest. */
static inline void vt_translate_decode(const struct vt_translate *t, const uint8_t *code, size_t size,
                                       struct vt_insn *insn)
{
    if (!vt_translate_decode_table(code, size, insn))
        t->platform->decode(t, code, size, insn);
}

static inline uint32_t context_address(const struct vt_translate *t, size_t offset)
{
    return (uint32_t)((uintptr_t)t->context + offset);
}

/* Address of a member of the context, for generated code. */
#define AT(t, member) context_address(t, offsetof(struct vt_translate_context, member))

static inline void *pool_at(const struct vt_translate_pool *pool, uint32_t index, size_t size)
{
    return (uint8_t *)pool->items + index * size;
}

/* memory.c */
void vt_translate_populate(struct vt_translate *t, uint32_t size);
bool vt_translate_fill_table(struct vt_translate *t, uint64_t address);
void vt_translate_set_table(struct vt_translate *t, unsigned branch, uint32_t guest, uint32_t host);
void vt_translate_watch(struct vt_translate *t, uint32_t offset);
void vt_translate_unwatch(struct vt_translate *t, uint32_t offset);

/* stubs.c */
void vt_translate_emit_stubs(struct vt_translate *t);

/* liveness.c: does the code from `guest` on write all status flags before it reads any? */
bool vt_translate_flags_dead(const struct vt_translate *t, uint64_t guest);

/* block.c: host address of the code at `guest`, translated now if need be; 0: none there. */
uint32_t vt_translate_block(struct vt_translate *t, uint64_t guest);
uint32_t vt_translate_landing(struct vt_translate *t, uint64_t guest, unsigned branch);

/* build.c: the branch with its displacement there leads to `host`. */
void vt_translate_link(struct vt_translate *t, uint32_t displacement, uint32_t host);

/* flags.c; `host`: what PUSHF would give but for the guest. */
void vt_translate_leave_flags(struct vt_translate_context *context);
void vt_translate_enter_flags(struct vt_translate_context *context, uint64_t host);

/* specialize.c: after a callout, emit code for the operands it had. */
void vt_translate_specialize(struct vt_translate *t, struct vt_translate_site *site, const uint64_t *before);

/* What of the virtual CPU's state translations depend on. */
uint64_t vt_translate_mode(const struct vt_vcpu *vcpu);

#endif
