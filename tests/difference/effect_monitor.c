/* A case's effect below the monitor at ring 0, in an image that QEMU runs (tests/monitor). */
#include "tests/difference/effect_monitor.h"

#include "monitor/monitor.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define OTHER_FS_BASE UINT64_C(0x00007a0000002340)

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

void effect_monitor_order(struct effect_monitor *monitor, enum monitor_order order, uint64_t number)
{
    struct monitor_control *control = monitor->control;

    control->order = order;
    control->number = number;
    __atomic_fetch_add(&control->go, 1, __ATOMIC_SEQ_CST);
    ck_assert_msg(shared_image_wait(&monitor->image, &control->go, &control->done),
                  "the image does not answer: order %d, number %llu", order, (unsigned long long)number);
}

static void begin(struct effect *e, struct monitor_control *control, const struct vt_case *c,
                  const struct effect_setup *setup)
{
    struct vt_vcpu *vcpu = &control->vcpu;

    vcpu->segment[VT_FS].base = OTHER_FS_BASE;
    e->fact[FACT_LDT] = vcpu->segment[VT_LDTR].base;
    e->fact[FACT_LDT_LIMIT] = vcpu->segment[VT_LDTR].limit;
    e->fact_size[FACT_LDT] = e->fact_size[FACT_LDT_LIMIT] = 1;
    effect_begin(e, c, setup, vcpu, &control->scratch);
    vt_vcpu_refresh(vcpu);
    effect_facts(e, &control->scratch, control->body, VT_GUEST_SCRATCH);
    control->mask = EFFECT_MASK;
    control->redirected = c->needs & VT_NEED_HANDLERS ? c->skip_vector + 1u : 0;
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

static enum monitor_order order_of(enum effect_engine engine)
{
    return engine == EFFECT_MONITOR ? MONITOR_RUN : engine == EFFECT_SVM ? MONITOR_EXIT : MONITOR_EXIT_FEW;
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
    effect_monitor_order(monitor, MONITOR_PREPARE, number);
    if (is_refused(e, control))
        return;
    begin(e, control, c, setup);
    effect_monitor_order(monitor, order_of(engine), number);
    if (!is_refused(e, control))
        end(e, control);
}
