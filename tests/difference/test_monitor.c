/*
 * The monitor at ring 0 does what the other roads do, and nothing its guest does takes it down: each misdeed
 * ends its own run, and the next one is as if it had not been.
 *
 * beside others
 */
#include "monitor/monitor.h"
#include "tests/difference/bochs/told.h"
#include "tests/difference/effect_monitor.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

/* How a run ends; of VT_MONITOR_FAULT, by which vector. */
struct outcome {
    enum vt_monitor_end end;
    unsigned vector;
};

#define BACK                                                                                                 \
    {                                                                                                        \
        VT_MONITOR_RETURNED, 0                                                                               \
    }
#define LATE                                                                                                 \
    {                                                                                                        \
        VT_MONITOR_TIMEOUT, 0                                                                                \
    }
#define HALT                                                                                                 \
    {                                                                                                        \
        VT_MONITOR_HALTED, 0                                                                                 \
    }
#define FAULT(n)                                                                                             \
    {                                                                                                        \
        VT_MONITOR_FAULT, n                                                                                  \
    }

/*
 * How each misdeed of tests/monitor/bad.S ends: below the monitor that traps; on AMD-V, all intercepted and
 * as KVM does; on VT-x likewise. Hardware walks the guest's own page tables and delivers by its own IDT.
 */
static const struct {
    const char *name;
    struct outcome outcome[MONITOR_BY_TRANSLATION];
} expected[] = {
    /* clang-format off */
    {"never returns", {LATE, LATE, LATE, LATE, LATE}},
    {"traps for ever", {LATE, LATE, LATE, LATE, LATE}},
    {"asks for ever", {LATE, LATE, LATE, LATE, LATE}},
    {"halts", {HALT, HALT, HALT, HALT, HALT}},
    {"empty IDT", {FAULT(8), FAULT(8), FAULT(8), FAULT(8), FAULT(8)}},
    {"empty IDT and GDT", {FAULT(8), FAULT(8), FAULT(8), FAULT(8), FAULT(8)}},
    {"empty GDT", {FAULT(8), FAULT(8), FAULT(8), FAULT(8), FAULT(8)}},
    {"stack nowhere", {FAULT(8), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"stack not canonical", {FAULT(8), FAULT(8), FAULT(8), FAULT(8), FAULT(8)}},
    {"writes the monitor's memory", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"jumps into the monitor's memory", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"jumps out of the address space", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"clears its root page table", {BACK, FAULT(8), FAULT(8), FAULT(8), FAULT(8)}},
    {"unmaps its memory", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"page tables nowhere", {BACK, FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"paging off", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"single steps", {FAULT(1), FAULT(1), FAULT(1), FAULT(1), FAULT(1)}},
    {"runs backwards", {FAULT(6), FAULT(6), FAULT(6), FAULT(6), FAULT(6)}},
    {"returns to nowhere", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"null stack segment", {BACK, BACK, BACK, BACK, BACK}},
    {"unknown MSR", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"leaves long mode", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"system call to nowhere", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"its program halts", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"its program reads nothing", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"calls an NMI", {FAULT(2), FAULT(2), FAULT(2), FAULT(2), FAULT(2)}},
    {"calls the timer", {FAULT(0xfc), FAULT(0xfc), FAULT(0xfc), FAULT(0xfc), FAULT(0xfc)}},
    {"strings without end", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"loads an absent selector", {FAULT(13), FAULT(13), FAULT(13), FAULT(13), FAULT(13)}},
    {"changes its code", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    {"ruins its virtual CPU", {FAULT(14), FAULT(14), FAULT(14), FAULT(14), FAULT(14)}},
    /* clang-format on */
};

enum { EXPECTED = sizeof expected / sizeof expected[0] };

#define FIRST "the translator names the fault that could not be delivered, not the double fault it led to"
#define ANY                                                                                                  \
    {                                                                                                        \
        0, 0                                                                                                 \
    }

/* What ends otherwise translated than trapped, and why. */
static const struct {
    const char *name;
    struct outcome outcome;
    const char *reason;
} translated[] = {
    {"empty IDT", FAULT(6), FIRST},
    {"empty IDT and GDT", FAULT(6), FIRST},
    {"empty GDT", FAULT(13), FIRST},
    {"stack nowhere", FAULT(6), FIRST},
    {"stack not canonical", FAULT(6), FIRST},
    {"jumps out of the address space", FAULT(14), "the jump is done, and the fetch is what faults"},
    {"changes its code", BACK, "the code is a copy, and its own"},
    {"ruins its virtual CPU", ANY,
     "it can write there; what comes of it is its own affair, as long as it ends"},
};

static const struct outcome *outcome_of(uint64_t misdeed, uint64_t road)
{
    if (road < MONITOR_BY_TRANSLATION)
        return &expected[misdeed].outcome[road];
    for (size_t i = 0; i < sizeof translated / sizeof translated[0]; i++)
        if (strcmp(translated[i].name, expected[misdeed].name) == 0)
            return &translated[i].outcome;
    return &expected[misdeed].outcome[MONITOR_BY_FAULT];
}

static bool is_as_expected(const struct monitor_control *control, const struct outcome *outcome)
{
    return outcome->end == 0 || (control->end == outcome->end &&
                                 (control->end != VT_MONITOR_FAULT || control->vector == outcome->vector));
}

struct judged {
    unsigned different, judged, refused;
    uint64_t after; /* the last misdeed */
};

/*
 * What the case behind a misdeed takes: one crossing and the return; and, where all is intercepted, two RDTSC
 * of the batch, and on AMD-V the recorder's PUSHF. Translated it takes what its tables need.
 */
static const unsigned sane[MONITOR_ROADS] = {2, 5, 2, 4, 2, 0, 0};

/* Of a misdeed, or of the case behind it. */
static void judge(struct judged *j, const struct monitor_control *control)
{
    const char *name = expected[j->after].name, *road = effect_engine_name(effect_engine_of(control->road));
    bool right = control->order == MONITOR_BAD
                     ? is_as_expected(control, outcome_of(j->after, control->road))
                     : control->end == VT_MONITOR_RETURNED &&
                           (!sane[control->road] || control->traps == sane[control->road]);

    j->refused += control->refusal[0] != '\0';
    if (control->refusal[0])
        return;
    j->judged++;
    if (right)
        return;
    j->different++;
    printf("# %s%s on %s: end %llu, vector %llu, %llu crossings\n",
           control->order == MONITOR_BAD ? "" : "after ", name, road, (unsigned long long)control->end,
           (unsigned long long)control->vector, (unsigned long long)control->traps);
}

static void check_names(const struct monitor_control *control)
{
    ck_assert_uint_eq(control->bad_count, EXPECTED);
    for (size_t i = 0; i < EXPECTED; i++)
        ck_assert_str_eq(control->names[i], expected[i].name);
}

static void open_or_skip(struct effect_monitor *monitor)
{
    char reason[256];

    if (!effect_monitor_open(monitor, reason, sizeof reason))
        vt_skip("%s", reason);
}

static void run_sane(struct effect_monitor *monitor, enum monitor_road road)
{
    static struct effect e;
    const struct effect_setup setup = {0, false, false};

    effect_run_monitor(&e, effect_engine_of(road), monitor, vt_guest_find_case(MONITOR_SANE(road)), &setup);
}

START_TEST(no_misdeed_takes_it_down)
{
    struct effect_monitor monitor;
    struct judged judged = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    open_or_skip(&monitor);
    check_names(monitor.control);
    for (enum monitor_road road = 0; road < MONITOR_ROADS; road++)
        for (judged.after = 0; judged.after < EXPECTED; judged.after++) {
            effect_monitor_order(&monitor, MONITOR_BAD, judged.after, road);
            judge(&judged, monitor.control);
            run_sane(&monitor, road);
            judge(&judged, monitor.control);
        }
    effect_monitor_close(&monitor);
    printf("# %u runs judged, %u not possible on QEMU's processor\n", judged.judged, judged.refused);
    ck_assert_uint_eq(judged.different, 0);
    ck_assert_uint_ge(judged.judged, 5 * 2 * EXPECTED);
}
END_TEST

static void hear(void *context, const struct monitor_told *told)
{
    struct judged *judged = context;

    if (judged->judged + judged->refused == 0)
        check_names(&told->control);
    if (told->order == MONITOR_BAD)
        judged->after = told->number;
    ck_assert_uint_lt(judged->after, EXPECTED);
    ck_assert_uint_lt(told->road, MONITOR_ROADS);
    judge(judged, &told->control);
}

static void judge_on_bochs(const struct vt_bochs_model *processor)
{
    struct judged judged = {0};
    const struct told_listener listener = {hear, &judged};
    char reason[512];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!told_boot(processor, MONITOR_MISDEEDS, &listener, reason, sizeof reason))
        vt_skip("%s", reason);
    printf("# %u runs judged, %u not possible on this processor\n", judged.judged, judged.refused);
    ck_assert_uint_eq(judged.different, 0);
    ck_assert_uint_ge(judged.judged,
                      2 * (3 * EXPECTED - 2 * 7)); /* seven are not for Bochs' AMD-V (tell.c) */
}

START_TEST(nor_does_it_on_vt_x)
{
    judge_on_bochs(vt_bochs_intel);
}
END_TEST

START_TEST(nor_does_it_on_amd_v)
{
    judge_on_bochs(vt_bochs_amd);
}
END_TEST

#define VCPU(member)    offsetof(struct monitor_control, vcpu.member)
#define SCRATCH(member) offsetof(struct monitor_control, scratch.member)

/* What each call leaves where; before, none of it is there. */
static const struct {
    const char *name;
    size_t place; /* in struct monitor_control */
    uint64_t mask, value;
    unsigned before; /* calls that its set-up makes */
} called[] = {
    {"clts", VCPU(cr[0]), VT_CR0_TS, 0, 0},
    {"mov-to-cr0", VCPU(cr[0]), VT_CR0_TS, 0, 0},
    {"mov-to-cr3", VCPU(cr[3]), ~UINT64_C(0), 0x55000, 0},
    {"mov-to-dr7", VCPU(dr[7]), ~UINT64_C(0), 0x700, 0},
    {"mov-from-dr7", SCRATCH(sink[0]), ~UINT64_C(0), 0x500, 0},
    {"wrmsr-fsbase", VCPU(segment[VT_FS].base), ~UINT64_C(0), 0x7e0000012340, 0},
    {"lgdt", VCPU(gdtr.limit), 0xffff, VT_GDT_SIZE - 1, 0},
    {"lldt", VCPU(segment[VT_LDTR].base), ~UINT64_C(0), VT_GUEST_LDT, 0},
    {"syscall", SCRATCH(buffer[4064]), 3, 3, 2}, /* CS of the frame for the kernel: a program's */
    {"vmcall", SCRATCH(sink[0]), ~UINT64_C(0), 0x40011, 0},
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

        effect_monitor_order(&monitor, MONITOR_PREPARE, number, MONITOR_BY_FAULT);
        begin_call(monitor.control);
        ck_assert_uint_ne(word_at(monitor.control, called[i].place) & called[i].mask, called[i].value);
        effect_monitor_order(&monitor, MONITOR_CALL, number, MONITOR_BY_FAULT);
        ck_assert_msg(monitor.control->end == VT_MONITOR_RETURNED, "%s", called[i].name);
        ck_assert_uint_eq(monitor.control->traps, called[i].before + 1);
        uint64_t word = word_at(monitor.control, called[i].place) & called[i].mask;
        ck_assert_msg(word == called[i].value, "%s: 0x%llx", called[i].name, (unsigned long long)word);
    }
    effect_monitor_close(&monitor);
}
END_TEST

VT_SUITE(no_misdeed_takes_it_down, nor_does_it_on_vt_x, nor_does_it_on_amd_v, calls_do_what_they_are_asked)
