/*
 * Engine `kvm`: the cases inside a virtual machine of our own, at CPL 0 and CPL 3.
 */
#include "base/vendor.h"
#include "bench/engine.h"
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

static int engine_open(void **state, const struct vt_engine_settings *settings, struct vt_error *error)
{
    struct vt_kvm_machine *machine = malloc(sizeof *machine);
    if (!machine)
        return vt_error_memory(error, "engine kvm");
    int status = vt_kvm_machine_open(machine, settings, error);
    if (status != 0) {
        free(machine);
        return status;
    }
    *state = machine;
    return 0;
}

static void engine_close(void *state)
{
    vt_kvm_machine_close(state);
    free(state);
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

static bool supports(void *state, const struct vt_case *c, int cpl, char *reason, size_t size)
{
    if (is_rewritten(state, c)) {
        snprintf(reason, size,
                 "this kernel replaces the instruction by its own vendor's "
                 "(KVM_X86_QUIRK_FIX_HYPERCALL_INSN, which can be switched off from Linux 5.19 on)");
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
    int status = vt_kvm_machine_start(state, c, cpl, error);
    return status != 0 ? status : vt_kvm_machine_enter(state, error);
}

static enum vt_batch_end batch(void *state, enum vt_twin twin, uint64_t iterations, struct vt_batch *out,
                               struct vt_error *error)
{
    struct vt_kvm_machine *machine = state;
    return vt_kvm_machine_batch(machine, twin == VT_BODY ? machine->c->body : machine->c->baseline,
                                iterations, out, error);
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
};
