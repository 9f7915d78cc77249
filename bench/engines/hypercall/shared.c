#include "bench/engines/hypercall/shared.h"
#include "bench/engines/hypercall/layout.h"
#include "bench/engines/kvm/peer.h"
#include "base/vendor.h"
#include "guest/abi.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* A page of hypercalls has a slot for each number, as Xen lays it out (arch-x86/xen.h). */
#define SLOT             32
#define SLOTS            (0x1000 / SLOT)
#define XEN_VERSION_SLOT 17

/* Any number from 0x40000000 to 0x4fffffff (api.rst, KVM_XEN_HVM_CONFIG); the guest never writes it. */
#define XEN_MSR 0x40000000

#define RFLAGS_IF 0x200
#define APIC_TPR  0x80

#define FEATURE(name) (UINT32_C(1) << KVM_FEATURE_##name)

/* Needs that KVM announces in CPUID 0x40000001 EAX, and the MSR that shares the memory (0: none). */
static const struct {
    uint32_t need, feature, msr, address;
    const char *name;
} provisions[] = {
    {VT_PV_NEED_CLOCK, FEATURE(CLOCKSOURCE2), MSR_KVM_SYSTEM_TIME_NEW, VT_PV_CLOCK,
     "KVM_FEATURE_CLOCKSOURCE2"},
    {VT_PV_NEED_STEAL, FEATURE(STEAL_TIME), MSR_KVM_STEAL_TIME, VT_PV_STEAL, "KVM_FEATURE_STEAL_TIME"},
    {VT_PV_NEED_EOI, FEATURE(PV_EOI), MSR_KVM_PV_EOI_EN, VT_PV_EOI, "KVM_FEATURE_PV_EOI"},
    {VT_PV_NEED_TLB_FLUSH, FEATURE(PV_TLB_FLUSH), 0, 0, "KVM_FEATURE_PV_TLB_FLUSH"},
    {VT_PV_NEED_SEND_IPI, FEATURE(PV_SEND_IPI), 0, 0, "KVM_FEATURE_PV_SEND_IPI"},
    {VT_PV_NEED_KICK, FEATURE(PV_UNHALT), 0, 0, "KVM_FEATURE_PV_UNHALT"},
    {VT_PV_NEED_YIELD, FEATURE(PV_SCHED_YIELD), 0, 0, "KVM_FEATURE_PV_SCHED_YIELD"},
};
#define PROVISIONS (sizeof provisions / sizeof provisions[0])

/* What a guest that keeps its ring 0 cannot be asked for. */
static const struct {
    uint32_t need;
    const char *why;
} refusals[] = {
    {VT_PV_NEED_EVENT_MASK, "KVM gives Xen's event mask no meaning: its guests keep RFLAGS.IF"},
    {VT_PV_NEED_PV_MMU, "for a guest without ring 0: see vmtoll lab xen"},
};

static bool has(const struct vt_pv_guest *guest, long capability)
{
    return ioctl(guest->machine.vm.vm, KVM_CHECK_EXTENSION, capability) > 0;
}

/* The feature bit of this call is user space's to set (cpuid.rst): what counts is that KVM will hand it on.
 */
static bool sends_calls_to_user_space(const struct vt_pv_guest *guest)
{
    int calls = ioctl(guest->machine.vm.vm, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);
    return calls > 0 && calls >> KVM_HC_MAP_GPA_RANGE & 1;
}

static bool kvm_offers(const struct vt_pv_guest *guest, const struct vt_pv_form *form, char *reason,
                       size_t size)
{
    for (size_t i = 0; i < PROVISIONS; i++)
        if (form->needs & provisions[i].need && !(guest->machine.vm.kvm_features & provisions[i].feature)) {
            snprintf(reason, size, "this KVM does not offer its guests %s (CPUID 0x40000001)",
                     provisions[i].name);
            return false;
        }
    if (form->needs & VT_PV_NEED_TASK_PRIORITY && !has(guest, KVM_CAP_VAPIC)) {
        snprintf(reason, size, "this KVM does not offer KVM_SET_VAPIC_ADDR");
        return false;
    }
    if (form->needs & VT_PV_NEED_USER_CALL && !sends_calls_to_user_space(guest)) {
        snprintf(reason, size, "this KVM hands no hypercall on to user space (KVM_CAP_EXIT_HYPERCALL)");
        return false;
    }
    return true;
}

static bool xen_offers(const struct vt_pv_guest *guest, char *reason, size_t size)
{
    int flags = ioctl(guest->machine.vm.vm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
    int wanted = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_SHARED_INFO;

    if (flags > 0 && (flags & wanted) == wanted)
        return true;
    snprintf(reason, size,
             "this KVM does not speak Xen's ABI (KVM_CAP_XEN_HVM; built without CONFIG_KVM_XEN)");
    return false;
}

bool vt_pv_shared_offers(const struct vt_pv_guest *guest, enum vt_pv_interface interface,
                         const struct vt_pv_form *form, int cpl, char *reason, size_t size)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (form->needs & refusals[i].need) {
            snprintf(reason, size, "%s", refusals[i].why);
            return false;
        }
    if (form->calls && cpl != 0) {
        snprintf(reason, size, "KVM answers hypercalls from CPL 0 only");
        return false;
    }
    return interface == VT_PV_XEN ? xen_offers(guest, reason, size) : kvm_offers(guest, form, reason, size);
}

static int fail(struct vt_error *error, const char *what)
{
    return vt_error_set(error, VT_EXIT_INTERNAL, errno, "%s failed: %s", what, strerror(errno));
}

/* Each MSR holds the address and, in bit 0, whether it is in use. */
static int share_pages(const struct vt_pv_guest *guest, uint32_t needs, struct vt_error *error)
{
    for (size_t i = 0; i < PROVISIONS; i++) {
        bool wanted = needs & provisions[i].need;
        bool offered = guest->machine.vm.kvm_features & provisions[i].feature;
        if (!provisions[i].msr || !offered)
            continue;
        if (vt_vmm_set_msr(guest->machine.vm.vcpu, provisions[i].msr,
                           wanted ? provisions[i].address | 1 : 0) != 0)
            return fail(error, provisions[i].name);
    }
    return 0;
}

static int share_priority(const struct vt_pv_guest *guest, bool wanted, struct vt_error *error)
{
    struct kvm_vapic_addr address = {.vapic_addr = wanted ? VT_PV_PRIORITY : 0};
    struct kvm_lapic_state apic;

    if (!guest->machine.vm.irqchip || !has(guest, KVM_CAP_VAPIC))
        return 0;
    if (ioctl(guest->machine.vm.vcpu, KVM_SET_VAPIC_ADDR, &address) != 0)
        return fail(error, "KVM_SET_VAPIC_ADDR");
    if (!wanted)
        return 0;
    if (ioctl(guest->machine.vm.vcpu, KVM_GET_LAPIC, &apic) != 0)
        return fail(error, "KVM_GET_LAPIC");
    memcpy(apic.regs + APIC_TPR, &(uint32_t){VT_PV_PROOF_PRIORITY}, sizeof(uint32_t));
    return ioctl(guest->machine.vm.vcpu, KVM_SET_LAPIC, &apic) == 0 ? 0 : fail(error, "KVM_SET_LAPIC");
}

/* From then on KVM takes every hypercall of this machine for one of Xen's. */
static int speak_xen(const struct vt_pv_guest *guest, uint32_t needs, struct vt_error *error)
{
    struct kvm_xen_hvm_config config = {.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL, .msr = XEN_MSR};
    struct kvm_xen_hvm_attr mode = {.type = KVM_XEN_ATTR_TYPE_LONG_MODE, .u.long_mode = 1};
    struct kvm_xen_hvm_attr info = {.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
                                    .u.shared_info.gfn = VT_PV_SHARED_INFO / 4096};
    struct kvm_xen_vcpu_attr time = {.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
                                     .u.gpa = needs & VT_PV_NEED_CLOCK ? VT_PV_CLOCK : UINT64_MAX};

    if (ioctl(guest->machine.vm.vm, KVM_XEN_HVM_CONFIG, &config) != 0)
        return fail(error, "KVM_XEN_HVM_CONFIG");
    if (ioctl(guest->machine.vm.vm, KVM_XEN_HVM_SET_ATTR, &mode) != 0 ||
        ioctl(guest->machine.vm.vm, KVM_XEN_HVM_SET_ATTR, &info) != 0)
        return fail(error, "KVM_XEN_HVM_SET_ATTR");
    return ioctl(guest->machine.vm.vcpu, KVM_XEN_VCPU_SET_ATTR, &time) == 0
               ? 0
               : fail(error, "KVM_XEN_VCPU_SET_ATTR");
}

static int let_user_space_answer(const struct vt_pv_guest *guest, struct vt_error *error)
{
    struct kvm_enable_cap capability = {.cap = KVM_CAP_EXIT_HYPERCALL, .args = {1 << KVM_HC_MAP_GPA_RANGE}};
    return ioctl(guest->machine.vm.vm, KVM_ENABLE_CAP, &capability) == 0
               ? 0
               : fail(error, "KVM_CAP_EXIT_HYPERCALL");
}

/* MOV EAX, slot; VMCALL or VMMCALL; RET */
static void write_calls(uint8_t *page)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint8_t *code = page + slot * (size_t)SLOT;
        const uint8_t rest[] = {0x0f, 0x01, vt_vendor_has_svm() ? 0xd9 : 0xc1, 0xc3};
        code[0] = 0xb8;
        memcpy(code + 1, &slot, sizeof slot);
        memcpy(code + 5, rest, sizeof rest);
    }
}

/* KVM's calls have their number in the form; the bare instruction lies behind the slot's MOV. */
static void fill_addresses(const struct vt_pv_guest *guest, enum vt_pv_interface interface, uint32_t needs)
{
    struct vt_scratch *scratch = vt_kvm_machine_scratch(&guest->machine);
    scratch->hypercall = interface == VT_PV_XEN ? VT_PV_CALLS + XEN_VERSION_SLOT * SLOT : VT_PV_CALLS + 5;
    scratch->pv_clock = VT_PV_CLOCK;
    scratch->pv_steal = needs & VT_PV_NEED_TLB_FLUSH ? VT_PV_PEER_STEAL : VT_PV_STEAL;
    scratch->pv_eoi = VT_PV_EOI;
    scratch->pv_priority = VT_PV_PRIORITY;
    scratch->pv_pairing = VT_PV_PAIRING;
    scratch->shared_info = VT_PV_SHARED_INFO;
}

/* The interrupt that proves PV VT_PV_EOI is taken when it comes, and not ended by its handler. */
static int take_interrupts(const struct vt_pv_guest *guest, struct vt_error *error)
{
    struct vt_mailbox *mailbox = vt_kvm_machine_mailbox(&guest->machine);
    struct kvm_regs regs;

    mailbox->skip_vector = VT_PV_PROOF_VECTOR;
    mailbox->skip_length = 0;
    if (ioctl(guest->machine.vm.vcpu, KVM_GET_REGS, &regs) != 0)
        return fail(error, "KVM_GET_REGS");
    regs.rflags |= RFLAGS_IF;
    return ioctl(guest->machine.vm.vcpu, KVM_SET_REGS, &regs) == 0 ? 0 : fail(error, "KVM_SET_REGS");
}

static int add_preempted_peer(struct vt_pv_guest *guest, struct vt_error *error)
{
    int status = vt_kvm_peer_open(&guest->machine.vm, &guest->machine.peer, error);
    if (status == 0 && vt_vmm_set_msr(guest->machine.peer, MSR_KVM_STEAL_TIME, VT_PV_PEER_STEAL | 1) != 0)
        status = fail(error, "MSR_KVM_STEAL_TIME");
    return status;
}

int vt_pv_shared_set_up(struct vt_pv_guest *guest, enum vt_pv_interface interface,
                        const struct vt_pv_form *form, struct vt_error *error)
{
    bool xen = interface == VT_PV_XEN;
    uint8_t *memory = vt_vmm_memory(&guest->machine.vm, VT_GUEST_PV, VT_PV_SIZE);

    memset(memory, 0, VT_PV_SIZE);
    write_calls(memory + (VT_PV_CALLS - VT_GUEST_PV));
    fill_addresses(guest, interface, form->needs);
    int status = share_pages(guest, xen ? 0 : form->needs, error);
    if (status == 0)
        status = share_priority(guest, form->needs & VT_PV_NEED_TASK_PRIORITY, error);
    if (status == 0 && xen)
        status = speak_xen(guest, form->needs, error);
    if (status == 0 && form->needs & VT_PV_NEED_USER_CALL)
        status = let_user_space_answer(guest, error);
    if (status == 0 && form->needs & VT_PV_NEED_EOI)
        status = take_interrupts(guest, error);
    if (status == 0 && form->needs & VT_PV_NEED_TLB_FLUSH)
        status = add_preempted_peer(guest, error);
    return status;
}
