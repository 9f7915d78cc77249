#include "bench/engines/kvm/partner.h"
#include "base/process/thread.h"
#include "bench/engines/kvm/peer.h"
#include "guest/abi.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define INTERRUPTS_ON 0x3202 /* and IOPL 3 */

static int fail(struct vt_error *error, int number, const char *what)
{
    return vt_error_set(error, VT_EXIT_INTERNAL, number, "second vCPU: %s failed: %s", what,
                        strerror(number));
}

long vt_kvm_partner_cpu(const struct vt_affinity *cpus)
{
    for (long cpu = cpus ? vt_affinity_last(cpus) : -1; cpu >= 0; cpu--)
        if (vt_affinity_has(cpus, cpu) && !vt_affinity_is_pinned(cpu))
            return cpu;
    return -1;
}

static void *run(void *argument)
{
    struct vt_kvm_partner *partner = argument;

    vt_affinity_pin(partner->cpu);
    while (!partner->stop) {
        if (ioctl(partner->vcpu, KVM_RUN, 0) == 0)
            partner->failed = -(int)partner->run->exit_reason - 1;
        else if (errno != EINTR && errno != EAGAIN)
            partner->failed = errno;
        if (partner->failed)
            break;
    }
    return NULL;
}

static int set_registers(const struct vt_kvm_partner *partner, uint64_t rip, struct vt_error *error)
{
    struct kvm_regs regs = {.rip = rip, .rsp = VT_GUEST_PEER_STACK, .rflags = INTERRUPTS_ON};

    return ioctl(partner->vcpu, KVM_SET_REGS, &regs) == 0 ? 0 : fail(error, errno, "KVM_SET_REGS");
}

static int map_run(struct vt_kvm_partner *partner, const struct vt_vm *vm, struct vt_error *error)
{
    void *shared = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, partner->vcpu, 0);

    if (shared == MAP_FAILED)
        return fail(error, errno, "mapping kvm_run");
    partner->run = shared;
    partner->run_size = vm->run_size;
    return 0;
}

int vt_kvm_partner_open(struct vt_kvm_partner *partner, const struct vt_vm *vm, uint64_t rip, long cpu,
                        struct vt_error *error)
{
    *partner = (struct vt_kvm_partner){.vcpu = -1, .cpu = cpu};
    int status = vt_kvm_peer_open(vm, &partner->vcpu, error);
    if (status == 0)
        status = map_run(partner, vm, error);
    if (status == 0)
        status = set_registers(partner, rip, error);
    if (status == 0) {
        int number = vt_thread_start(&partner->thread, run, partner);
        partner->started = number == 0;
        status = number ? fail(error, number, "pthread_create") : 0;
    }
    if (status != 0)
        vt_kvm_partner_close(partner);
    return status;
}

void vt_kvm_partner_close(struct vt_kvm_partner *partner)
{
    if (partner->started) {
        partner->stop = true;
        partner->run->immediate_exit = 1;
        pthread_kill(partner->thread, SIGRTMIN);
        pthread_join(partner->thread, NULL);
    }
    if (partner->run)
        munmap(partner->run, partner->run_size);
    vt_kvm_peer_close(&partner->vcpu);
    partner->run = NULL;
    partner->started = false;
}
