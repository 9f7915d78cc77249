#include "bench/engines/kvm/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define APIC_BASE_BSP       UINT64_C(0x100)
#define MAX_CPUID_ENTRIES   256
#define IO_PRIVILEGE_LEVELS 0x3002

/* Offsets into the APIC's page (Intel SDM 3A 11.4.1) */
#define APIC_SVR        0xf0
#define APIC_SVR_ENABLE 0x1ff
#define APIC_IRR        0x200

static int fail(struct vt_error *error, const char *what)
{
    return vt_error_set(error, VT_EXIT_INTERNAL, errno, "second vCPU: %s failed: %s", what, strerror(errno));
}

/* OUT DX, AL; JMP back to it */
static void write_code(const struct vt_vm *vm)
{
    static const uint8_t code[] = {0xee, 0xeb, 0xfd};
    memcpy(vt_vmm_memory(vm, VT_GUEST_PEER, sizeof code), code, sizeof code);
}

static int copy_cpuid(const struct vt_vm *vm, int peer, struct vt_error *error)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + MAX_CPUID_ENTRIES * sizeof cpuid->entries[0]);
    int status = 0;

    if (!cpuid)
        return vt_error_memory(error, "a second vCPU");
    cpuid->nent = MAX_CPUID_ENTRIES;
    if (ioctl(vm->vcpu, KVM_GET_CPUID2, cpuid) != 0 || ioctl(peer, KVM_SET_CPUID2, cpuid) != 0)
        status = fail(error, "KVM_SET_CPUID2");
    free(cpuid);
    return status;
}

/* Where the first vCPU starts, but with the doorbell as its whole program. */
static int copy_registers(const struct vt_vm *vm, int peer, struct vt_error *error)
{
    struct kvm_regs regs = {.rip = VT_GUEST_PEER, .rdx = VT_PORT_DOORBELL, .rflags = IO_PRIVILEGE_LEVELS};
    struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
    struct kvm_sregs sregs;

    if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return fail(error, "KVM_GET_SREGS");
    sregs.apic_base &= ~APIC_BASE_BSP;
    if (ioctl(peer, KVM_SET_SREGS, &sregs) != 0)
        return fail(error, "KVM_SET_SREGS");
    if (ioctl(peer, KVM_SET_REGS, &regs) != 0)
        return fail(error, "KVM_SET_REGS");
    return ioctl(peer, KVM_SET_MP_STATE, &runnable) == 0 ? 0 : fail(error, "KVM_SET_MP_STATE");
}

static int enable_apic(int peer, struct vt_error *error)
{
    struct kvm_lapic_state apic;

    if (ioctl(peer, KVM_GET_LAPIC, &apic) != 0)
        return fail(error, "KVM_GET_LAPIC");
    memcpy(apic.regs + APIC_SVR, &(uint32_t){APIC_SVR_ENABLE}, sizeof(uint32_t));
    return ioctl(peer, KVM_SET_LAPIC, &apic) == 0 ? 0 : fail(error, "KVM_SET_LAPIC");
}

int vt_kvm_peer_open(const struct vt_vm *vm, int *peer, struct vt_error *error)
{
    *peer = ioctl(vm->vm, KVM_CREATE_VCPU, 1);
    if (*peer < 0)
        return fail(error, "KVM_CREATE_VCPU");
    write_code(vm);
    int status = copy_cpuid(vm, *peer, error);
    if (status == 0)
        status = copy_registers(vm, *peer, error);
    if (status == 0 && vm->irqchip)
        status = enable_apic(*peer, error);
    if (status != 0)
        vt_kvm_peer_close(peer);
    return status;
}

int vt_kvm_peer_run(int peer, struct vt_error *error)
{
    if (ioctl(peer, KVM_RUN, 0) == 0)
        return 0;
    struct vt_obstacle obstacle;
    int number = errno;
    vt_vmm_explain("KVM_RUN of the second vCPU", number, &obstacle);
    return vt_obstacle_error(&obstacle, number, error);
}

/* The request register: 256 bits, 32 in every sixteen bytes. */
uint64_t vt_kvm_peer_take_interrupts(int peer)
{
    struct kvm_lapic_state apic;
    uint64_t count = 0;

    if (ioctl(peer, KVM_GET_LAPIC, &apic) != 0)
        return 0;
    for (size_t word = 0; word < VT_VECTORS / 32; word++) {
        uint32_t bits;
        memcpy(&bits, apic.regs + APIC_IRR + word * 16, sizeof bits);
        count += (uint64_t)__builtin_popcount(bits);
        memset(apic.regs + APIC_IRR + word * 16, 0, sizeof bits);
    }
    return ioctl(peer, KVM_SET_LAPIC, &apic) == 0 ? count : 0;
}

void vt_kvm_peer_close(int *peer)
{
    if (*peer < 0)
        return;
    close(*peer);
    *peer = -1;
}
