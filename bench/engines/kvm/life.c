#include "bench/engines/kvm/life.h"
#include "base/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* One machine of a batch, and whether the effect of the step that the batch asks for was seen. */
struct life {
    struct vt_vm vm;
    enum vt_life_step step;
    bool seen;
};

/* What a descriptor is, as the kernel names it (proc(5), /proc/pid/fd). */
static bool is_kernel_object(int fd, const char *name)
{
    char path[64], target[64] = "";

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return readlink(path, target, sizeof target - 1) > 0 && strncmp(target, name, strlen(name)) == 0;
}

/* Slots may not overlap: the kernel's refusal of a second one shows that the first is there. */
static bool has_memory(const struct vt_vm *vm)
{
    struct kvm_userspace_memory_region region = {
        .slot = 1, .memory_size = VT_GUEST_MEMORY, .userspace_addr = (uintptr_t)vm->memory};

    return ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region) != 0 && errno == EEXIST;
}

static bool is_closed(int fd)
{
    return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

/* Before the first run. */
static void look(struct life *life)
{
    const struct vt_vm *vm = &life->vm;

    if (life->step == VT_LIFE_CREATE)
        life->seen = is_kernel_object(vm->vm, "anon_inode:kvm-vm");
    else if (life->step == VT_LIFE_MEMORY)
        life->seen = has_memory(vm);
    else if (life->step == VT_LIFE_VCPU)
        life->seen = is_kernel_object(vm->vcpu, "anon_inode:kvm-vcpu");
}

static enum vt_batch_end explain(struct vt_kvm_machine *machine, const struct vt_vm *vm, int number,
                                 struct vt_error *error)
{
    if (*machine->settings.stop)
        return VT_BATCH_INTERRUPTED;
    if (machine->watchdog.fired) {
        vt_error_set(error, VT_EXIT_NO, 0, "the first run did not return within %llu ms",
                     (unsigned long long)(machine->settings.limit_ns / 1000000));
        return VT_BATCH_TIMEOUT;
    }
    if (number)
        vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "KVM_RUN of a new machine failed: %s",
                     strerror(number));
    else
        vt_error_set(error, VT_EXIT_NO, 0, "a new machine stopped with exit %s before its first word",
                     vt_vmm_exit_name(vm->run->exit_reason));
    return VT_BATCH_BROKEN;
}

/* KVM_RUN until it returns, watched; 0 or an errno. */
static int run_timed(struct vt_kvm_machine *machine, struct vt_vm *vm)
{
    struct vt_vm_step *step = &vm->life[VT_LIFE_FIRST_RUN];
    volatile uint8_t *kick = machine->watchdog.kick;
    int number;

    machine->watchdog.kick = &vm->run->immediate_exit;
    vt_watchdog_arm(&machine->watchdog, machine->settings.limit_ns);
    uint64_t from = vt_vmm_clock();
    do
        number = ioctl(vm->vcpu, KVM_RUN, 0) == 0 ? 0 : errno;
    while (number == EINTR && !machine->watchdog.fired && !*machine->settings.stop);
    step->cycles = vt_vmm_clock() - from;
    step->calls = number == 0;
    vt_watchdog_arm(&machine->watchdog, 0);
    machine->watchdog.kick = kick;
    return number;
}

/* To the doorbell the payload begins with. */
static enum vt_batch_end run_first(struct vt_kvm_machine *machine, struct life *life, struct vt_error *error)
{
    const struct kvm_run *run = life->vm.run;
    int number = run_timed(machine, &life->vm);

    if (number || run->exit_reason != KVM_EXIT_IO || run->io.port != VT_PORT_DOORBELL)
        return explain(machine, &life->vm, number, error);
    if (life->step == VT_LIFE_FIRST_RUN)
        life->seen = true;
    return VT_BATCH_DONE;
}

/* The life as a whole, whichever step is asked for: each then meets the same machine. */
static enum vt_batch_end live(struct vt_kvm_machine *machine, struct life *life, struct vt_error *error)
{
    struct vt_vm *vm = &life->vm;

    if (vt_vmm_open(vm, error) != 0)
        return VT_BATCH_BROKEN;
    int fds[] = {vm->vm, vm->vcpu};
    look(life);
    enum vt_batch_end end = VT_BATCH_BROKEN;
    if (vt_vmm_start(vm, 0, VT_APIC_X2, vm->payload_entry, VT_GUEST_MAILBOX, error) == 0)
        end = run_first(machine, life, error);
    vt_vmm_close(vm);
    if (life->step == VT_LIFE_DESTROY)
        life->seen = is_closed(fds[0]) && is_closed(fds[1]);
    return end;
}

/* What a baseline takes off: the two reads. */
static enum vt_batch_end live_not(struct life *life)
{
    uint64_t from = vt_vmm_clock();

    life->vm.life[VT_LIFE_NOTHING].cycles = vt_vmm_clock() - from;
    return VT_BATCH_DONE;
}

enum vt_batch_end vt_kvm_life_batch(struct vt_kvm_machine *machine, enum vt_life_step step,
                                    uint64_t iterations, struct vt_batch *out, struct vt_error *error)
{
    struct vt_usage before = vt_usage_now();
    uint64_t cycles = 0, calls = 0, seen = 0;

    for (uint64_t i = 0; i < iterations; i++) {
        struct life life = {.step = step};
        enum vt_batch_end end = step == VT_LIFE_NOTHING ? live_not(&life) : live(machine, &life, error);
        if (end != VT_BATCH_DONE)
            return end;
        cycles += life.vm.life[step].cycles;
        calls += life.vm.life[step].calls;
        seen += life.seen;
    }
    struct vt_usage after = vt_usage_now();
    *out = (struct vt_batch){.cycles = cycles, .marked = after.preemptions != before.preemptions};
    vt_counters_put(&out->counters, VT_SYSTEM_CALLS, calls);
    vt_counters_put(&out->counters, VT_HONOURED, seen);
    vt_usage_count(&before, &after, &out->counters);
    return VT_BATCH_DONE;
}
