/*
 * More vCPUs that run the same case at the same time, each on a thread, a CPU and a
 * copy of the guest of its own, while the first is measured: what some exits cost is
 * contention for what the vCPUs of a machine share.
 */
#ifndef VT_BENCH_ENGINES_KVM_CREW_H
#define VT_BENCH_ENGINES_KVM_CREW_H

#include "bench/engine.h"
#include "bench/engines/kvm/machine.h"

struct vt_kvm_crew;

/*
 * Join machine->settings.vcpus - 1 vCPUs to an open machine; closes itself when the machine is ended. They
 * are pinned to the CPUs of settings.cpus in turn, that of the calling thread last. *result is the caller's;
 * on failure it is NULL.
 */
int vt_kvm_crew_open(struct vt_kvm_crew **result, struct vt_kvm_machine *machine, struct vt_error *error);
void vt_kvm_crew_close(struct vt_kvm_crew *crew);

/* Let all of them wait for their first batch of the machine's case. */
int vt_kvm_crew_prepare(struct vt_kvm_crew *crew, int cpl, struct vt_error *error);

/*
 * A batch of the first vCPU while the others run batches of the same. Adds VT_BESIDE: operations of theirs in
 * that time.
 */
enum vt_batch_end vt_kvm_crew_batch(struct vt_kvm_crew *crew, vt_case_function function, uint64_t iterations,
                                    struct vt_batch *out, struct vt_error *error);

#endif
