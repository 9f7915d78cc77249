/*
 * The virtual machine an engine runs cases in: one vCPU with the devices the cases
 * touch, a watchdog around every run, one doorbell exit per batch, and KVM's own
 * counters around it. Engines choose which twin of which form it runs.
 */
#ifndef VT_BENCH_ENGINES_KVM_MACHINE_H
#define VT_BENCH_ENGINES_KVM_MACHINE_H

#include "base/process/watchdog.h"
#include "bench/engine.h"
#include "bench/engines/kvm/devices.h"
#include "bench/engines/kvm/partner.h"
#include "guest/abi.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_kvm_machine {
    struct vt_engine_settings settings;
    struct vt_vm vm;
    struct vt_kvm_devices devices;
    struct vt_watchdog watchdog;
    const struct vt_case *c;       /* the one it was started for */
    struct vt_kvm_partner partner; /* a second vCPU that runs */
    int peer;                      /* descriptor of a second vCPU that is off its processor; -1: none */
    void (*ending)(void *context); /* called before its virtual machine is ended, to let go of it; or NULL */
    void *context;
    bool hypervises;            /* its guest has been a hypervisor */
    bool settled;               /* KVM is done with what its making began */
    uint64_t users;             /* user exits since it was opened */
    struct vt_counters counted; /* KVM's counters at the end of the last run */
};

/* The machine stays at its address until it is closed. On failure nothing stays open. */
int vt_kvm_machine_open(struct vt_kvm_machine *machine, const struct vt_engine_settings *settings,
                        struct vt_error *error);
void vt_kvm_machine_close(struct vt_kvm_machine *machine);

/* Does it have what a case with these vt_need bits needs? On no: which part of KVM is missing. */
bool vt_kvm_machine_offers(const struct vt_kvm_machine *machine, uint32_t needs, char *reason, size_t size);

/*
 * Put the machine into the state the case starts from; a machine whose last run
 * ended badly is made anew. What the caller changes now, in memory or in the vCPU, the guest finds.
 */
int vt_kvm_machine_start(struct vt_kvm_machine *machine, const struct vt_case *c, int cpl,
                         struct vt_error *error);

/* The same without making a machine anew: for one that is new, or that another vCPU joined. */
int vt_kvm_machine_set(struct vt_kvm_machine *machine, const struct vt_case *c, int cpl,
                       struct vt_error *error);

/* Let the payload run to where it waits for its first batch. */
int vt_kvm_machine_enter(struct vt_kvm_machine *machine, struct vt_error *error);

/* Run one batch of a function of the cases' machine code. Fills *out when it ends as VT_BATCH_DONE. */
enum vt_batch_end vt_kvm_machine_batch(struct vt_kvm_machine *machine, vt_case_function function,
                                       uint64_t iterations, struct vt_batch *out, struct vt_error *error);

/*
 * Has a system call of a program of the guest's led its kernel to another ring than 0, as virt-pvm's KVM
 * does, whose guests' kernels are at ring 3? Of cases that have such a program, after a batch; yes: how, in
 * words.
 */
bool vt_kvm_machine_strayed(const struct vt_kvm_machine *machine, char *reason, size_t size);

/* In the guest's memory; valid until the next start. */
struct vt_mailbox *vt_kvm_machine_mailbox(const struct vt_kvm_machine *machine);
struct vt_scratch *vt_kvm_machine_scratch(const struct vt_kvm_machine *machine);

#endif
