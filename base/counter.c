#include "base/counter.h"

#include <string.h>

static const char *const names[VT_COUNTERS] = {
    [VT_EXITS] = "exits",
    [VT_IO_EXITS] = "io_exits",
    [VT_MMIO_EXITS] = "mmio_exits",
    [VT_SIGNAL_EXITS] = "signal_exits",
    [VT_IRQ_EXITS] = "irq_exits",
    [VT_IRQ_WINDOW_EXITS] = "irq_window_exits",
    [VT_HALT_EXITS] = "halt_exits",
    [VT_HYPERCALLS] = "hypercalls",
    [VT_INSN_EMULATION] = "insn_emulation",
    [VT_INSN_EMULATION_FAIL] = "insn_emulation_fail",
    [VT_IRQ_INJECTIONS] = "irq_injections",
    [VT_PF_TAKEN] = "pf_taken",
    [VT_INVLPG] = "invlpg",
    [VT_NESTED_RUN] = "nested_run",
    [VT_USER_EXITS] = "user_exits",
    [VT_INTERRUPTS] = "interrupts",
    [VT_HONOURED] = "honoured",
    [VT_SIGNALS] = "signals",
    [VT_TRAPS] = "traps",
    [VT_PAGE_FAULTS] = "page_faults",
    [VT_HOST_EMULATIONS] = "host_emulations",
    [VT_INLINE_HITS] = "inline_hits",
    [VT_CALLOUTS] = "callouts",
    [VT_BLOCKS] = "blocks",
    [VT_CHAIN_MISSES] = "chain_misses",
    [VT_LOOKUP_MISSES] = "lookup_misses",
    [VT_SYSTEM_CALLS] = "system_calls",
    [VT_BESIDE] = "operations_beside",
    [VT_PREEMPTIONS] = "preemptions",
};

_Static_assert(VT_COUNTERS <= 32, "struct vt_counters.known holds one bit per counter");

const char *vt_counter_name(enum vt_counter counter)
{
    return names[counter];
}

int vt_counter_find(const char *name)
{
    for (int i = 0; i < VT_COUNTERS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

struct vt_counters vt_counters_since(const struct vt_counters *before, const struct vt_counters *after)
{
    struct vt_counters delta = {.known = before->known & after->known};
    for (int i = 0; i < VT_COUNTERS; i++)
        delta.value[i] = after->value[i] - before->value[i];
    return delta;
}

void vt_counters_add(struct vt_counters *sum, const struct vt_counters *more)
{
    for (int i = 0; i < VT_COUNTERS; i++)
        if (vt_counters_has(more, i))
            sum->value[i] += more->value[i];
    sum->known |= more->known;
}
