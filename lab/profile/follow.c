#include "lab/profile/follow.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 256,
    MOST_STEPS = 1 << 14, /* of one way */
};

struct step {
    const struct vt_block *block;
    uint64_t reached;
};

/* Blocks outside the guest, from leaving it to entering it again; behind the last one stands none. */
struct way {
    struct vt_record_state before, after;
    const struct vt_segment *segment;
    struct step *steps;
    size_t count;
};

struct vt_follow {
    const struct step *expected; /* the block at hand, and behind it what should follow; or `nothing` */
    uint64_t *reached;
    struct vt_record *record;
    const struct vt_block *at; /* the block at hand, where nothing is expected; NULL: none */
    const struct way *way;     /* where something is; NULL: nothing is */
    const struct way *gone;    /* to its end just now; NULL: none */
    struct way trace;          /* what was recorded outside the guest, where none was gone */
    bool lost;                 /* it was longer */
    struct vt_block *blocks;
    uint64_t compared;
    struct way ways[WAYS]; /* by where they begin: of several the one gone last */
};

static const struct step nothing[2];

struct vt_follow *vt_follow_open(struct vt_record *record, uint64_t *reached)
{
    struct vt_follow *follow = calloc(1, sizeof *follow);

    if (!follow)
        return NULL;
    follow->record = record;
    follow->reached = reached;
    follow->expected = nothing;
    follow->trace.steps = malloc(MOST_STEPS * sizeof *follow->trace.steps);
    if (follow->trace.steps)
        return follow;
    free(follow);
    return NULL;
}

void vt_follow_close(struct vt_follow *follow)
{
    for (struct vt_block *block = follow->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    for (size_t i = 0; i < WAYS; i++)
        free(follow->ways[i].steps);
    free(follow->trace.steps);
    free(follow);
}

static size_t count_stretches(const struct vt_instruction *const *instructions, size_t count)
{
    struct vt_stretch stretch = {.count = 0};
    size_t stretches = 1;

    for (size_t i = 0; i < count; i++)
        if (!vt_record_extend(&stretch, instructions[i])) {
            stretch.count = 0;
            vt_record_extend(&stretch, instructions[i]);
            stretches++;
        }
    return stretches;
}

static void fill(struct vt_block *block, const struct vt_instruction *const *instructions, size_t count)
{
    struct vt_stretch *stretch = block->stretches;

    for (size_t i = 0; i < count; i++)
        if (!vt_record_extend(stretch, instructions[i]))
            vt_record_extend(++stretch, instructions[i]);
    block->pieces[block->piece_count++] = block->stretches[0];
    for (size_t i = 1; i < block->count; i++)
        if (!vt_record_continue(&block->pieces[block->piece_count - 1], &block->stretches[i]))
            block->pieces[block->piece_count++] = block->stretches[i];
}

const struct vt_block *vt_follow_block(struct vt_follow *follow,
                                       const struct vt_instruction *const *instructions, size_t count)
{
    size_t stretches = count_stretches(instructions, count);
    struct vt_block *block = calloc(1, sizeof *block + 2 * stretches * sizeof *block->stretches);

    if (!block)
        return NULL;
    block->count = stretches;
    block->pieces = block->stretches + stretches;
    fill(block, instructions, count);
    block->next = follow->blocks;
    return follow->blocks = block;
}

static void record_block(struct vt_follow *follow, const struct vt_block *block, uint64_t reached)
{
    bool whole = reached + 1 >= block->count;
    const struct vt_stretch *stretches = whole ? block->pieces : block->stretches;
    size_t count = whole ? block->piece_count : reached + 1;

    for (size_t i = 0; i < count; i++)
        vt_record_execute(follow->record, &stretches[i]);
}

static struct way *way_from(struct vt_follow *follow, const struct vt_instruction *last,
                            const struct vt_block *block)
{
    uint64_t mixed =
        ((uint64_t)(uintptr_t)last * 31 + (uint64_t)(uintptr_t)block) * UINT64_C(0x9e3779b97f4a7c15);
    return &follow->ways[(mixed >> 48) % WAYS];
}

/* The trace leads into the guest: the next time it is expected. */
static void keep_way(struct vt_follow *follow, const struct vt_record_state *after)
{
    const struct way *trace = &follow->trace;
    const struct vt_segment *segment = vt_record_segment(follow->record);

    if (trace->count == 0 || follow->lost || !segment)
        return;
    struct way *way = way_from(follow, trace->before.last, trace->steps[0].block);
    struct step *steps = malloc((trace->count + 1) * sizeof *steps);
    if (!steps)
        return;
    free(way->steps);
    memcpy(steps, trace->steps, trace->count * sizeof *steps);
    steps[trace->count] = nothing[0];
    way->before = trace->before;
    way->after = *after;
    way->segment = segment;
    way->steps = steps;
    way->count = trace->count;
}

static void add_steps(struct vt_follow *follow, const struct step *steps, size_t count)
{
    struct way *trace = &follow->trace;

    follow->lost |= count > MOST_STEPS - trace->count;
    if (follow->lost)
        return;
    memcpy(trace->steps + trace->count, steps, count * sizeof *steps);
    trace->count += count;
}

static void begin_trace(struct vt_follow *follow, const struct vt_record_state *before)
{
    follow->trace.before = *before;
    follow->trace.count = 0;
    follow->lost = false;
}

/* The block at hand, as far as it came. */
static void execute(struct vt_follow *follow)
{
    const struct step step = {follow->at, *follow->reached};
    const struct way *gone = follow->gone;
    enum vt_record_phase before = vt_record_phase(follow->record);
    struct vt_record_state state = *vt_record_state(follow->record);

    record_block(follow, step.block, step.reached);
    follow->gone = NULL;
    if (vt_record_phase(follow->record) == VT_RECORD_OUTSIDE) {
        if (before != VT_RECORD_OUTSIDE)
            begin_trace(follow, &state);
        if (gone) /* and it goes on */
            add_steps(follow, gone->steps, gone->count);
        add_steps(follow, &step, 1);
    } else if (before == VT_RECORD_OUTSIDE && !gone) {
        keep_way(follow, &state);
    }
}

/* What was compared is recorded: at once where the way was gone to its end, else block by block. */
static void leave_way(struct vt_follow *follow)
{
    const struct way *way = follow->way;
    const struct step *now = follow->expected;
    size_t passed = (size_t)(now - way->steps);

    follow->at = now->block;
    follow->way = NULL;
    follow->expected = nothing;
    follow->compared += passed;
    begin_trace(follow, &way->before);
    if (passed + 1 == way->count && now->reached == *follow->reached) {
        vt_record_repeat(follow->record, way->segment, &way->after);
        follow->gone = way;
        return;
    }
    for (size_t i = 0; i < passed; i++)
        record_block(follow, way->steps[i].block, way->steps[i].reached);
    add_steps(follow, way->steps, passed);
    execute(follow);
}

static bool is_same(const struct vt_record_state *one, const struct vt_record_state *other)
{
    return one->last == other->last && one->vmrun_end == other->vmrun_end && one->exit == other->exit &&
           one->level == other->level && one->in_guest == other->in_guest;
}

static void expect(struct vt_follow *follow, const struct vt_block *block)
{
    const struct vt_record_state *state = vt_record_state(follow->record);

    if (vt_record_phase(follow->record) != VT_RECORD_GUEST)
        return;
    const struct way *way = way_from(follow, state->last, block);
    if (way->count == 0 || way->steps[0].block != block || !is_same(&way->before, state))
        return;
    follow->way = way;
    follow->expected = way->steps;
}

static void settle(struct vt_follow *follow)
{
    if (follow->way)
        leave_way(follow);
    else if (follow->at)
        execute(follow);
    *follow->reached = 0;
}

static void turn(struct vt_follow *follow, const struct vt_block *block)
{
    settle(follow);
    follow->at = block;
    expect(follow, block);
}

/* Called some hundred million times. */
void vt_follow_begin(struct vt_follow *follow, const struct vt_block *block)
{
    const struct step *now = follow->expected;

    if (now[1].block != block || now->reached != *follow->reached) {
        turn(follow, block);
        return;
    }
    follow->expected = now + 1;
    *follow->reached = 0;
}

void vt_follow_pause(struct vt_follow *follow)
{
    settle(follow);
    follow->at = NULL;
}

uint64_t vt_follow_compared(const struct vt_follow *follow)
{
    return follow->compared;
}
