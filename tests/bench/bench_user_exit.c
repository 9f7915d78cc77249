/*
 * What the kvm engine adds to a user-space exit: its loop against the barest loop
 * of KVM_RUN there is, same guest code, same port, one run.
 */
#include "bench/engine.h"
#include "guest/abi.h"
#include "tests/bench/versus.h"
#include "vmm/vm.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define PAIRS      200
#define ITERATIONS 50

static volatile int stop;

/* The engine's machine is its own; the bare loop gets one just like it. */
static int open_bare(struct vt_vm *vm, const struct vt_case *c, struct vt_error *error)
{
    int status = vt_vmm_open(vm, error);
    if (status == 0)
        status = vt_vmm_start(vm, 3, VT_APIC_X2, vm->payload_entry, VT_GUEST_MAILBOX, error);
    if (status != 0)
        return status;
    struct vt_mailbox *box = vt_vmm_memory(vm, VT_GUEST_MAILBOX, sizeof *box);
    struct vt_scratch *scratch = vt_vmm_memory(vm, VT_GUEST_SCRATCH, sizeof *scratch);
    scratch->port_user = VT_PORT_USER;
    *box = (struct vt_mailbox){
        .batch = VT_GUEST_CASES + (uint64_t)((const uint8_t *)vt_batch - vt_guest_code_start),
        .function = VT_GUEST_CASES + (uint64_t)((const uint8_t *)c->body - vt_guest_code_start),
        .iterations = ITERATIONS,
        .scratch = VT_GUEST_SCRATCH,
        .skip_vector = UINT64_MAX,
    };
    return 0;
}

/* Cycles of one batch as the guest sees them, or 0 when the machine ended. */
static double run_bare(struct vt_vm *vm)
{
    const struct vt_mailbox *box = vt_vmm_memory(vm, VT_GUEST_MAILBOX, sizeof *box);
    while (ioctl(vm->vcpu, KVM_RUN, 0) == 0 && vm->run->exit_reason == KVM_EXIT_IO)
        if (vm->run->io.port == VT_PORT_DOORBELL)
            return (double)(box->tsc[1] - box->tsc[0]);
    return 0;
}

static int compare(struct vt_vm *vm, const struct vt_engine *engine, void *state)
{
    static double ours[PAIRS], theirs[PAIRS];
    struct vt_error error;
    struct vt_batch batch;

    run_bare(vm);
    for (size_t i = 0; i < PAIRS; i++) {
        if (engine->batch(state, VT_BODY, ITERATIONS, &batch, &error) != VT_BATCH_DONE) {
            puts(error.text);
            return 1;
        }
        ours[i] = (double)batch.cycles / ITERATIONS;
        theirs[i] = run_bare(vm) / ITERATIONS;
    }
    return vt_versus_report("user exit, engine against bare KVM_RUN loop", "cycles", ours, theirs, PAIRS,
                            1.05);
}

int main(void)
{
    const struct vt_case *c = vt_guest_find_case("out-user");
    const struct vt_engine *engine = vt_bench_find_engine("kvm");
    struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &stop};
    struct vt_error error;
    struct vt_vm vm;
    void *state;

    if (open_bare(&vm, c, &error) != 0 || engine->open(&state, &settings, &error) != 0 ||
        engine->prepare(state, c, 3, &error) != 0) {
        puts(error.text);
        return 3;
    }
    int status = compare(&vm, engine, state);
    engine->close(state);
    vt_vmm_close(&vm);
    return status;
}
