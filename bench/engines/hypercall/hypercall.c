/*
 * Engine `hypercall`: what a guest that knows its hypervisor does in place of the
 * cases' instructions. In a machine on /dev/kvm that is KVM's own interface, or Xen's
 * where KVM speaks it; in this process it is a system call that its own handler answers.
 */
#include "base/process/limit.h"
#include "base/vendor.h"
#include "bench/engine.h"
#include "bench/engines/hypercall/dispatch.h"
#include "bench/engines/hypercall/shared.h"
#include "probes/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hypercall_engine {
    bool has_machine, has_dispatch;
    char no_machine[512], no_dispatch[512]; /* why not */
    struct vt_pv_guest guest;
    struct vt_dispatch dispatch;
    enum vt_pv_interface interface; /* of the prepared case */
    const struct vt_pv_form *form;
    bool proved, honoured; /* since it was prepared */
    bool altered;          /* the machine was told what the next form need not know */
};

static bool available(char *reason, size_t size)
{
    char no_machine[512], no_dispatch[256];
    if (vt_dispatch_available(no_dispatch, sizeof no_dispatch) ||
        vt_probes_kvm_runs(no_machine, sizeof no_machine))
        return true;
    snprintf(reason, size, "%s; and in this process %s", no_machine, no_dispatch);
    return false;
}

/* A half that only a limit of this process keeps closed would be there in one opening and not in the next:
 * what is offered could then not be measured. */
static bool is_limited(int status)
{
    char advice[128];
    return *vt_limit_advice(-status, 0, advice, sizeof advice) != '\0';
}

static int open_machine(struct hypercall_engine *engine, const struct vt_engine_settings *settings,
                        struct vt_error *error)
{
    int status = vt_kvm_machine_open(&engine->guest.machine, settings, error);
    engine->has_machine = status == 0;
    if (status != 0 && vt_probes_kvm_runs(engine->no_machine, sizeof engine->no_machine))
        snprintf(engine->no_machine, sizeof engine->no_machine, "%s", error->text);
    return status;
}

static int open_dispatch(struct hypercall_engine *engine, const struct vt_engine_settings *settings,
                         struct vt_error *error)
{
    int status = vt_dispatch_open(&engine->dispatch, settings, error);
    engine->has_dispatch = status == 0;
    if (status != 0)
        snprintf(engine->no_dispatch, sizeof engine->no_dispatch, "%s", error->text);
    return status;
}

static void engine_close(void *state)
{
    struct hypercall_engine *engine = state;
    if (engine->has_dispatch)
        vt_dispatch_close(&engine->dispatch);
    if (engine->has_machine)
        vt_kvm_machine_close(&engine->guest.machine);
    free(engine);
}

/* Either half may be missing; without both there is no engine. */
static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct hypercall_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return vt_error_memory(error, "engine hypercall");
    int status = open_machine(engine, settings, error);
    if (!is_limited(status) && vt_dispatch_available(engine->no_dispatch, sizeof engine->no_dispatch))
        status = open_dispatch(engine, settings, error);
    if (!is_limited(status) && (engine->has_machine || engine->has_dispatch)) {
        *state = engine;
        return 0;
    }
    engine_close(engine);
    return status;
}

static enum vt_path path(void *state)
{
    (void)state;
    return VT_PATH_PARAVIRTUAL;
}

/* Of what the case itself needs, a form keeps what its interrupts need; its devices are the hypervisor. */
#define KEPT_NEEDS (VT_NEED_XAPIC | VT_NEED_X2APIC | VT_NEED_INTERRUPTS | VT_NEED_PEER)

static bool is_foreign(const struct vt_case *c)
{
    return (vt_vendor_has_svm() ? c->svm : c->vmx) == VT_EXITS_ABSENT;
}

static bool process_supports(const struct hypercall_engine *engine, int cpl, char *reason, size_t size)
{
    if (cpl != 3)
        snprintf(reason, size, "a process runs at CPL 3");
    else if (!engine->has_dispatch)
        snprintf(reason, size, "%s", engine->no_dispatch);
    else
        return true;
    return false;
}

static bool machine_supports(const struct hypercall_engine *engine, const struct vt_case *c,
                             enum vt_pv_interface interface, int cpl, char *reason, size_t size)
{
    const struct vt_pv_form *form = vt_guest_pv_form(c, interface);

    if (!engine->has_machine)
        snprintf(reason, size, "%s", engine->no_machine);
    else if (interface == VT_PV_KVM && is_foreign(c))
        snprintf(reason, size, "the other vendor's instruction");
    else if (cpl != 0 && c->needs & VT_NEED_INTERRUPTS)
        snprintf(reason, size, "set up for CPL 0 only");
    else
        return vt_kvm_machine_offers(&engine->guest.machine, c->needs & KEPT_NEEDS, reason, size) &&
               vt_pv_shared_offers(&engine->guest, interface, form, cpl, reason, size);
    return false;
}

/* The first interface under which the case has a form that works here; the reason is that of the first that
 * does not. */
static bool choose(const struct hypercall_engine *engine, const struct vt_case *c, int cpl,
                   enum vt_pv_interface *chosen, char *reason, size_t size)
{
    char why[512];
    bool first = true;

    for (int i = 0; i < VT_PV_INTERFACES; i++) {
        if (!vt_guest_pv_form(c, i))
            continue;
        *chosen = i;
        if (i == VT_PV_PROCESS ? process_supports(engine, cpl, why, sizeof why)
                               : machine_supports(engine, c, i, cpl, why, sizeof why))
            return true;
        if (first)
            snprintf(reason, size, "%s", why);
        first = false;
    }
    if (first)
        snprintf(reason, size, "has no paravirtual form");
    return false;
}

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    enum vt_pv_interface interface;
    return choose(state, c, cpl, &interface, reason, size);
}

static const struct vt_pv_form *form_of(void *state, const struct vt_case *c, int cpl)
{
    enum vt_pv_interface interface;
    char reason[512];
    return choose(state, c, cpl, &interface, reason, sizeof reason) ? vt_guest_pv_form(c, interface) : NULL;
}

/*
 * Which calls user space answers cannot be taken back, and that some machine speaks Xen's ABI KVM knows for a
 * second after it spoke it last (kvm_xen_enabled; jump_label_rate_limit): instructions more at each call.
 */
static bool alters(const struct hypercall_engine *engine)
{
    return engine->interface == VT_PV_XEN || engine->form->needs & VT_PV_NEED_USER_CALL;
}

static int prepare_machine(struct hypercall_engine *engine, const struct vt_case *c, int cpl,
                           struct vt_error *error)
{
    /* A machine that gets a second vCPU is new. */
    if (engine->form->needs & VT_PV_NEED_TLB_FLUSH || engine->altered)
        engine->guest.machine.vm.dirty = true;
    engine->altered = alters(engine);
    int status = vt_kvm_machine_start(&engine->guest.machine, c, cpl, error);
    if (status == 0)
        status = vt_pv_shared_set_up(&engine->guest, engine->interface, engine->form, error);
    return status == 0 ? vt_kvm_machine_enter(&engine->guest.machine, error) : status;
}

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct hypercall_engine *engine = state;
    char reason[512];

    if (!choose(engine, c, cpl, &engine->interface, reason, sizeof reason))
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOTSUP, "%s: %s", c->name, reason);
    engine->form = vt_guest_pv_form(c, engine->interface);
    engine->proved = false;
    return engine->interface == VT_PV_PROCESS ? 0 : prepare_machine(engine, c, cpl, error);
}

static enum vt_batch_end machine_batch(struct hypercall_engine *engine, enum vt_twin twin,
                                       uint64_t iterations, struct vt_batch *out, struct vt_error *error)
{
    const struct vt_pv_form *form = engine->form;

    if (!engine->proved) {
        enum vt_batch_end end = vt_pv_shared_prove(&engine->guest, form, &engine->honoured, error);
        if (end != VT_BATCH_DONE)
            return end;
        engine->proved = true;
    }
    enum vt_batch_end end = vt_kvm_machine_batch(
        &engine->guest.machine, twin == VT_BODY ? form->body : form->baseline, iterations, out, error);
    if (end == VT_BATCH_DONE)
        vt_counters_put(&out->counters, VT_HONOURED, twin == VT_BODY && engine->honoured ? iterations : 0);
    return end;
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    struct hypercall_engine *engine = state;
    if (engine->interface != VT_PV_PROCESS)
        return machine_batch(engine, twin, iterations, out, error);
    return vt_dispatch_batch(&engine->dispatch, twin == VT_BODY ? engine->form->body : engine->form->baseline,
                             iterations, out, error);
}

/* A form that crosses to the hypervisor runs in a machine, one that crosses to its process here. */
static size_t own(void *state, struct vt_own own[VT_OWN_MOST])
{
    const struct hypercall_engine *engine = state;
    own[0] = (struct vt_own){engine, 0};
    return engine->interface == VT_PV_PROCESS ? 1 : 0;
}

static const int levels[] = {0, 3, -1};

const struct vt_engine vt_engine_hypercall = {
    .name = "hypercall",
    .summary = "the cases' paravirtual forms: hypercalls and memory shared with the hypervisor",
    .levels = levels,
    .available = available,
    .open = engine_open,
    .path = path,
    .supports = supports,
    .form = form_of,
    .prepare = prepare,
    .batch = batch,
    .own = own,
    .close = engine_close,
};
