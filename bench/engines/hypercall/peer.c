#include "bench/engines/hypercall/peer.h"
#include "bench/engines/hypercall/layout.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define APIC_BASE_BSP       UINT64_C(0x100)
#define MAX_CPUID_ENTRIES   256
#define IO_PRIVILEGE_LEVELS 0x3002

static int fail(struct vt_error *error, const char *what)
{
    return vt_error_set(error, VT_EXIT_INTERNAL, errno, "second vCPU: %s failed: %s", what, strerror(errno));
}

/* OUT DX, AL; JMP back to it */
static void write_code(const struct vt_pv_guest *guest)
{
    static const uint8_t code[] = {0xee, 0xeb, 0xfd};
    memcpy(vt_vmm_memory(&guest->machine.vm, VT_PV_PEER_CODE, sizeof code), code, sizeof code);
}

static int copy_cpuid(const struct vt_pv_guest *guest, struct vt_error *error)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + MAX_CPUID_ENTRIES * sizeof cpuid->entries[0]);
    int status = 0;

    if (!cpuid)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "out of memory for a second vCPU");
    cpuid->nent = MAX_CPUID_ENTRIES;
    if (ioctl(guest->machine.vm.vcpu, KVM_GET_CPUID2, cpuid) != 0 ||
        ioctl(guest->peer, KVM_SET_CPUID2, cpuid) != 0)
        status = fail(error, "KVM_SET_CPUID2");
    free(cpuid);
    return status;
}

/* Where the first vCPU starts, but with the doorbell as its whole program. */
static int copy_registers(const struct vt_pv_guest *guest, struct vt_error *error)
{
    struct kvm_regs regs = {.rip = VT_PV_PEER_CODE, .rdx = VT_PORT_DOORBELL, .rflags = IO_PRIVILEGE_LEVELS};
    struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
    struct kvm_sregs sregs;

    if (ioctl(guest->machine.vm.vcpu, KVM_GET_SREGS, &sregs) != 0)
        return fail(error, "KVM_GET_SREGS");
    sregs.apic_base &= ~APIC_BASE_BSP;
    if (ioctl(guest->peer, KVM_SET_SREGS, &sregs) != 0)
        return fail(error, "KVM_SET_SREGS");
    if (ioctl(guest->peer, KVM_SET_REGS, &regs) != 0)
        return fail(error, "KVM_SET_REGS");
    return ioctl(guest->peer, KVM_SET_MP_STATE, &runnable) == 0 ? 0 : fail(error, "KVM_SET_MP_STATE");
}

int vt_pv_peer_open(struct vt_pv_guest *guest, struct vt_error *error)
{
    guest->peer = ioctl(guest->machine.vm.vm, KVM_CREATE_VCPU, 1);
    if (guest->peer < 0)
        return fail(error, "KVM_CREATE_VCPU");
    write_code(guest);
    int status = copy_cpuid(guest, error);
    if (status == 0)
        status = copy_registers(guest, error);
    if (status == 0 && vt_vmm_set_msr(guest->peer, MSR_KVM_STEAL_TIME, VT_PV_PEER_STEAL | 1) != 0)
        status = fail(error, "MSR_KVM_STEAL_TIME");
    if (status != 0)
        vt_pv_peer_close(guest);
    return status;
}

int vt_pv_peer_run(const struct vt_pv_guest *guest, struct vt_error *error)
{
    return ioctl(guest->peer, KVM_RUN, 0) == 0 ? 0 : fail(error, "KVM_RUN");
}

void vt_pv_peer_close(struct vt_pv_guest *guest)
{
    if (guest->peer < 0)
        return;
    close(guest->peer);
    guest->peer = -1;
    guest->machine.vm.dirty = true;
}
