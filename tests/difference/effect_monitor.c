/* A case's effect below the monitor at ring 0, in an image that QEMU runs (tests/monitor). */
#include "tests/difference/effect_monitor.h"

#include "monitor/monitor.h"
#include "tests/monitor/begin.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

bool effect_monitor_open(struct effect_monitor *monitor, char *reason, size_t size)
{
    if (!shared_image_open(&monitor->image, "monitor.elf", MONITOR_MEMORY,
                           MONITOR_CONTROL + offsetof(struct monitor_control, ready), reason, size))
        return false;
    monitor->control = (struct monitor_control *)(void *)(monitor->image.memory + MONITOR_CONTROL);
    ck_assert_msg(monitor->control->ready == 1, "the monitor refuses this image");
    return true;
}

void effect_monitor_close(struct effect_monitor *monitor)
{
    shared_image_close(&monitor->image);
}

void effect_monitor_order(struct effect_monitor *monitor, enum monitor_order order, uint64_t number,
                          enum monitor_road road)
{
    struct monitor_control *control = monitor->control;

    control->order = order;
    control->number = number;
    control->road = road;
    __atomic_fetch_add(&control->go, 1, __ATOMIC_SEQ_CST);
    ck_assert_msg(shared_image_wait(&monitor->image, &control->go, &control->done),
                  "the image does not answer: order %d, number %llu", order, (unsigned long long)number);
}

static void note_ldt(struct effect *e, uint64_t base, uint64_t limit)
{
    e->fact[FACT_LDT] = base;
    e->fact[FACT_LDT_LIMIT] = limit;
    e->fact_size[FACT_LDT] = e->fact_size[FACT_LDT_LIMIT] = 1;
}

static void note_start(struct effect *e, const struct vt_vcpu *vcpu, const struct vt_scratch *scratch,
                       uint64_t body)
{
    e->before = *vcpu;
    e->scratch_before = *scratch;
    effect_facts(e, scratch, body, VT_GUEST_SCRATCH);
}

static void begin(struct effect *e, struct monitor_control *control, const struct vt_case *c,
                  const struct effect_setup *setup)
{
    note_ldt(e, control->vcpu.segment[VT_LDTR].base, control->vcpu.segment[VT_LDTR].limit);
    monitor_begin(control, c, setup);
    note_start(e, &control->vcpu, &control->scratch, control->body);
}

static void end(struct effect *e, const struct monitor_control *control)
{
    e->vector = control->vector;
    e->end = control->end == VT_MONITOR_RETURNED ? EFFECT_DONE : EFFECT_FAULT;
    if (control->end != VT_MONITOR_RETURNED)
        snprintf(e->reason, sizeof e->reason, "end %llu, vector %llu", (unsigned long long)control->end,
                 (unsigned long long)control->vector);
    e->crossed = e->engine != EFFECT_MONITOR || control->traps > 1; /* one is the return */
    for (unsigned i = 0; i < control->accesses && i < MONITOR_ACCESSES; i++) {
        const struct monitor_access *a = &control->access[i];

        effect_note(e, (enum effect_device)a->device, a->write, a->size, a->where, a->value);
    }
    e->after = control->vcpu;
    e->mask = control->mask;
    effect_finish(e, &control->scratch);
}

static const enum effect_engine engines[MONITOR_ROADS] = {[MONITOR_BY_FAULT] = EFFECT_MONITOR,
                                                          [MONITOR_BY_SVM] = EFFECT_SVM,
                                                          [MONITOR_BY_SVM_AS_KVM] = EFFECT_SVM_KVM,
                                                          [MONITOR_BY_VMX] = EFFECT_VMX,
                                                          [MONITOR_BY_VMX_AS_KVM] = EFFECT_VMX_KVM,
                                                          [MONITOR_BY_TRANSLATION] = EFFECT_TRANSLATION,
                                                          [MONITOR_BY_TRANSLATION_AGAIN] =
                                                              EFFECT_TRANSLATION_AGAIN};

enum effect_engine effect_engine_of(enum monitor_road road)
{
    return engines[road];
}

enum monitor_road effect_road_of(enum effect_engine engine)
{
    enum monitor_road road = MONITOR_BY_FAULT;

    while (engines[road] != engine)
        road++;
    return road;
}

static bool is_refused(struct effect *e, const struct monitor_control *control)
{
    if (!control->refusal[0])
        return false;
    e->end = EFFECT_UNSUPPORTED;
    snprintf(e->reason, sizeof e->reason, "%s", control->refusal);
    return true;
}

void effect_run_monitor(struct effect *e, enum effect_engine engine, struct effect_monitor *monitor,
                        const struct vt_case *c, const struct effect_setup *setup)
{
    struct monitor_control *control = monitor->control;
    uint64_t number = vt_guest_case_position(c->name);

    *e = (struct effect){.engine = engine, .end = EFFECT_UNSUPPORTED};
    effect_monitor_order(monitor, MONITOR_PREPARE, number, MONITOR_BY_FAULT);
    if (is_refused(e, control))
        return;
    begin(e, control, c, setup);
    effect_monitor_order(monitor, MONITOR_RUN, number, effect_road_of(engine));
    if (!is_refused(e, control))
        end(e, control);
}

void effect_take_told(struct effect *e, const struct monitor_told *told)
{
    *e = (struct effect){
        .engine = engines[told->road % MONITOR_ROADS], .bochs = true, .end = EFFECT_UNSUPPORTED};
    if (is_refused(e, &told->control))
        return;
    note_ldt(e, told->ldt, told->ldt_limit);
    note_start(e, &told->before, &told->scratch_before, told->control.body);
    end(e, &told->control);
    /* Bochs' AMD-V writes CR2 at a nested page fault, and by such a one each run ends. */
    if (e->engine == EFFECT_SVM || e->engine == EFFECT_SVM_KVM)
        e->after.cr[2] = e->before.cr[2];
}
