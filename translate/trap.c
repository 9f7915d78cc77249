/*
 * Faults of translated code. The processor stops precisely; from the host address follow
 * the guest's, and which registers a sequence had put away. What is found goes
 * to the virtual CPU, and the processor leaves translated code as if by an exit.
 */
#include "translate/internal.h"

static const struct vt_translate_block *block_at(const struct vt_translate *t, uint32_t host)
{
    const struct vt_translate_block *blocks = t->blocks.items;
    uint32_t low = 0, high = t->blocks.count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (blocks[middle].host <= host)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && host < blocks[low - 1].host_end ? &blocks[low - 1] : NULL;
}

static uint32_t points_end(const struct vt_translate *t, const struct vt_translate_block *block)
{
    uint32_t index = (uint32_t)(block - (const struct vt_translate_block *)t->blocks.items);
    return index + 1 < t->blocks.count ? block[1].first_point : t->points.count;
}

static const struct vt_translate_point *point_at(const struct vt_translate *t,
                                                 const struct vt_translate_block *block, uint32_t host)
{
    const struct vt_translate_point *points = t->points.items;
    uint32_t low = block->first_point, high = points_end(t, block);

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (points[middle].host <= host - block->host)
            low = middle + 1;
        else
            high = middle;
    }
    return low > block->first_point ? &points[low - 1] : NULL;
}

static uint64_t guest_at(const struct vt_translate_block *block, const struct vt_translate_point *point,
                         uint32_t host)
{
    uint32_t advance = point->kind == POINT_COPY ? host - block->host - point->host : 0;
    return block->guest + (uint32_t)point->guest + advance;
}

/* Everything the guest has goes to the virtual CPU; `saved` registers come from where they were put. */
static void take_state(struct vt_translate *t, const struct vt_translate_machine *machine, unsigned saved)
{
    struct vt_translate_context *context = t->context;

    for (unsigned reg = 0; reg < VT_GPRS; reg++)
        context->vcpu.gpr[reg] = saved >> reg & 1 ? context->save[reg] : machine->gpr[reg];
    context->flags_leave = machine->flags;
}

static void unwind(struct vt_translate *t, struct vt_translate_machine *machine,
                   enum vt_translate_reason reason)
{
    t->context->reason = reason;
    machine->rip = t->stubs.unwind;
    machine->flags &= ~(VT_FLAG_DF | VT_FLAG_AC | VT_FLAG_TF);
}

static bool in_cache(const struct vt_translate *t, uint64_t rip)
{
    return rip - (uintptr_t)t->code < t->code_size;
}

/* A jump through a table: a chunk that is not there yet is filled, and the jump tried again. */
static bool take_indirect(struct vt_translate *t, struct vt_translate_machine *machine, unsigned branch,
                          unsigned saved)
{
    if (machine->vector == VT_EXCEPTION_PF && vt_translate_fill_table(t, machine->address))
        return true;
    t->context->target = machine->gpr[branch == BY_MEMORY ? VT_RCX : branch];
    t->context->index = branch;
    take_state(t, machine, saved);
    unwind(t, machine, EXIT_WILD);
    return true;
}

static bool take_fault(struct vt_translate *t, struct vt_translate_machine *machine, uint64_t guest,
                       unsigned saved)
{
    take_state(t, machine, saved);
    t->context->vcpu.rip = guest;
    t->trap = (struct vt_translate_trap){
        .vector = machine->vector,
        .error = machine->error,
        .address = machine->address,
    };
    unwind(t, machine, EXIT_FAULT);
    return true;
}

static bool take_point(struct vt_translate *t, struct vt_translate_machine *machine, uint32_t host)
{
    const struct vt_translate_block *block = block_at(t, host);
    const struct vt_translate_point *point = block ? point_at(t, block, host) : NULL;

    if (!point)
        return false;
    uint64_t guest = guest_at(block, point, host);
    switch ((enum vt_translate_point_kind)point->kind) {
    case POINT_INDIRECT:
        return take_indirect(t, machine, point->reg, point->saved);
    default:
        return take_fault(t, machine, guest, point->saved);
    }
}

/* What a jump through the table of `branch` would have read; false: nothing can be read there. */
static bool read_entry(const struct vt_translate *t, const struct vt_translate_machine *machine,
                       unsigned branch, uint64_t *entry)
{
    uint64_t target = machine->gpr[branch == BY_MEMORY ? VT_RCX : branch];
    uint64_t address = target * 8 + (uint64_t)t->table_distance + branch * t->table_size;

    return t->platform->peek(t, address, entry);
}

/*
 * The thread is nowhere: a target so wild that its entry lay beyond the table, in memory of the host's, and
 * led here. The register whose entry says so was the branch's.
 */
static bool take_wild(struct vt_translate *t, struct vt_translate_machine *machine)
{
    uint64_t rip = machine->rip, entry;

    for (unsigned branch = 0; branch < BRANCHES; branch++) {
        unsigned saved = branch == BY_MEMORY ? 1u << VT_RCX : 0;
        if (branch != VT_RSP && read_entry(t, machine, branch, &entry) && entry == rip)
            return take_indirect(t, machine, branch, saved);
    }
    return take_fault(t, machine, rip, 0);
}

bool vt_translate_take(struct vt_translate *t, struct vt_translate_machine *machine)
{
    uint64_t rip = machine->rip;

    if (!t->context->inside)
        return false;
    if (!in_cache(t, rip))
        return take_wild(t, machine);
    return take_point(t, machine, (uint32_t)rip);
}

/* Between the stubs and the end of the code the processor is in guest code, and its stack is the guest's. */
void vt_translate_interrupt(struct vt_translate *t, struct vt_translate_machine *machine)
{
    uint64_t rip = machine->rip;

    t->stop = 1;
    if (!in_cache(t, rip) || rip < (uintptr_t)t->code + t->after_stubs)
        return;
    const struct vt_translate_block *block = block_at(t, (uint32_t)rip);
    const struct vt_translate_point *point = block ? point_at(t, block, (uint32_t)rip) : NULL;
    take_state(t, machine, point ? point->saved : 0);
    t->context->vcpu.rip = point ? guest_at(block, point, (uint32_t)rip) : 0;
    unwind(t, machine, EXIT_STOP);
}
