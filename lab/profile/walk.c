#include "lab/profile/walk.h"
#include "base/memory.h"
#include "bench/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS (2 * VT_WALK_MOST_NODES)

static struct vt_walk_place *here(struct vt_walk *walk)
{
    return &walk->places[walk->level];
}

/* Room for one more node. */
static bool grow(struct vt_walk *walk)
{
    if (walk->node_count == VT_WALK_MOST_NODES)
        return false;
    struct vt_node *nodes = vt_memory_grow(walk->nodes, walk->node_count, 1, sizeof *nodes);
    walk->nodes = nodes ? nodes : walk->nodes;
    int64_t *counts = vt_memory_grow(walk->counts, walk->node_count, 1, sizeof *counts);
    walk->counts = counts ? counts : walk->counts;
    if (!nodes || !counts)
        return false;
    counts[walk->node_count] = 0;
    return true;
}

/* The node of `function` called from `parent`, made where there is none. */
static int32_t child(struct vt_walk *walk, int32_t parent, int32_t function)
{
    uint32_t slot = ((uint32_t)parent * 2654435761u ^ (uint32_t)function * 40503u) % BUCKETS;

    for (; walk->buckets[slot] >= 0; slot = (slot + 1) % BUCKETS) {
        int32_t at = walk->buckets[slot];
        if (walk->nodes[at].parent == parent && walk->nodes[at].function == function)
            return at;
    }
    if (!grow(walk)) {
        walk->failed = true;
        return VT_WALK_ROOT;
    }
    walk->nodes[walk->node_count] = (struct vt_node){parent, function};
    walk->buckets[slot] = (int32_t)walk->node_count;
    return (int32_t)walk->node_count++;
}

int vt_walk_open(struct vt_walk *walk, struct vt_symbols *symbols)
{
    *walk = (struct vt_walk){.symbols = symbols};
    walk->buckets = malloc(BUCKETS * sizeof *walk->buckets);
    if (!walk->buckets || !grow(walk))
        return -ENOMEM;
    memset(walk->buckets, 0xff, BUCKETS * sizeof *walk->buckets);
    walk->nodes[walk->node_count++] = (struct vt_node){VT_SYMBOLS_NONE, VT_SYMBOLS_NONE};
    int32_t guest = vt_symbols_add(symbols, VT_PROFILE_GUEST, VT_PROFILE_GUEST);
    walk->unknown_function = vt_symbols_add(symbols, VT_PROFILE_UNKNOWN, VT_PROFILE_UNKNOWN);
    walk->guest_node = child(walk, VT_WALK_ROOT, guest);
    return guest < 0 || walk->unknown_function < 0 ? -ENOMEM : 0;
}

void vt_walk_release(struct vt_walk *walk)
{
    free(walk->nodes);
    free(walk->counts);
    free(walk->buckets);
    free(walk->mark.counts);
    *walk = (struct vt_walk){0};
}

/* The processor did not get through the last instruction, and did not count it. */
static void take_back(struct vt_walk *walk)
{
    if (!walk->attempts)
        walk->counts[here(walk)->last_node]--;
}

static bool follows(const struct vt_executed *last, const struct vt_executed *step)
{
    /* A repeated string instruction is executed once per element. */
    return step->address == last->address + last->size || step->address == last->address;
}

static bool goes_on(uint8_t flow)
{
    return flow == VT_FLOW_NEXT || flow == VT_FLOW_SURE;
}

static enum vt_entry entry_of(const struct vt_walk *walk, const struct vt_executed *step)
{
    if (step->function < 0 || step->address != step->start)
        return VT_ENTRY_NONE;
    return (enum vt_entry)walk->symbols->functions[step->function].entry;
}

static void push(struct vt_walk *walk, int32_t parent, int32_t function, uint64_t back, bool trap)
{
    if (here(walk)->depth == VT_WALK_DEEPEST) {
        walk->failed = true;
        return;
    }
    here(walk)->frames[here(walk)->depth++] =
        (struct vt_walk_frame){child(walk, parent, function), back, trap};
}

static int32_t top(struct vt_walk *walk)
{
    return here(walk)->depth ? here(walk)->frames[here(walk)->depth - 1].node : VT_WALK_ROOT;
}

/* To the caller whose call is answered; one that is not known replaces what is lowest. */
static void return_to(struct vt_walk *walk, uint64_t address)
{
    for (size_t i = here(walk)->depth; i-- > 0;)
        if (here(walk)->frames[i].back == address) {
            here(walk)->depth = i;
            return;
        }
}

static void leave_trap(struct vt_walk *walk, uint64_t address)
{
    size_t found = here(walk)->depth;

    for (size_t i = here(walk)->depth; i-- > 0;)
        if (here(walk)->frames[i].trap) {
            found = found == here(walk)->depth ? i : found;
            if (here(walk)->frames[i].back == address) {
                found = i;
                break;
            }
        }
    here(walk)->depth = found == here(walk)->depth ? 0 : found;
}

/* What the processor does by itself: an exception, an interrupt. */
static bool is_trap(struct vt_walk *walk, const struct vt_executed *step)
{
    switch ((enum vt_flow)here(walk)->last.flow) {
    case VT_FLOW_JUMP:
    case VT_FLOW_CALL:
    case VT_FLOW_RETURN:
    case VT_FLOW_LEAVE:
        return entry_of(walk, step) != VT_ENTRY_NONE;
    case VT_FLOW_ENTER:
    case VT_FLOW_NONE:
        return false;
    default:
        return !follows(&here(walk)->last, step);
    }
}

static void trap(struct vt_walk *walk, const struct vt_executed *step)
{
    enum vt_entry entry = entry_of(walk, step);

    walk->interrupts += entry == VT_ENTRY_INTERRUPT;
    /* #GP is found by what decodes an instruction, but of ports by what executes it. */
    if (entry == VT_ENTRY_RESTARTED || (here(walk)->last.flow == VT_FLOW_IO && entry != VT_ENTRY_INTERRUPT))
        take_back(walk);
    push(walk, top(walk), step->function, here(walk)->last.address, true);
}

static void follow(struct vt_walk *walk, const struct vt_executed *step)
{
    const struct vt_executed *last = &here(walk)->last;
    uint64_t behind = last->address + last->size;

    if (is_trap(walk, step)) {
        trap(walk, step);
        return;
    }
    switch ((enum vt_flow)last->flow) {
    case VT_FLOW_CALL:
        /* Into the middle of its own function: a way to push an address (retpolines). */
        if (step->function != last->function || step->address == step->start)
            push(walk, top(walk), step->function, behind, false);
        break;
    case VT_FLOW_ENTER:
        push(walk, top(walk), step->function, behind, true);
        break;
    case VT_FLOW_RETURN:
        return_to(walk, step->address);
        break;
    case VT_FLOW_LEAVE:
        leave_trap(walk, step->address);
        break;
    default:
        break;
    }
}

/* A function that was reached without a call takes the place of the one that jumped there. */
static void settle(struct vt_walk *walk, const struct vt_executed *step)
{
    if (here(walk)->depth == 0)
        push(walk, VT_WALK_ROOT, step->function, 0, false);
    struct vt_walk_frame *frame = &here(walk)->frames[here(walk)->depth - 1];
    const struct vt_node *node = &walk->nodes[frame->node];
    if (node->function != step->function)
        frame->node = child(walk, frame->node == VT_WALK_ROOT ? VT_WALK_ROOT : node->parent, step->function);
}

void vt_walk_clear(struct vt_walk *walk)
{
    memset(walk->counts, 0, walk->node_count * sizeof *walk->counts);
    walk->interrupts = 0;
    walk->failed = false;
}

static void copy_place(struct vt_walk_place *to, const struct vt_walk_place *from)
{
    memcpy(to->frames, from->frames, from->depth * sizeof *to->frames);
    to->depth = from->depth;
    to->last = from->last;
    to->last_node = from->last_node;
}

bool vt_walk_mark(struct vt_walk *walk)
{
    struct vt_walk_mark *mark = &walk->mark;

    if (mark->room < walk->node_count) {
        int64_t *counts =
            vt_memory_grow(mark->counts, mark->room, walk->node_count - mark->room, sizeof *counts);
        if (!counts)
            return false;
        mark->counts = counts;
        mark->room = walk->node_count;
    }
    memcpy(mark->counts, walk->counts, walk->node_count * sizeof *mark->counts);
    mark->node_count = walk->node_count;
    mark->interrupts = walk->interrupts;
    mark->level = walk->level;
    for (size_t i = 0; i < VT_WALK_LEVELS; i++)
        copy_place(&mark->places[i], &walk->places[i]);
    return true;
}

static bool same_frames(const struct vt_walk_place *one, const struct vt_walk_place *other)
{
    if (one->depth != other->depth)
        return false;
    for (size_t i = 0; i < one->depth; i++)
        if (one->frames[i].node != other->frames[i].node || one->frames[i].back != other->frames[i].back ||
            one->frames[i].trap != other->frames[i].trap)
            return false;
    return true;
}

static bool same_place(const struct vt_walk_place *one, const struct vt_walk_place *other)
{
    return one->last_node == other->last_node && one->last.address == other->last.address &&
           one->last.start == other->last.start && one->last.function == other->last.function &&
           one->last.size == other->last.size && one->last.flow == other->last.flow &&
           same_frames(one, other);
}

bool vt_walk_repeat(struct vt_walk *walk, uint32_t times)
{
    const struct vt_walk_mark *mark = &walk->mark;

    if (walk->failed || walk->level != mark->level)
        return false;
    for (size_t i = 0; i < VT_WALK_LEVELS; i++)
        if (!same_place(&walk->places[i], &mark->places[i]))
            return false;
    for (size_t i = 0; i < walk->node_count; i++)
        walk->counts[i] += (walk->counts[i] - (i < mark->node_count ? mark->counts[i] : 0)) * times;
    walk->interrupts += (walk->interrupts - mark->interrupts) * times;
    return true;
}

void vt_walk_guest(struct vt_walk *walk, int64_t count)
{
    walk->counts[walk->guest_node] += count;
}

/* Behind it an interrupt or its window came: STI and a NOP, and IRET, let one in. */
static bool is_left_behind(uint8_t flow)
{
    return flow == VT_FLOW_SURE || vt_flow_leads_away(flow);
}

/* An instruction that an intercept stopped was not executed; #UD is found before any is. */
void vt_walk_vmexit(struct vt_walk *walk, const struct vt_executed *last, bool between)
{
    walk->level = 0;
    here(walk)->last_node = walk->guest_node;
    if (!between && last->flow != VT_FLOW_UNDEFINED && !is_left_behind(last->flow))
        take_back(walk);
    here(walk)->last = (struct vt_executed){.function = VT_SYMBOLS_NONE, .flow = VT_FLOW_NONE};
}

void vt_walk_switch(struct vt_walk *walk, unsigned level, bool between)
{
    enum vt_flow flow = (enum vt_flow)here(walk)->last.flow;

    if (level == 0 && !between && flow != VT_FLOW_UNDEFINED && !is_left_behind(flow))
        take_back(walk);
    walk->level = level;
}

void vt_walk_forget(struct vt_walk *walk)
{
    for (size_t i = 0; i < VT_WALK_LEVELS; i++)
        walk->places[i] = (struct vt_walk_place){.last = {.function = VT_SYMBOLS_NONE, .flow = VT_FLOW_NONE}};
    walk->level = 0;
}

void vt_walk_trap(struct vt_walk *walk, const struct vt_executed *last)
{
    here(walk)->depth = 0;
    here(walk)->last_node = walk->guest_node;
    here(walk)->last = *last;
}

void vt_walk_step(struct vt_walk *walk, const struct vt_executed *step)
{
    struct vt_executed known = *step;

    if (known.function < 0)
        known.function = walk->unknown_function;
    if (known.function != here(walk)->last.function || !goes_on(here(walk)->last.flow) ||
        !follows(&here(walk)->last, &known)) {
        follow(walk, &known);
        settle(walk, &known);
    }
    here(walk)->last_node = top(walk);
    here(walk)->last = known;
    walk->counts[here(walk)->last_node]++;
}
