/*
 * The monitor at ring 0 does what the other roads do, and nothing its guest does takes it down: each misdeed
 * ends its own run, and the next one is as if it had not been.
 */
#include "monitor/monitor.h"
#include "tests/difference/effect_monitor.h"
#include "tests/unit/suite.h"

#include <stdio.h>

/* How each misdeed of tests/monitor/bad.S ends, and by which vector. */
static const struct {
    const char *name;
    enum vt_monitor_end end;
    unsigned vector; /* of VT_MONITOR_FAULT */
} expected[] = {
    {"never returns", VT_MONITOR_TIMEOUT, 0},
    {"traps for ever", VT_MONITOR_TIMEOUT, 0},
    {"halts", VT_MONITOR_HALTED, 0},
    {"empty IDT", VT_MONITOR_FAULT, 8},
    {"empty IDT and GDT", VT_MONITOR_FAULT, 8},
    {"empty GDT", VT_MONITOR_FAULT, 8},
    {"stack nowhere", VT_MONITOR_FAULT, 8},
    {"stack not canonical", VT_MONITOR_FAULT, 8},
    {"writes the monitor's memory", VT_MONITOR_FAULT, 14},
    {"jumps into the monitor's memory", VT_MONITOR_FAULT, 14},
    {"jumps out of the address space", VT_MONITOR_FAULT, 13},
    {"clears its root page table", VT_MONITOR_RETURNED, 0},
    {"unmaps its memory", VT_MONITOR_FAULT, 14},
    {"page tables nowhere", VT_MONITOR_RETURNED, 0},
    {"paging off", VT_MONITOR_FAULT, 13},
    {"single steps", VT_MONITOR_FAULT, 1},
    {"runs backwards", VT_MONITOR_FAULT, 6},
    {"returns to nowhere", VT_MONITOR_FAULT, 13},
    {"null stack segment", VT_MONITOR_RETURNED, 0},
    {"unknown MSR", VT_MONITOR_FAULT, 13},
    {"leaves long mode", VT_MONITOR_FAULT, 13},
    {"system call to nowhere", VT_MONITOR_FAULT, 14},
    {"calls an NMI", VT_MONITOR_FAULT, 2},
    {"calls the timer", VT_MONITOR_FAULT, 0xfc},
    {"strings without end", VT_MONITOR_FAULT, 14},
    {"loads an absent selector", VT_MONITOR_FAULT, 13},
};

enum { EXPECTED = sizeof expected / sizeof expected[0] };

static void open_or_skip(struct effect_monitor *monitor)
{
    char reason[256];

    if (!effect_monitor_open(monitor, reason, sizeof reason))
        vt_skip("%s", reason);
}

static void check_sane(struct effect_monitor *monitor, const char *after)
{
    static struct effect e;
    const struct effect_setup setup = {0, false, false};

    effect_run_monitor(&e, monitor, vt_guest_find_case("sgdt"), &setup);
    ck_assert_msg(e.end == EFFECT_DONE, "after \"%s\": %s", after, e.reason);
    ck_assert_msg(monitor->control->traps == 2, "after \"%s\": %llu traps", after,
                  (unsigned long long)monitor->control->traps);
}

START_TEST(no_misdeed_takes_it_down)
{
    struct effect_monitor monitor;
    unsigned different = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    open_or_skip(&monitor);
    ck_assert_uint_eq(monitor.control->bad_count, EXPECTED);
    for (uint64_t i = 0; i < EXPECTED; i++) {
        const struct monitor_control *control = monitor.control;

        ck_assert_str_eq(control->names[i], expected[i].name);
        effect_monitor_order(&monitor, MONITOR_BAD, i);
        if (control->end != expected[i].end ||
            (control->end == VT_MONITOR_FAULT && control->vector != expected[i].vector)) {
            printf("# %s: end %llu, vector %llu\n", expected[i].name, (unsigned long long)control->end,
                   (unsigned long long)control->vector);
            different++;
        }
        check_sane(&monitor, expected[i].name);
    }
    effect_monitor_close(&monitor);
    ck_assert_uint_eq(different, 0);
}
END_TEST

VT_SUITE(no_misdeed_takes_it_down)
