#include "bench/engines/hypercall/shared.h"
#include "base/vendor.h"
#include "guest/abi.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* Places in guest memory. KVM wants the steal-time structure on a 64-byte boundary, all in one page each. */
#define CLOCK       VT_GUEST_PV
#define STEAL       (VT_GUEST_PV + 0x40)
#define EOI         (VT_GUEST_PV + 0x80)
#define PRIORITY    (VT_GUEST_PV + 0xc0)
#define PAIRING     (VT_GUEST_PV + 0x100)
#define CALLS       (VT_GUEST_PV + 0x1000)
#define SHARED_INFO (VT_GUEST_PV + 0x2000)
#define SIZE        0x3000

/* A page of hypercalls has a slot for each number, as Xen lays it out (arch-x86/xen.h). */
#define SLOT             32
#define SLOTS            (0x1000 / SLOT)
#define XEN_VERSION_SLOT 17

/* Any number from 0x40000000 to 0x4fffffff (api.rst, KVM_XEN_HVM_CONFIG); the guest never writes it. */
#define XEN_MSR 0x40000000

#define RFLAGS_IF 0x200

/* What the interrupt is whose end the guest tells by memory alone. */
#define PROOF_VECTOR 0xd0
#define APIC_ISR     0x100
#define APIC_TPR     0x80

#define ATTEMPTS 4

/* A task priority that the guest can only know from the page. */
#define PROOF_PRIORITY 0x20

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

#define FEATURE(name) (UINT32_C(1) << KVM_FEATURE_##name)

/* Needs that KVM announces in CPUID 0x40000001 EAX, and the MSR that shares the memory (0: none). */
static const struct {
    uint32_t need, feature, msr, address;
    const char *name;
} provisions[] = {
    {VT_PV_NEED_CLOCK,     FEATURE(CLOCKSOURCE2),   MSR_KVM_SYSTEM_TIME_NEW, CLOCK, "KVM_FEATURE_CLOCKSOURCE2"  },
    {VT_PV_NEED_STEAL,     FEATURE(STEAL_TIME),     MSR_KVM_STEAL_TIME,      STEAL, "KVM_FEATURE_STEAL_TIME"    },
    {VT_PV_NEED_EOI,       FEATURE(PV_EOI),         MSR_KVM_PV_EOI_EN,       EOI,   "KVM_FEATURE_PV_EOI"        },
    {VT_PV_NEED_TLB_FLUSH, FEATURE(PV_TLB_FLUSH),   0,                       0,     "KVM_FEATURE_PV_TLB_FLUSH"  },
    {VT_PV_NEED_SEND_IPI,  FEATURE(PV_SEND_IPI),    0,                       0,     "KVM_FEATURE_PV_SEND_IPI"   },
    {VT_PV_NEED_YIELD,     FEATURE(PV_SCHED_YIELD), 0,                       0,     "KVM_FEATURE_PV_SCHED_YIELD"},
};
#define PROVISIONS (sizeof provisions / sizeof provisions[0])

/* What one vCPU, or a guest that keeps its ring 0, cannot be asked for. */
static const struct {
    uint32_t need;
    const char *why;
} refusals[] = {
    {VT_PV_NEED_TLB_FLUSH,  "a flush is left for another vCPU, and this machine has one"      },
    {VT_PV_NEED_EVENT_MASK, "KVM gives Xen's event mask no meaning: its guests keep RFLAGS.IF"},
    {VT_PV_NEED_PV_MMU,     "for a guest without ring 0: see vmtoll lab xen"                  },
};

static bool has(const struct vt_kvm_machine *machine, long capability)
{
    return ioctl(machine->vm.vm, KVM_CHECK_EXTENSION, capability) > 0;
}

/* The feature bit of this call is user space's to set (cpuid.rst): what counts is that KVM will hand it on.
 */
static bool sends_calls_to_user_space(const struct vt_kvm_machine *machine)
{
    int calls = ioctl(machine->vm.vm, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);
    return calls > 0 && calls >> KVM_HC_MAP_GPA_RANGE & 1;
}

static bool kvm_offers(const struct vt_kvm_machine *machine, const struct vt_pv_form *form, char *reason,
                       size_t size)
{
    for (size_t i = 0; i < PROVISIONS; i++)
        if (form->needs & provisions[i].need && !(machine->vm.kvm_features & provisions[i].feature)) {
            snprintf(reason, size, "this KVM does not offer its guests %s (CPUID 0x40000001)",
                     provisions[i].name);
            return false;
        }
    if (form->needs & VT_PV_NEED_TASK_PRIORITY && !has(machine, KVM_CAP_VAPIC)) {
        snprintf(reason, size, "this KVM does not offer KVM_SET_VAPIC_ADDR");
        return false;
    }
    if (form->needs & VT_PV_NEED_USER_CALL && !sends_calls_to_user_space(machine)) {
        snprintf(reason, size, "this KVM hands no hypercall on to user space (KVM_CAP_EXIT_HYPERCALL)");
        return false;
    }
    return true;
}

static bool xen_offers(const struct vt_kvm_machine *machine, char *reason, size_t size)
{
    int flags = ioctl(machine->vm.vm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
    int wanted = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_SHARED_INFO;

    if (flags > 0 && (flags & wanted) == wanted)
        return true;
    snprintf(reason, size,
             "this KVM does not speak Xen's ABI (KVM_CAP_XEN_HVM; built without CONFIG_KVM_XEN)");
    return false;
}

bool vt_pv_shared_offers(const struct vt_kvm_machine *machine, enum vt_pv_interface interface,
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
    return interface == VT_PV_XEN ? xen_offers(machine, reason, size)
                                  : kvm_offers(machine, form, reason, size);
}

static int fail(struct vt_error *error, const char *what)
{
    return vt_error_set(error, VT_EXIT_INTERNAL, errno, "%s failed: %s", what, strerror(errno));
}

static int set_msr(const struct vt_kvm_machine *machine, uint32_t index, uint64_t value)
{
    union {
        struct kvm_msrs list;
        uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
    } msrs = {.list.nmsrs = 1};
    msrs.list.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
    return ioctl(machine->vm.vcpu, KVM_SET_MSRS, &msrs) == 1 ? 0 : -1;
}

/* Each MSR holds the address and, in bit 0, whether it is in use. */
static int share_pages(const struct vt_kvm_machine *machine, uint32_t needs, struct vt_error *error)
{
    for (size_t i = 0; i < PROVISIONS; i++) {
        bool wanted = needs & provisions[i].need;
        bool offered = machine->vm.kvm_features & provisions[i].feature;
        if (!provisions[i].msr || !offered)
            continue;
        if (set_msr(machine, provisions[i].msr, wanted ? provisions[i].address | 1 : 0) != 0)
            return fail(error, provisions[i].name);
    }
    return 0;
}

static int share_priority(const struct vt_kvm_machine *machine, bool wanted, struct vt_error *error)
{
    struct kvm_vapic_addr address = {.vapic_addr = wanted ? PRIORITY : 0};
    struct kvm_lapic_state apic;

    if (!machine->vm.irqchip || !has(machine, KVM_CAP_VAPIC))
        return 0;
    if (ioctl(machine->vm.vcpu, KVM_SET_VAPIC_ADDR, &address) != 0)
        return fail(error, "KVM_SET_VAPIC_ADDR");
    if (!wanted)
        return 0;
    if (ioctl(machine->vm.vcpu, KVM_GET_LAPIC, &apic) != 0)
        return fail(error, "KVM_GET_LAPIC");
    memcpy(apic.regs + APIC_TPR, &(uint32_t){PROOF_PRIORITY}, sizeof(uint32_t));
    return ioctl(machine->vm.vcpu, KVM_SET_LAPIC, &apic) == 0 ? 0 : fail(error, "KVM_SET_LAPIC");
}

/* While it is on, KVM takes every hypercall for one of Xen's: it is switched off again for KVM's own. */
static int speak_xen(const struct vt_kvm_machine *machine, bool wanted, uint32_t needs,
                     struct vt_error *error)
{
    struct kvm_xen_hvm_config config = {0};
    struct kvm_xen_hvm_attr mode = {.type = KVM_XEN_ATTR_TYPE_LONG_MODE, .u.long_mode = 1};
    struct kvm_xen_hvm_attr info = {.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
                                    .u.shared_info.gfn = SHARED_INFO / 4096};
    struct kvm_xen_vcpu_attr time = {.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
                                     .u.gpa = needs & VT_PV_NEED_CLOCK ? CLOCK : UINT64_MAX};

    if (!has(machine, KVM_CAP_XEN_HVM))
        return 0;
    if (wanted)
        config = (struct kvm_xen_hvm_config){.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL, .msr = XEN_MSR};
    if (ioctl(machine->vm.vm, KVM_XEN_HVM_CONFIG, &config) != 0)
        return fail(error, "KVM_XEN_HVM_CONFIG");
    if (!wanted)
        return 0;
    if (ioctl(machine->vm.vm, KVM_XEN_HVM_SET_ATTR, &mode) != 0 ||
        ioctl(machine->vm.vm, KVM_XEN_HVM_SET_ATTR, &info) != 0)
        return fail(error, "KVM_XEN_HVM_SET_ATTR");
    return ioctl(machine->vm.vcpu, KVM_XEN_VCPU_SET_ATTR, &time) == 0 ? 0
                                                                      : fail(error, "KVM_XEN_VCPU_SET_ATTR");
}

static int let_user_space_answer(const struct vt_kvm_machine *machine, struct vt_error *error)
{
    struct kvm_enable_cap capability = {.cap = KVM_CAP_EXIT_HYPERCALL, .args = {1 << KVM_HC_MAP_GPA_RANGE}};
    return ioctl(machine->vm.vm, KVM_ENABLE_CAP, &capability) == 0 ? 0
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
static void fill_addresses(const struct vt_kvm_machine *machine, enum vt_pv_interface interface)
{
    struct vt_scratch *scratch = vt_kvm_machine_scratch(machine);
    scratch->hypercall = interface == VT_PV_XEN ? CALLS + XEN_VERSION_SLOT * SLOT : CALLS + 5;
    scratch->pv_clock = CLOCK;
    scratch->pv_steal = STEAL;
    scratch->pv_eoi = EOI;
    scratch->pv_priority = PRIORITY;
    scratch->pv_pairing = PAIRING;
    scratch->shared_info = SHARED_INFO;
}

/* The interrupt that proves PV EOI is taken when it comes, and not ended by its handler. */
static int take_interrupts(const struct vt_kvm_machine *machine, struct vt_error *error)
{
    struct vt_mailbox *mailbox = vt_kvm_machine_mailbox(machine);
    struct kvm_regs regs;

    mailbox->skip_vector = PROOF_VECTOR;
    mailbox->skip_length = 0;
    if (ioctl(machine->vm.vcpu, KVM_GET_REGS, &regs) != 0)
        return fail(error, "KVM_GET_REGS");
    regs.rflags |= RFLAGS_IF;
    return ioctl(machine->vm.vcpu, KVM_SET_REGS, &regs) == 0 ? 0 : fail(error, "KVM_SET_REGS");
}

int vt_pv_shared_set_up(struct vt_kvm_machine *machine, enum vt_pv_interface interface,
                        const struct vt_pv_form *form, struct vt_error *error)
{
    bool xen = interface == VT_PV_XEN;
    uint8_t *memory = vt_vmm_memory(&machine->vm, VT_GUEST_PV, SIZE);

    memset(memory, 0, SIZE);
    write_calls(memory + (CALLS - VT_GUEST_PV));
    fill_addresses(machine, interface);
    int status = share_pages(machine, xen ? 0 : form->needs, error);
    if (status == 0)
        status = share_priority(machine, form->needs & VT_PV_NEED_TASK_PRIORITY, error);
    if (status == 0)
        status = speak_xen(machine, xen, form->needs, error);
    if (status == 0 && form->needs & VT_PV_NEED_USER_CALL)
        status = let_user_space_answer(machine, error);
    if (status == 0 && form->needs & VT_PV_NEED_EOI)
        status = take_interrupts(machine, error);
    return status;
}

static enum vt_batch_end run_once(struct vt_kvm_machine *machine, vt_case_function function,
                                  struct vt_error *error)
{
    struct vt_batch batch;
    return vt_kvm_machine_batch(machine, function, 1, &batch, error);
}

static int64_t answer(const struct vt_kvm_machine *machine)
{
    return (int64_t)vt_kvm_machine_scratch(machine)->sink[0];
}

static uint64_t guest_clock(const struct vt_kvm_machine *machine)
{
    struct kvm_clock_data clock = {0};
    return ioctl(machine->vm.vm, KVM_GET_CLOCK, &clock) == 0 ? clock.clock : 0;
}

/* The time the guest made of the page is KVM's own idea of the guest's time. */
static enum vt_batch_end prove_clock(struct vt_kvm_machine *machine, const struct vt_pv_form *form,
                                     bool *honoured, struct vt_error *error)
{
    const struct clock_page *page = vt_vmm_memory(&machine->vm, CLOCK, sizeof *page);
    uint64_t before = guest_clock(machine);
    enum vt_batch_end end = run_once(machine, form->body, error);
    uint64_t after = guest_clock(machine), time = (uint64_t)answer(machine);

    *honoured = page->version != 0 && page->version % 2 == 0 && page->multiplier != 0 &&
                time + CLOCK_TOLERANCE_NS >= before && time <= after + CLOCK_TOLERANCE_NS;
    return end;
}

/* KVM writes it, and with it a new version, whenever it puts the vCPU on a processor. */
static enum vt_batch_end prove_steal(struct vt_kvm_machine *machine, const struct vt_pv_form *form,
                                     bool *honoured, struct vt_error *error)
{
    const struct kvm_steal_time *page = vt_vmm_memory(&machine->vm, STEAL, sizeof *page);
    uint32_t version = page->version;
    enum vt_batch_end end = run_once(machine, form->body, error);

    *honoured = version != 0 && page->version % 2 == 0 && page->version != version;
    return end;
}

static enum vt_batch_end prove_priority(struct vt_kvm_machine *machine, const struct vt_pv_form *form,
                                        bool *honoured, struct vt_error *error)
{
    enum vt_batch_end end = run_once(machine, form->body, error);
    *honoured = (answer(machine) & 0xff) == PROOF_PRIORITY;
    return end;
}

static uint32_t *in_service(struct kvm_lapic_state *apic)
{
    return (uint32_t *)(void *)(apic->regs + APIC_ISR + PROOF_VECTOR / 32 * 16);
}

/* One interrupt, one turn of the twin: is the interrupt still in service? It ends here if it is. */
static enum vt_batch_end interrupt_during(struct vt_kvm_machine *machine, vt_case_function function,
                                          bool *still, struct vt_error *error)
{
    struct kvm_msi message = {.address_lo = VT_GUEST_XAPIC, .data = PROOF_VECTOR};
    struct kvm_lapic_state apic;

    if (ioctl(machine->vm.vm, KVM_SIGNAL_MSI, &message) < 0) {
        fail(error, "KVM_SIGNAL_MSI");
        return VT_BATCH_BROKEN;
    }
    enum vt_batch_end end = run_once(machine, function, error);
    if (end != VT_BATCH_DONE)
        return end;
    if (ioctl(machine->vm.vcpu, KVM_GET_LAPIC, &apic) != 0) {
        fail(error, "KVM_GET_LAPIC");
        return VT_BATCH_BROKEN;
    }
    *still = *in_service(&apic) >> PROOF_VECTOR % 32 & 1;
    *in_service(&apic) = 0;
    ioctl(machine->vm.vcpu, KVM_SET_LAPIC, &apic);
    return VT_BATCH_DONE;
}

/*
 * The body's bit ends the interrupt, and nothing else does: the baseline leaves it in service. KVM takes its
 * offer back at the first exit after the delivery, so an exit of another cause spoils an attempt.
 */
static enum vt_batch_end prove_eoi(struct vt_kvm_machine *machine, const struct vt_pv_form *form,
                                   bool *honoured, struct vt_error *error)
{
    bool after_body = true, after_baseline = false;
    enum vt_batch_end end = VT_BATCH_DONE;

    for (int i = 0; i < ATTEMPTS && after_body && end == VT_BATCH_DONE; i++)
        end = interrupt_during(machine, form->body, &after_body, error);
    if (end == VT_BATCH_DONE)
        end = interrupt_during(machine, form->baseline, &after_baseline, error);
    *honoured = !after_body && after_baseline;
    return end;
}

/* -KVM_ENOSYS is what an unused number is answered with; any other call that is refused is not offered. */
static enum vt_batch_end prove_call(struct vt_kvm_machine *machine, const struct vt_pv_form *form,
                                    bool *honoured, struct vt_error *error)
{
    bool unused = machine->c->handler == VT_BY_HYPERCALL && form == vt_guest_pv_form(machine->c, VT_PV_KVM);
    enum vt_batch_end end = run_once(machine, form->body, error);

    if (end == VT_BATCH_DONE && !unused && answer(machine) < 0) {
        vt_error_set(error, VT_EXIT_NO, 0, "KVM refuses %s: it answers %lld", form->operation,
                     (long long)answer(machine));
        return VT_BATCH_ABSENT;
    }
    *honoured = !unused || answer(machine) == -KVM_ENOSYS;
    return end;
}

static const struct {
    uint32_t need;
    enum vt_batch_end (*prove)(struct vt_kvm_machine *machine, const struct vt_pv_form *form, bool *honoured,
                               struct vt_error *error);
} proofs[] = {
    {VT_PV_NEED_CALL,          prove_call    },
    {VT_PV_NEED_CLOCK,         prove_clock   },
    {VT_PV_NEED_STEAL,         prove_steal   },
    {VT_PV_NEED_EOI,           prove_eoi     },
    {VT_PV_NEED_TASK_PRIORITY, prove_priority},
};

enum vt_batch_end vt_pv_shared_prove(struct vt_kvm_machine *machine, const struct vt_pv_form *form,
                                     bool *honoured, struct vt_error *error)
{
    *honoured = false;
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++)
        if (form->needs & proofs[i].need)
            return proofs[i].prove(machine, form, honoured, error);
    return VT_BATCH_DONE;
}
