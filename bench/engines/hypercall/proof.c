#include "bench/engines/hypercall/layout.h"
#include "bench/engines/hypercall/shared.h"
#include "bench/engines/kvm/peer.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <string.h>
#include <sys/ioctl.h>

#define APIC_ISR 0x100
#define ATTEMPTS 4

/* Guest and host read the same clock some microseconds apart. */
#define CLOCK_TOLERANCE_NS 1000000

/* asm/pvclock-abi.h; Xen's struct vcpu_time_info is the same. */
struct clock_page {
    uint32_t version, pad;
    uint64_t tsc, time;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, pad2[2];
};

static void fail(struct vt_error *error, const char *what)
{
    vt_error_set(error, VT_EXIT_INTERNAL, errno, "%s failed: %s", what, strerror(errno));
}

static enum vt_batch_end run_once(struct vt_pv_guest *guest, vt_case_function function,
                                  struct vt_error *error)
{
    struct vt_batch batch;
    return vt_kvm_machine_batch(&guest->machine, function, 1, &batch, error);
}

static int64_t answer(const struct vt_pv_guest *guest)
{
    return (int64_t)vt_kvm_machine_scratch(&guest->machine)->sink[0];
}

static uint64_t guest_clock(const struct vt_pv_guest *guest)
{
    struct kvm_clock_data clock = {0};
    return ioctl(guest->machine.vm.vm, KVM_GET_CLOCK, &clock) == 0 ? clock.clock : 0;
}

/* The time the guest made of the page is KVM's own idea of the guest's time. */
static enum vt_batch_end prove_clock(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                     struct vt_error *error)
{
    const struct clock_page *page = vt_vmm_memory(&guest->machine.vm, VT_PV_CLOCK, sizeof *page);
    uint64_t before = guest_clock(guest);
    enum vt_batch_end end = run_once(guest, form->body, error);
    uint64_t after = guest_clock(guest), time = (uint64_t)answer(guest);

    *honoured = page->version != 0 && page->version % 2 == 0 && page->multiplier != 0 &&
                time + CLOCK_TOLERANCE_NS >= before && time <= after + CLOCK_TOLERANCE_NS;
    return end;
}

/* KVM writes it, and with it a new version, whenever it puts the vCPU on a processor. */
static enum vt_batch_end prove_steal(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                     struct vt_error *error)
{
    const struct kvm_steal_time *page = vt_vmm_memory(&guest->machine.vm, VT_PV_STEAL, sizeof *page);
    uint32_t version = page->version;
    enum vt_batch_end end = run_once(guest, form->body, error);

    *honoured = version != 0 && page->version % 2 == 0 && page->version != version;
    return end;
}

static enum vt_batch_end prove_priority(struct vt_pv_guest *guest, const struct vt_pv_form *form,
                                        bool *honoured, struct vt_error *error)
{
    enum vt_batch_end end = run_once(guest, form->body, error);
    *honoured = (answer(guest) & 0xff) == VT_PV_PROOF_PRIORITY;
    return end;
}

static uint32_t *in_service(struct kvm_lapic_state *apic)
{
    return (uint32_t *)(void *)(apic->regs + APIC_ISR + VT_PV_PROOF_VECTOR / 32 * 16);
}

/* One interrupt, one turn of the twin: is the interrupt still in service? It ends here if it is. */
static enum vt_batch_end interrupt_during(struct vt_pv_guest *guest, vt_case_function function, bool *still,
                                          struct vt_error *error)
{
    struct kvm_msi message = {.address_lo = VT_GUEST_XAPIC, .data = VT_PV_PROOF_VECTOR};
    struct kvm_lapic_state apic;

    if (ioctl(guest->machine.vm.vm, KVM_SIGNAL_MSI, &message) < 0) {
        fail(error, "KVM_SIGNAL_MSI");
        return VT_BATCH_BROKEN;
    }
    enum vt_batch_end end = run_once(guest, function, error);
    if (end != VT_BATCH_DONE)
        return end;
    if (ioctl(guest->machine.vm.vcpu, KVM_GET_LAPIC, &apic) != 0) {
        fail(error, "KVM_GET_LAPIC");
        return VT_BATCH_BROKEN;
    }
    *still = *in_service(&apic) >> VT_PV_PROOF_VECTOR % 32 & 1;
    *in_service(&apic) = 0;
    ioctl(guest->machine.vm.vcpu, KVM_SET_LAPIC, &apic);
    return VT_BATCH_DONE;
}

/*
 * The body's bit ends the interrupt, and nothing else does: the baseline leaves it in service. KVM takes its
 * offer back at the first exit after the delivery, so an exit of another cause spoils an attempt.
 */
static enum vt_batch_end prove_eoi(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                   struct vt_error *error)
{
    bool after_body = true, after_baseline = false;
    enum vt_batch_end end = VT_BATCH_DONE;

    for (int i = 0; i < ATTEMPTS && after_body && end == VT_BATCH_DONE; i++)
        end = interrupt_during(guest, form->body, &after_body, error);
    if (end == VT_BATCH_DONE)
        end = interrupt_during(guest, form->baseline, &after_baseline, error);
    *honoured = !after_body && after_baseline;
    return end;
}

/* -KVM_ENOSYS is what an unused number is answered with; any other call that is refused is not offered. */
static enum vt_batch_end prove_call(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                    struct vt_error *error)
{
    bool unused =
        guest->machine.c->handler == VT_BY_HYPERCALL && form == vt_guest_pv_form(guest->machine.c, VT_PV_KVM);
    enum vt_batch_end end = run_once(guest, form->body, error);

    if (end == VT_BATCH_DONE && !unused && answer(guest) < 0) {
        vt_error_set(error, VT_EXIT_NO, 0, "KVM refuses %s: it answers %lld", form->operation,
                     (long long)answer(guest));
        return VT_BATCH_ABSENT;
    }
    *honoured = !unused || answer(guest) == -KVM_ENOSYS;
    return end;
}

/*
 * The flush that the guest left is gone when the other vCPU has run. That the vCPU looks preempted is the
 * form's own doing: KVM marks one so only when a host interrupt took it off its processor.
 */
static enum vt_batch_end prove_flush(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                     struct vt_error *error)
{
    const struct kvm_steal_time *peer = vt_vmm_memory(&guest->machine.vm, VT_PV_PEER_STEAL, sizeof *peer);

    enum vt_batch_end end = run_once(guest, form->body, error);
    bool left = peer->preempted == (KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB);
    if (end == VT_BATCH_DONE && vt_kvm_peer_run(guest->machine.peer, error) != 0)
        return VT_BATCH_BROKEN;
    *honoured = left && !(peer->preempted & KVM_VCPU_FLUSH_TLB);
    return end;
}

static const struct {
    uint32_t need;
    enum vt_batch_end (*prove)(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                               struct vt_error *error);
} proofs[] = {
    {VT_PV_NEED_CALL, prove_call},       {VT_PV_NEED_CLOCK, prove_clock},
    {VT_PV_NEED_TLB_FLUSH, prove_flush}, {VT_PV_NEED_STEAL, prove_steal},
    {VT_PV_NEED_EOI, prove_eoi},         {VT_PV_NEED_TASK_PRIORITY, prove_priority},
};

enum vt_batch_end vt_pv_shared_prove(struct vt_pv_guest *guest, const struct vt_pv_form *form, bool *honoured,
                                     struct vt_error *error)
{
    *honoured = false;
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++)
        if (form->needs & proofs[i].need)
            return proofs[i].prove(guest, form, honoured, error);
    return VT_BATCH_DONE;
}
