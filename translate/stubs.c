/*
 * The fixed code at the start of the cache: the way in, the way out, and what
 * generated code jumps to when it cannot go on by itself.
 */
#include "translate/emit.h"
#include "translate/internal.h"

#include <cpuid.h>

/* x87, SSE, AVX, opmasks and ZMM: components 0-2 and 5-7 (Intel SDM 1 13.1). */
#define VECTOR_COMPONENTS 0xe7

static uint32_t gpr_address(const struct vt_translate *t, unsigned reg)
{
    return AT(t, vcpu.gpr) + 8 * reg;
}

static bool has_xsave(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

/* XSAVE64 or XRSTOR64 (0F AE /4, /5), without them FXSAVE64 or FXRSTOR64 (/0, /1); uses RAX, RDX and flags.
 */
static void move_vectors(struct vt_translate *t, struct vt_emitter *e, bool load)
{
    unsigned operation = (has_xsave() ? 4 : 0) + load;

    vt_emit_absolute(e, false, 0x83, 7, AT(t, vectors)); /* CMP dword [vectors], 0 */
    vt_emit_8(e, 0);
    uint8_t *unused = vt_emit_short_if(e, VT_CC_E);
    vt_emit_value(e, VT_RAX, VECTOR_COMPONENTS);
    vt_emit_value(e, VT_RDX, 0);
    vt_emit_absolute(e, true, 0x0fae, operation, AT(t, vector_state));
    vt_emit_land(e, unused);
}

static uint32_t emit_enter(struct vt_translate *t, struct vt_emitter *e, bool backward)
{
    uint32_t start = vt_emit_here(e);

    t->platform->emit_way_in(t, e);
    move_vectors(t, e, true);
    vt_emit_store_value_32(e, AT(t, inside), 1);
    vt_emit_load(e, VT_RAX, AT(t, flags_enter));
    VT_EMIT(e, 0x04, 0x7f, 0x9e); /* ADD AL, 127: overflows when AL is 1; SAHF leaves OF alone */
    if (backward)
        vt_emit_8(e, 0xfd); /* STD */
    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        vt_emit_load(e, reg, gpr_address(t, reg));
    vt_emit_absolute(e, false, 0xff, 4, AT(t, target)); /* JMP [target] */
    return start;
}

/* From guest to host: everything the guest has in registers goes to the virtual CPU. */
static void emit_leave(struct vt_translate *t, struct vt_emitter *e)
{
    t->stubs.leave = vt_emit_here(e);
    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        vt_emit_store(e, reg, gpr_address(t, reg));
    vt_emit_load(e, VT_RSP, AT(t, host_stack));
    vt_emit_8(e, 0x9c);                                      /* PUSHFQ */
    vt_emit_absolute(e, false, 0x8f, 0, AT(t, flags_leave)); /* POP [flags_leave] */
    /* Who has taken a fault, and saved registers and flags from its frame, comes in here. */
    t->stubs.unwind = vt_emit_here(e);
    vt_emit_load(e, VT_RSP, AT(t, host_stack));
    vt_emit_8(e, 0xfc); /* CLD */
    vt_emit_store_value_32(e, AT(t, inside), 0);
    move_vectors(t, e, false);
    t->platform->emit_way_out(t, e);
}

static uint32_t emit_reason(struct vt_translate *t, struct vt_emitter *e, enum vt_translate_reason reason)
{
    uint32_t start = vt_emit_here(e);

    vt_emit_store_value_32(e, AT(t, reason), reason);
    vt_emit_jump(e, t->stubs.leave);
    return start;
}

/* An indirect branch whose register does not hold what the table's entry was made for. */
static void emit_miss(struct vt_translate *t, struct vt_emitter *e, unsigned branch)
{
    t->stubs.miss[branch] = vt_emit_here(e);
    vt_emit_store(e, branch == BY_MEMORY ? VT_RCX : (enum vt_gpr)branch, AT(t, target));
    if (branch == BY_MEMORY)
        vt_emit_load(e, VT_RCX, AT(t, save) + 8 * VT_RCX);
    vt_emit_store_value_32(e, AT(t, index), branch);
    emit_reason(t, e, EXIT_INDIRECT);
}

void vt_translate_emit_stubs(struct vt_translate *t)
{
    struct vt_emitter e = {t->code_writable, t->code - t->code_writable};

    emit_leave(t, &e);
    t->stubs.enter[0] = emit_enter(t, &e, false);
    t->stubs.enter[1] = emit_enter(t, &e, true);
    t->stubs.chain = emit_reason(t, &e, EXIT_CHAIN);
    t->stubs.callout = emit_reason(t, &e, EXIT_CALLOUT);
    t->stubs.step = emit_reason(t, &e, EXIT_STEP);
    for (unsigned branch = 0; branch < BRANCHES; branch++)
        emit_miss(t, &e, branch);
    t->after_stubs = t->used = (uint32_t)(e.at - t->code_writable);
}
