/*
 * A second vCPU that runs beside the first, on a thread and a CPU of its own: it
 * answers interrupts and echoes a token (guest/payload/entry.S). Its registers are
 * those of peer.h.
 */
#ifndef VT_BENCH_ENGINES_KVM_PARTNER_H
#define VT_BENCH_ENGINES_KVM_PARTNER_H

#include "base/process/affinity.h"
#include "base/error.h"
#include "vmm/vm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct vt_kvm_partner {
    int vcpu; /* -1: closed */
    struct kvm_run *run;
    size_t run_size;
    long cpu;
    pthread_t thread;
    bool started;
    atomic_bool stop;
    atomic_int failed; /* an errno, or the negative exit reason it stopped with; 0: it runs */
};

/* A CPU of the set that the calling thread does not run on, or -1. */
long vt_kvm_partner_cpu(const struct vt_affinity *cpus);

/*
 * Once in the life of a virtual machine, after its start; `rip` is where it runs. *partner stays at its
 * address until it is closed, which comes before the machine is. The caller has a handler of SIGRTMIN
 * (base/process/watchdog.h): that signal ends KVM_RUN.
 */
int vt_kvm_partner_open(struct vt_kvm_partner *partner, const struct vt_vm *vm, uint64_t rip, long cpu,
                        struct vt_error *error);

/* Where it is closed: nothing. */
void vt_kvm_partner_close(struct vt_kvm_partner *partner);

#endif
