#include "bench/engines/kvm/devices.h"
#include "base/process/clock.h"
#include "bench/pmtimer.h"
#include "guest/abi.h"
#include "guest/catalogue.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Xen's call that asks for its version, and the answer: 4.17 (Xen version.h, XENVER_version). */
#define XEN_VERSION_CALL 17
#define XEN_VERSION      (4 << 16 | 17)

static bool has(const struct vt_vm *vm, long capability)
{
    return ioctl(vm->vm, KVM_CHECK_EXTENSION, capability) > 0;
}

static bool open_eventfd(struct vt_kvm_devices *devices, const struct vt_vm *vm)
{
    struct kvm_ioeventfd bells[] = {
        {.addr = VT_PORT_EVENTFD, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO},
        {.addr = VT_PORT_MATCH,
         .len = 1,
         .flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH,
         .datamatch = VT_EVENTFD_MATCH},
        {.addr = VT_GUEST_MMIO + VT_MMIO_EVENTFD, .len = 4},
        {.addr = VT_GUEST_MMIO + VT_MMIO_MATCH,
         .len = 4,
         .flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
         .datamatch = VT_EVENTFD_MATCH},
    };

    devices->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (devices->eventfd < 0)
        return false;
    for (size_t i = 0; i < sizeof bells / sizeof bells[0]; i++) {
        bells[i].fd = devices->eventfd;
        if (ioctl(vm->vm, KVM_IOEVENTFD, &bells[i]) != 0)
            return false;
    }
    return true;
}

/* Without a length KVM need not decode the write, where the processor says that one happened (KVM_IOEVENTFD).
 */
static bool open_any_length(const struct vt_kvm_devices *devices, const struct vt_vm *vm)
{
    struct kvm_ioeventfd bell = {.addr = VT_GUEST_MMIO + VT_MMIO_ANY, .fd = devices->eventfd};

    return has(vm, KVM_CAP_IOEVENTFD_ANY_LENGTH) && ioctl(vm->vm, KVM_IOEVENTFD, &bell) == 0;
}

/* KVM_COALESCED_MMIO_MAX, which wants the kernel's PAGE_SIZE */
#define COALESCED_MOST ((4096 - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

static bool open_coalesced(struct vt_kvm_devices *devices, const struct vt_vm *vm)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = VT_GUEST_MMIO + VT_MMIO_COALESCED, .size = 0x1000};
    int page = ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);

    if (page <= 0 || ((size_t)page + 1) * 4096 > vm->run_size)
        return false;
    devices->coalesced_page = (uint32_t)page;
    return ioctl(vm->vm, KVM_REGISTER_COALESCED_MMIO, &zone) == 0;
}

/* What KVM itself does not know stays what it is on a processor: #GP. */
static bool open_msr_filter(const struct vt_vm *vm)
{
    uint64_t denied = 0; /* the kernel copies whole words */
    struct kvm_enable_cap capability = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
                                        .args = {KVM_MSR_EXIT_REASON_FILTER}};
    struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
                                    .ranges = {{.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
                                                .nmsrs = 1,
                                                .base = VT_MSR_USER,
                                                .bitmap = (uint8_t *)&denied}}};

    return has(vm, KVM_CAP_X86_USER_SPACE_MSR) && ioctl(vm->vm, KVM_ENABLE_CAP, &capability) == 0 &&
           ioctl(vm->vm, KVM_X86_SET_MSR_FILTER, &filter) == 0;
}

/*
 * KVM rewrites the other vendor's hypercall instruction in guest memory and
 * retries it. That breaks "the same bytes on every road", and one backend retries
 * for ever: ask for the architectural #UD instead. False: this kernel cannot (before Linux 5.19).
 */
static bool keep_hypercall_bytes(const struct vt_vm *vm)
{
    struct kvm_enable_cap capability = {.cap = KVM_CAP_DISABLE_QUIRKS2,
                                        .args = {KVM_X86_QUIRK_FIX_HYPERCALL_INSN}};
    return ioctl(vm->vm, KVM_ENABLE_CAP, &capability) == 0;
}

void vt_kvm_devices_open(struct vt_kvm_devices *devices, const struct vt_vm *vm)
{
    *devices = (struct vt_kvm_devices){.eventfd = -1,
                                       .offered = VT_NEED_TABLES | VT_NEED_HANDLERS | VT_NEED_MMIO |
                                                  VT_NEED_DISCARD | VT_NEED_PAGING | VT_NEED_PM_TIMER |
                                                  VT_NEED_HOST};
    if (vm->irqchip)
        devices->offered |=
            VT_NEED_XAPIC | VT_NEED_X2APIC | VT_NEED_INTERRUPTS | VT_NEED_PRIORITY | VT_NEED_PORTS;
    if (vm->irqchip && ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) > 1)
        devices->offered |= VT_NEED_PEER | VT_NEED_PARTNER;
    if (open_eventfd(devices, vm))
        devices->offered |= VT_NEED_EVENTFD;
    if (devices->offered & VT_NEED_EVENTFD && open_any_length(devices, vm))
        devices->offered |= VT_NEED_ANY_LENGTH;
    if (vm->has_deadline)
        devices->offered |= VT_NEED_DEADLINE;
    if (open_coalesced(devices, vm))
        devices->offered |= VT_NEED_COALESCED;
    if (open_msr_filter(vm))
        devices->offered |= VT_NEED_MSR_FILTER;
    devices->rewrites_calls = !keep_hypercall_bytes(vm);
}

void vt_kvm_devices_close(struct vt_kvm_devices *devices)
{
    if (devices->eventfd >= 0)
        close(devices->eventfd);
    devices->eventfd = -1;
}

/*
 * The kernel stops gathering when its ring is full; an empty ring is first == last. Until Linux 6.11 how much
 * it took before it called itself full followed from where it began (coalesced_mmio_has_room, a remainder of
 * a difference below 0): beginning at the last entry it takes all but one in every kernel.
 */
void vt_kvm_devices_drain(const struct vt_kvm_devices *devices, struct kvm_run *run)
{
    if (devices->coalesced_page) {
        struct kvm_coalesced_mmio_ring *ring = (void *)((char *)run + devices->coalesced_page * 4096u);
        ring->first = ring->last = COALESCED_MOST - 1;
    }
}

static bool answer_port(struct kvm_run *run)
{
    void *data = (char *)run + run->io.data_offset;

    if (run->io.port != VT_PORT_USER && run->io.port != VT_PORT_PM_TIMER)
        return false;
    if (run->io.direction == KVM_EXIT_IO_IN)
        memset(data, 0, (size_t)run->io.size * run->io.count);
    if (run->io.port == VT_PORT_PM_TIMER && run->io.direction == KVM_EXIT_IO_IN && run->io.size == 4)
        memcpy(data, &(uint32_t){vt_bench_pm_timer(vt_clock_now())}, 4);
    return true;
}

bool vt_kvm_devices_answer(struct vt_kvm_devices *devices, struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        return answer_port(run);
    case KVM_EXIT_MMIO:
        if (run->mmio.phys_addr - VT_GUEST_MMIO > VT_MMIO_COALESCED + 0xfff)
            return false;
        if (!run->mmio.is_write)
            memset(run->mmio.data, 0, sizeof run->mmio.data);
        else
            vt_kvm_devices_drain(devices, run);
        return true;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        if (run->msr.index != VT_MSR_USER)
            return false;
        run->msr.data = 0;
        run->msr.error = 0;
        return true;
    case KVM_EXIT_HYPERCALL:
        run->hypercall.ret = 0;
        return run->hypercall.nr == KVM_HC_MAP_GPA_RANGE;
    case KVM_EXIT_XEN:
        devices->xen_calls++;
        run->xen.u.hcall.result = XEN_VERSION;
        return run->xen.type == KVM_EXIT_XEN_HCALL && run->xen.u.hcall.input == XEN_VERSION_CALL;
    default:
        return false;
    }
}
