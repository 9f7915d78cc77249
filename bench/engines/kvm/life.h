/*
 * The life of a virtual machine, step by step: a batch makes whole machines one after
 * another, lets each run to its first word, ends it, and times one step of them. No
 * guest asks for these crossings: they are the host's system calls.
 */
#ifndef VT_BENCH_ENGINES_KVM_LIFE_H
#define VT_BENCH_ENGINES_KVM_LIFE_H

#include "bench/engine.h"
#include "bench/engines/kvm/machine.h"

/*
 * `machine`: an open one, whose settings and watchdog serve; its own machine is left alone. Counts the calls
 * of the step (VT_SYSTEM_CALLS) and the machines in which its effect was seen (VT_HONOURED). The step of a
 * baseline is VT_LIFE_NOTHING.
 */
enum vt_batch_end vt_kvm_life_batch(struct vt_kvm_machine *machine, enum vt_life_step step,
                                    uint64_t iterations, struct vt_batch *out, struct vt_error *error);

#endif
