/*
 * The monitor at ring 0 does what the other roads do, and nothing its guest does takes it down: each misdeed
 * ends its own run, and the next one is as if it had not been.
 */
#include "monitor/monitor.h"
#include "tests/difference/effect_monitor.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

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

    effect_run_monitor(&e, EFFECT_MONITOR, monitor, vt_guest_find_case("sgdt"), &setup);
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

#define VCPU(member)    offsetof(struct monitor_control, vcpu.member)
#define SCRATCH(member) offsetof(struct monitor_control, scratch.member)

/* What each call leaves where; before, none of it is there. */
static const struct {
    const char *name;
    size_t place; /* in struct monitor_control */
    uint64_t mask, value;
} called[] = {
    {"clts", VCPU(cr[0]), VT_CR0_TS, 0},
    {"mov-to-cr0", VCPU(cr[0]), VT_CR0_TS, 0},
    {"mov-to-cr3", VCPU(cr[3]), ~UINT64_C(0), 0x55000},
    {"mov-to-dr7", VCPU(dr[7]), ~UINT64_C(0), 0x700},
    {"mov-from-dr7", SCRATCH(sink[0]), ~UINT64_C(0), 0x500},
    {"wrmsr-fsbase", VCPU(segment[VT_FS].base), ~UINT64_C(0), 0x7e0000012340},
    {"lgdt", VCPU(gdtr.limit), 0xffff, VT_GDT_SIZE - 1},
    {"lldt", VCPU(segment[VT_LDTR].base), ~UINT64_C(0), VT_GUEST_LDT},
    {"vmcall", SCRATCH(sink[0]), ~UINT64_C(0), 0x40011},
};

static void begin_call(struct monitor_control *control)
{
    control->vcpu.cr[0] |= VT_CR0_TS;
    control->vcpu.dr[7] = 0x500;
    control->vcpu.gdtr.limit = 0xff;
    control->vcpu.segment[VT_LDTR] = (struct vt_segment){0};
    control->scratch.cr3 = 0x55000;
    control->scratch.dr7 = 0x700;
    control->scratch.fs_base = 0x7e0000012340;
}

static uint64_t word_at(const struct monitor_control *control, size_t place)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)control + place, sizeof word);
    return word;
}

START_TEST(calls_do_what_they_are_asked)
{
    struct effect_monitor monitor;

    open_or_skip(&monitor);
    for (size_t i = 0; i < sizeof called / sizeof called[0]; i++) {
        uint64_t number = vt_guest_case_position(called[i].name);

        effect_monitor_order(&monitor, MONITOR_PREPARE, number);
        begin_call(monitor.control);
        ck_assert_uint_ne(word_at(monitor.control, called[i].place) & called[i].mask, called[i].value);
        effect_monitor_order(&monitor, MONITOR_CALL, number);
        ck_assert_msg(monitor.control->end == VT_MONITOR_RETURNED, "%s", called[i].name);
        ck_assert_uint_eq(monitor.control->traps, 1);
        uint64_t word = word_at(monitor.control, called[i].place) & called[i].mask;
        ck_assert_msg(word == called[i].value, "%s: 0x%llx", called[i].name, (unsigned long long)word);
    }
    effect_monitor_close(&monitor);
}
END_TEST

VT_SUITE(no_misdeed_takes_it_down, calls_do_what_they_are_asked)
