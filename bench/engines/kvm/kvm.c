/*
 * Engine `kvm`: the cases inside a virtual machine of our own, at CPL 0 and CPL 3.
 */
#include "base/vendor.h"
#include "bench/engine.h"
#include "bench/engines/kvm/crew.h"
#include "bench/engines/kvm/life.h"
#include "bench/engines/kvm/machine.h"
#include "probes/probe.h"
#include "vmm/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool available(char *reason, size_t size)
{
    return vt_probes_kvm_runs(reason, size);
}

/* The machine comes first: tests look at the state as at one. */
struct kvm_engine {
    struct vt_kvm_machine machine;
    struct vt_kvm_crew *crew; /* NULL: one vCPU is all */
};

static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct kvm_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return vt_error_memory(error, "engine kvm");
    int status = vt_kvm_machine_open(&engine->machine, settings, error);
    if (status == 0 && settings->vcpus > 1) {
        status = vt_kvm_crew_open(&engine->crew, &engine->machine, error);
        if (status != 0)
            vt_kvm_machine_close(&engine->machine);
    }
    if (status != 0) {
        free(engine);
        return status;
    }
    *state = engine;
    return 0;
}

static void engine_close(void *state)
{
    struct kvm_engine *engine = state;

    vt_kvm_crew_close(engine->crew);
    vt_kvm_machine_close(&engine->machine);
    free(engine);
}

static enum vt_path path(void *state)
{
    (void)state;
    enum vt_backend backend = vt_vmm_backend();
    return backend == VT_BACKEND_VMX || backend == VT_BACKEND_SVM ? VT_PATH_HARDWARE : VT_PATH_EMULATED;
}

/* The other vendor's hypercall, which this KVM would make its own: what is measured has other bytes then. */
static bool is_rewritten(const struct vt_kvm_machine *machine, const struct vt_case *c)
{
    return machine->devices.rewrites_calls && c->handler == VT_BY_HYPERCALL &&
           (vt_vendor_has_svm() ? c->svm : c->vmx) == VT_EXITS_ABSENT;
}

/* What has a second vCPU of its own, and what no vCPU does. */
#define NOT_SHARED (VT_NEED_PEER | VT_NEED_PARTNER | VT_NEED_HOST)

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    const struct kvm_engine *engine = state;
    const struct vt_kvm_machine *machine = &engine->machine;

    if (engine->crew && c->needs & NOT_SHARED) {
        snprintf(reason, size, "takes a second vCPU of its own, or none at all: not with --vcpus");
        return false;
    }
    if ((engine->crew || c->needs & VT_NEED_PARTNER) && machine->vm.stats.fd < 0) {
        snprintf(reason, size, "needs the counters of one vCPU alone (KVM_GET_STATS_FD, Linux 5.14)");
        return false;
    }
    if (is_rewritten(machine, c)) {
        snprintf(reason, size,
                 "this kernel replaces the instruction by its own vendor's "
                 "(KVM_X86_QUIRK_FIX_HYPERCALL_INSN, which can be switched off from Linux 5.19 on)");
        return false;
    }
    if (c->needs & VT_NEED_HOST && machine->settings.simulated) {
        snprintf(reason, size,
                 "it waits for the kernel's other work, which a count of instructions does not tell");
        return false;
    }
    if (!vt_guest_case_runs_at(c, cpl, true)) {
        snprintf(reason, size, c->ring0_only ? "set up for CPL 0 only" : "privileged: faults at CPL 3");
        return false;
    }
    return vt_kvm_machine_offers(state, c->needs, reason, size);
}

static int prepare(void *state, const struct vt_case *c, int cpl, struct vt_error *error)
{
    struct kvm_engine *engine = state;
    struct vt_kvm_machine *machine = &engine->machine;

    machine->c = c;
    if (c->needs & VT_NEED_HOST)
        return 0;
    int status = vt_kvm_machine_start(machine, c, cpl, error);
    if (status == 0)
        status = vt_kvm_machine_enter(machine, error);
    return status == 0 && engine->crew ? vt_kvm_crew_prepare(engine->crew, cpl, error) : status;
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    const struct kvm_engine *engine = state;
    struct vt_kvm_machine *machine = state;

    if (machine->c->needs & VT_NEED_HOST)
        return vt_kvm_life_batch(machine, twin == VT_BODY ? machine->c->step : VT_LIFE_NOTHING, iterations,
                                 out, error);
    vt_case_function function = twin == VT_BODY ? machine->c->body : machine->c->baseline;
    return engine->crew ? vt_kvm_crew_batch(engine->crew, function, iterations, out, error)
                        : vt_kvm_machine_batch(machine, function, iterations, out, error);
}

static const int levels[] = {0, 3, -1};

const struct vt_engine vt_engine_kvm = {
    .name = "kvm",
    .summary = "a virtual machine on /dev/kvm, at CPL 0 and CPL 3",
    .levels = levels,
    .available = available,
    .open = engine_open,
    .path = path,
    .supports = supports,
    .prepare = prepare,
    .batch = batch,
    .close = engine_close,
    .runs_many = true,
};
