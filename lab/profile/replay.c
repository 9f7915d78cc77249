#include "lab/profile/replay.h"
#include "bench/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void name_steps(struct vt_replay *replay)
{
    for (size_t i = 0; i < replay->capture->instruction_count; i++) {
        const struct vt_capture_instruction *instruction = &replay->capture->instructions[i];
        struct vt_executed *step = &replay->steps[i];
        *step = (struct vt_executed){
            .address = instruction->address, .size = instruction->size, .flow = instruction->flow};
        step->function = vt_symbols_find(replay->symbols, step->address, &step->start);
    }
}

/*
 * Functions of the same names, in modules of their own. The symbols keep texts that are not theirs: they must
 * not outlive the replay.
 */
static int name_below(struct vt_replay *replay)
{
    struct vt_symbols *symbols = replay->symbols;
    size_t count = symbols->function_count, size = 1;

    for (size_t i = 0; i < count; i++)
        size += sizeof VT_PROFILE_BELOW + strlen(symbols->functions[i].module);
    char *text = replay->modules = malloc(size);
    replay->below = calloc(count + 1, sizeof *replay->below);
    if (!text || !replay->below)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct vt_function *upper = &symbols->functions[i];
        char *module = text;
        text = stpcpy(stpcpy(text, VT_PROFILE_BELOW), upper->module) + 1;
        replay->below[i] = vt_symbols_add(symbols, upper->name, module);
        if (replay->below[i] < 0)
            return -ENOMEM;
    }
    return 0;
}

static bool holds_vmrun(const struct vt_replay *replay, const struct vt_capture_run *run)
{
    int32_t at = run->start;

    for (uint32_t i = 0; i < run->count && at >= 0; i++) {
        if (replay->steps[at].flow == VT_FLOW_VMRUN)
            return true;
        at = replay->capture->instructions[at].behind;
    }
    return false;
}

static enum vt_entry entry_of(const struct vt_replay *replay, const struct vt_executed *step)
{
    return step->function >= 0 && step->address == step->start
               ? (enum vt_entry)replay->symbols->functions[step->function].entry
               : VT_ENTRY_NONE;
}

/*
 * Functions are entered where a run starts. Behind a VMRUN it is about another exit: a guest may be left
 * again before it executes anything.
 */
static void look_at_way(struct vt_replay *replay, const struct vt_capture_segment *segment,
                        struct vt_replay_way *way)
{
    bool again = false;

    for (size_t k = 1; k < segment->count; k++) {
        const struct vt_capture_run *run = &replay->capture->runs[segment->first + k];
        enum vt_entry entry = entry_of(replay, &replay->steps[run->start]);
        way->interrupts += entry == VT_ENTRY_INTERRUPT;
        way->between |= entry == VT_ENTRY_BETWEEN && !again;
        again = again || holds_vmrun(replay, run);
    }
}

int vt_replay_open(struct vt_replay *replay, const struct vt_capture *capture, struct vt_symbols *symbols,
                   unsigned machine)
{
    *replay = (struct vt_replay){.capture = capture, .symbols = symbols, .machine = machine};
    replay->steps = calloc(capture->instruction_count + 1, sizeof *replay->steps);
    replay->ways = calloc(capture->segment_count + 1, sizeof *replay->ways);
    if (!replay->steps || !replay->ways || vt_walk_open(&replay->walk, symbols) != 0)
        return -ENOMEM;
    replay->walk.attempts = machine & VT_REPLAY_ATTEMPTS;
    name_steps(replay);
    if (machine & VT_REPLAY_DEEP && name_below(replay) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < capture->segment_count; i++)
        look_at_way(replay, &capture->segments[i], &replay->ways[i]);
    return 0;
}

void vt_replay_release(struct vt_replay *replay)
{
    vt_walk_release(&replay->walk);
    free(replay->steps);
    free(replay->ways);
    free(replay->below);
    free(replay->modules);
    *replay = (struct vt_replay){0};
}

uint64_t vt_replay_interrupts(const struct vt_replay *replay, const struct vt_capture_batch *batch)
{
    uint64_t interrupts = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct vt_capture_leg *leg = &replay->capture->legs[batch->first + i];
        if (leg->segment >= 0)
            interrupts += (uint64_t)replay->ways[leg->segment].interrupts * leg->times;
    }
    return interrupts;
}

/* As the lower hypervisor executes it. */
static struct vt_executed below(const struct vt_replay *replay, struct vt_executed step)
{
    if (step.function >= 0)
        step.function = replay->below[step.function];
    return step;
}

static bool walk_run(struct vt_replay *replay, const struct vt_capture_run *run)
{
    bool lower = replay->below && run->level == 0;
    int32_t at = run->start;

    for (uint32_t i = 0; i < run->count; i++) {
        if (at < 0)
            return false;
        struct vt_executed step = lower ? below(replay, replay->steps[at]) : replay->steps[at];
        vt_walk_step(&replay->walk, &step);
        at = replay->capture->instructions[at].behind;
    }
    return true;
}

/* Is the upper hypervisor left between two instructions? `runs` are what the lower one does then. */
static bool leaves_between(const struct vt_replay *replay, const struct vt_capture_run *runs, size_t count)
{
    for (size_t i = 0; i < count && runs[i].level == 0; i++) {
        if (entry_of(replay, &replay->steps[runs[i].start]) == VT_ENTRY_BETWEEN)
            return true;
        if (holds_vmrun(replay, &runs[i]))
            break;
    }
    return false;
}

static bool walk_segment(struct vt_replay *replay, int32_t number)
{
    const struct vt_capture_segment *segment = &replay->capture->segments[number];
    const struct vt_capture_run *runs = &replay->capture->runs[segment->first];
    const struct vt_executed *last = &replay->steps[runs[0].start];

    if (replay->machine & VT_REPLAY_VIRTUALIZED)
        vt_walk_vmexit(&replay->walk, last, replay->ways[number].between);
    else
        vt_walk_trap(&replay->walk, last);
    for (size_t i = 1; i < segment->count; i++) {
        if (runs[i].level != replay->walk.level)
            vt_walk_switch(&replay->walk, runs[i].level,
                           runs[i].level == 0 && leaves_between(replay, &runs[i], segment->count - i));
        if (!walk_run(replay, &runs[i]))
            return false;
    }
    return true;
}

/* Who called the hypervisor before the batch is known once it has been left. */
static bool find_callers(struct vt_replay *replay, const struct vt_capture_batch *batch)
{
    vt_walk_forget(&replay->walk);
    for (size_t i = batch->count; i-- > 0;) {
        int32_t segment = replay->capture->legs[batch->first + i].segment;
        if (segment >= 0)
            return walk_segment(replay, segment);
    }
    return true;
}

static bool walk_once(struct vt_replay *replay, const struct vt_capture_leg *leg)
{
    vt_walk_guest(&replay->walk, leg->before);
    return leg->segment < 0 || walk_segment(replay, leg->segment);
}

/* Most are a hundred times the same exit. */
static bool walk_leg(struct vt_replay *replay, const struct vt_capture_leg *leg)
{
    for (uint32_t left = leg->times; left > 0;) {
        bool marked = left > 2 && vt_walk_mark(&replay->walk);
        if (!walk_once(replay, leg))
            return false;
        left--;
        if (marked && vt_walk_repeat(&replay->walk, left))
            return true;
    }
    return true;
}

bool vt_replay_batch(struct vt_replay *replay, const struct vt_capture_batch *batch)
{
    if (batch->failed || !find_callers(replay, batch))
        return false;
    vt_walk_clear(&replay->walk);
    for (size_t i = 0; i < batch->count; i++)
        if (!walk_leg(replay, &replay->capture->legs[batch->first + i]))
            return false;
    return !replay->walk.failed;
}
