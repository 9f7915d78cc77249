/*
 * Inline hits are counted in a run of their own, as engine `translate` does: code that counts is longer than
 * what it counts. And translating is no part of what a batch measures: all of it has run before.
 */
#include "monitor/translate_road.h"

#include "monitor/road.h"
#include "monitor/translator.h"

#define WARM_TURNS 2
#define WARM_TRIES 4

/* RDTSC and RDTSCP of vt_batch. */
#define OWN_HITS 2

enum count { COUNT_TRAPS, COUNT_CALLOUTS, COUNT_HITS, COUNT_MISSES, COUNT_INTERRUPTS, COUNT_BLOCKS };

/* What is known of the case that runs, by twin. */
static struct {
    const struct vt_case *c;
    struct {
        uint64_t warm; /* flush count when it was last run, plus 1 */
        uint64_t iterations, hits;
    } twin[2];
} known;

static enum vt_monitor_end run(const struct vt_case *c, bool body, uint64_t iterations)
{
    vt_monitor_prepare(c);
    return vt_translator_run(body ? c->body : c->baseline, iterations);
}

static enum vt_monitor_end warm_up(const struct vt_case *c, bool body)
{
    enum vt_monitor_end end = VT_MONITOR_RETURNED;

    for (int i = 0; i < WARM_TRIES && end == VT_MONITOR_RETURNED; i++) {
        uint64_t flushes = vt_translator_counts().flushes;

        if (known.twin[body].warm == flushes + 1)
            break;
        end = run(c, body, WARM_TURNS);
        known.twin[body].warm = flushes + 1;
    }
    return end;
}

static enum vt_monitor_end prove(const struct vt_case *c, bool body, uint64_t iterations)
{
    if (known.twin[body].iterations == iterations)
        return VT_MONITOR_RETURNED;
    vt_translator_count(true);
    enum vt_monitor_end end = warm_up(c, body);
    uint64_t before = vt_translator_counts().inline_hits;
    if (end == VT_MONITOR_RETURNED)
        end = run(c, body, iterations);
    uint64_t hits = vt_translator_counts().inline_hits - before;
    vt_translator_count(false);
    known.twin[body].iterations = iterations;
    known.twin[body].hits = hits > OWN_HITS ? hits - OWN_HITS : 0;
    return end;
}

static void take_counts(const struct vt_translate_counts *before, bool body, struct vt_road_batch *out)
{
    const struct vt_translate_counts after = vt_translator_counts();

    out->count[COUNT_TRAPS] = vt_monitor.traps;
    out->count[COUNT_CALLOUTS] = after.callouts - before->callouts;
    out->count[COUNT_HITS] = known.twin[body].hits;
    out->count[COUNT_MISSES] = after.lookup_misses - before->lookup_misses;
    out->count[COUNT_INTERRUPTS] = vt_monitor.interrupts;
    out->count[COUNT_BLOCKS] = after.blocks - before->blocks;
}

static void batch(const struct vt_case *c, bool body, uint64_t iterations, struct vt_road_batch *out)
{
    if (known.c != c) {
        vt_translator_forget();
        __builtin_memset(&known, 0, sizeof known);
        known.c = c;
    }
    enum vt_monitor_end end = prove(c, body, iterations);
    if (end == VT_MONITOR_RETURNED)
        end = warm_up(c, body);
    const struct vt_translate_counts before = vt_translator_counts();
    if (end == VT_MONITOR_RETURNED)
        end = run(c, body, iterations);
    vt_road_finish(end, out);
    if (end == VT_MONITOR_RETURNED)
        take_counts(&before, body, out);
}

static const char *refuse(void)
{
    const char *reason = vt_road_refuse();

    return reason ? reason : vt_translator_open();
}

const struct vt_image_road vt_road_translate = {
    .name = "monitor-translate",
    .counts = {[COUNT_TRAPS] = "traps",
               [COUNT_CALLOUTS] = "callouts",
               [COUNT_HITS] = "inline_hits",
               [COUNT_MISSES] = "lookup_misses",
               [COUNT_INTERRUPTS] = "interrupts",
               [COUNT_BLOCKS] = "blocks"},
    .refuse = refuse,
    .why_not = vt_monitor_lacks,
    .batch = batch,
    .bare = vt_road_bare_call,
};
