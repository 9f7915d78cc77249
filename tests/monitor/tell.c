#include "tests/monitor/tell.h"

#include "guest/catalogue.h"
#include "monitor/timer.h"
#include "tests/monitor/begin.h"
#include "tests/monitor/orders.h"

#include <string.h>

#define LIMIT                                                                                                \
    20000000 /* the longest string of the misdeeds takes a third of it below the monitor that traps */

static struct monitor_control *const control = (struct monitor_control *)MONITOR_CONTROL;
/* Every case and every misdeed on each of these roads, and what came of it. */
static struct monitor_told now, before;

static void send(const void *bytes, size_t size)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(size) : "d"((uint16_t)VT_PORT_DEBUG) : "memory");
}

static void tell(void)
{
    const uint64_t mark = MONITOR_MARK, *new = (const uint64_t *)&now;
    uint64_t *old = (uint64_t *)&before;
    MONITOR_PLACE place = MONITOR_NO_PLACE;

    now.control = *control;
    send(&mark, sizeof mark);
    for (size_t i = 0; i < sizeof now / 8; i++)
        if (new[i] != old[i]) {
            send(&(MONITOR_PLACE){(MONITOR_PLACE)i}, sizeof place);
            send(&new[i], 8);
            old[i] = new[i];
        }
    send(&place, sizeof place);
}

static void order(enum monitor_order what, uint64_t number)
{
    now.order = control->order = what;
    now.number = control->number = number;
    control->road = now.road;
    monitor_do();
}

/* As the test outside does where it can write the state (effect_monitor.c). */
static void begin(const struct vt_case *c)
{
    const struct effect_setup setup = {0, false, now.marked};

    now.ldt = control->vcpu.segment[VT_LDTR].base;
    now.ldt_limit = control->vcpu.segment[VT_LDTR].limit;
    monitor_begin(control, c, &setup);
    now.before = control->vcpu;
    now.scratch_before = control->scratch;
}

static void tell_case(const struct vt_case *c, uint64_t number)
{
    order(MONITOR_PREPARE, number);
    if (!control->refusal[0]) {
        begin(c);
        order(MONITOR_RUN, number);
    }
    tell();
}

static void tell_cases(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    for (uint64_t i = 0; i < count; i++)
        for (now.marked = 0; now.marked < 2; now.marked++)
            if (vt_guest_case_runs_at(&cases[i], 0, true))
                tell_case(&cases[i], i);
}

/*
 * Bochs' AMD-V holds an interrupt back that is to be an exit while the guest's IF is off, and resets the
 * machine at a shutdown, whatever is intercepted.
 */
static bool is_judged_elsewhere(uint64_t number)
{
    static const char *const endless_or_shutdown[] = {"never returns",
                                                      "traps for ever",
                                                      "empty IDT",
                                                      "empty IDT and GDT",
                                                      "empty GDT",
                                                      "stack not canonical",
                                                      "clears its root page table"};

    if (now.road != MONITOR_BY_SVM && now.road != MONITOR_BY_SVM_AS_KVM)
        return false;
    for (size_t i = 0; i < sizeof endless_or_shutdown / sizeof endless_or_shutdown[0]; i++)
        if (strcmp(control->names[number], endless_or_shutdown[i]) == 0)
            return true;
    return false;
}

/* Each followed by a case that must be as if it had not been. */
static void tell_misdeeds(void)
{
    const uint64_t sane = vt_guest_case_position(MONITOR_SANE(now.road));

    now.marked = 0;
    for (uint64_t i = 0; i < control->bad_count; i++) {
        if (is_judged_elsewhere(i))
            continue;
        order(MONITOR_BAD, i);
        tell();
        tell_case(&vt_guest_cases(&(size_t){0})[sane], sane);
    }
}

void monitor_tell_all(bool misdeeds)
{
    vt_timer_limit = LIMIT;
    for (now.road = 0; now.road < MONITOR_ROADS_TOLD; now.road++)
        if (misdeeds)
            tell_misdeeds();
        else
            tell_cases();
    send("\n@end\n", 6);
}
