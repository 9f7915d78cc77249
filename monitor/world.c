/* The guest's machine: its virtual CPU from power-up, and what answers outside of it. */
#include "guest/abi.h"
#include "guest/longmode.h"
#include "guest/payload.h"
#include "monitor/decoded.h"
#include "monitor/hardware.h"
#include "monitor/monitor.h"
#include "monitor/pages.h"
#include "vcpu/apic.h"
#include "vcpu/identity.h"

#include <string.h>

#define PAGE              UINT64_C(0x1000)
#define MMIO_PAGES        3
#define RIGHTS_CODE0      0xa09b
#define RIGHTS_DATA0      0xc093
#define RIGHTS_BUSY_TSS   0x8b
#define RIGHTS_LDT        0x82
#define PF_PRESENT        1
#define TSS_RSP0          4
#define HYPERCALL_UNKNOWN (-1000) /* KVM_ENOSYS (Linux, include/uapi/linux/kvm_para.h) */

static struct vt_mailbox *const mailbox = (struct vt_mailbox *)VT_GUEST_MAILBOX;
static struct vt_scratch *const scratch = (struct vt_scratch *)VT_GUEST_SCRATCH;

static bool is_device(uint64_t address)
{
    return address - VT_GUEST_MMIO < MMIO_PAGES * PAGE || address - VT_GUEST_XAPIC < PAGE;
}

static enum vt_access absent(uint64_t address, uint32_t *error)
{
    *error = address >> 32 || address - VT_GUEST_ABSENT < 0x200000 ? 0 : PF_PRESENT;
    return VT_ACCESS_FAULT;
}

/* Nine of ten accesses move eight bytes. */
static void copy(void *to, const void *from, unsigned size)
{
    if (size == 8)
        *(uint64_t *)to = *(const uint64_t *)from;
    else
        memcpy(to, from, size);
}

static enum vt_access load(void *context, uint64_t address, void *value, unsigned size, uint32_t *error)
{
    (void)context;
    if (vt_pages_is_guest(address, size, false)) {
        copy(value, (const void *)(uintptr_t)address, size);
        return VT_ACCESS_DONE;
    }
    return is_device(address) ? VT_ACCESS_MMIO : absent(address, error);
}

static enum vt_access store(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error)
{
    (void)context;
    if (!vt_pages_is_guest(address, size, true))
        return is_device(address) ? VT_ACCESS_MMIO : absent(address, error);
    copy((void *)(uintptr_t)address, value, size);
    if (vt_pages_is_table(address))
        vt_pages_follow(address);
    return VT_ACCESS_DONE;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    (void)size;
    if (address >= VT_GUEST_XAPIC)
        return vt_vcpu_apic_read(context, address & (PAGE - 1));
    return ~UINT64_C(0);
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    (void)size;
    if (address >= VT_GUEST_XAPIC)
        vt_vcpu_apic_write(context, address & (PAGE - 1), (uint32_t)value);
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    (void)context, (void)size;
    return port == VT_PORT_KERNEL ? vt_monitor.port_latch : port == VT_PORT_ELCR ? 0 : UINT32_MAX;
}

static void port_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    (void)context, (void)size;
    if (port == VT_PORT_KERNEL)
        vt_monitor.port_latch = value & 0xff;
}

static enum vt_access msr_read(void *context, uint32_t index, uint64_t *value)
{
    (void)context;
    if (index != VT_MSR_USER)
        return VT_ACCESS_FAULT;
    *value = vt_monitor.msr_user;
    return VT_ACCESS_DONE;
}

static enum vt_access msr_write(void *context, uint32_t index, uint64_t value)
{
    (void)context;
    if (index != VT_MSR_USER)
        return VT_ACCESS_FAULT;
    vt_monitor.msr_user = value;
    return VT_ACCESS_DONE;
}

static uint64_t read_clock(void *context)
{
    (void)context;
    return __builtin_ia32_rdtsc();
}

/* No event is ever programmed. */
static uint64_t counter(void *context, uint32_t index)
{
    (void)context, (void)index;
    return 0;
}

static void flush(void *context, uint64_t address)
{
    (void)context;
    vt_pages_flush(address);
}

/* What the guest has in caches is memory of the monitor's, and stays. */
static void write_back(void *context)
{
    (void)context;
}

static void hypercall(void *context, uint64_t gpr[16])
{
    (void)context;
    gpr[VT_RAX] = (uint64_t)HYPERCALL_UNKNOWN;
}

const char *vt_monitor_open(void)
{
    if (vt_monitor.opened)
        return vt_monitor.refusal;
    vt_monitor.opened = true;
    if (!vt_decoded_open()) {
        vt_monitor.refusal = "the table of decoded instructions is of other code than this image's";
        return vt_monitor.refusal;
    }
    vt_vcpu_fill_cpuid(&vt_monitor.vcpu);
    vt_vcpu_apply_cpuid(&vt_monitor.vcpu);
    vt_hardware_open();
    vt_monitor.environment = (struct vt_environment){
        .context = &vt_monitor.vcpu, /* whose APIC it is */
        .load = load,
        .store = store,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .port_read = port_read,
        .port_write = port_write,
        .msr_read = msr_read,
        .msr_write = msr_write,
        .clock = read_clock,
        .counter = counter,
        .flush = flush,
        .write_back = write_back,
        .hypercall = hypercall,
    };
    return NULL;
}

static bool has_feature(const struct vt_cpuid_bit *bit)
{
    const struct vt_cpuid_leaf *row = vt_vcpu_find_cpuid(&vt_monitor.vcpu, bit->leaf, bit->subleaf);

    return bit->leaf == 0 || (row && row->leaf == bit->leaf && row->value[bit->reg] >> bit->bit & 1);
}

const char *vt_monitor_lacks(const struct vt_case *c)
{
    static const struct {
        uint32_t needs;
        const char *why;
    } lacking[] = {
        {VT_NEED_EVENTFD | VT_NEED_COALESCED | VT_NEED_DISCARD | VT_NEED_PM_TIMER | VT_NEED_ANY_LENGTH,
         "needs KVM's devices around it"},
        {VT_NEED_HOST, "a step of the host's, not of a guest's"},
        {VT_NEED_PEER | VT_NEED_PARTNER, "the machine has one processor"},
        {VT_NEED_DEADLINE, "needs a timer: the monitor's virtual APIC has none"},
    };

    for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++)
        if (c->needs & lacking[i].needs)
            return lacking[i].why;
    return has_feature(&c->feature) ? NULL : "the virtual processor does not announce it";
}

static struct vt_segment segment(const struct kvm_segment *from, uint16_t rights)
{
    return (struct vt_segment){from->selector, rights, from->limit, from->base};
}

static uint64_t real_xcr0(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | (uint64_t)high << 32;
}

/* As KVM would be told: the payload's machine in 64-bit mode. */
static void take_registers(struct vt_vcpu *vcpu, const struct kvm_sregs *sregs)
{
    vcpu->cr[0] = sregs->cr0;
    vcpu->cr[3] = sregs->cr3;
    vcpu->cr[4] = sregs->cr4 & vcpu->limits.cr4;
    vcpu->segment[VT_CS] = segment(&sregs->cs, RIGHTS_CODE0);
    vcpu->segment[VT_SS] = segment(&sregs->ss, RIGHTS_DATA0);
    vcpu->segment[VT_DS] = vcpu->segment[VT_ES] = vcpu->segment[VT_FS] = vcpu->segment[VT_GS] =
        vcpu->segment[VT_SS];
    vcpu->segment[VT_TR] = segment(&sregs->tr, RIGHTS_BUSY_TSS);
    vcpu->segment[VT_LDTR] = segment(&sregs->ldt, RIGHTS_LDT);
    vcpu->gdtr = (struct vt_table_register){sregs->gdt.base, sregs->gdt.limit, {0}};
    vcpu->idtr = (struct vt_table_register){sregs->idt.base, sregs->idt.limit, {0}};
}

/* For what comes from its programs: where KVM's guest has it the image has its own. There is no peer here. */
static void set_kernel_stack(uint64_t stack)
{
    memcpy((void *)(VT_GUEST_TSS + TSS_RSP0), &stack, sizeof stack);
}

void vt_monitor_prepare(const struct vt_case *c)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    struct kvm_sregs sregs = {0};
    const struct vt_longmode_features features = {.xsave = vt_vcpu_has(vcpu, VT_FEATURE_XSAVE),
                                                  .fsgsbase = vt_vcpu_has(vcpu, VT_FEATURE_FSGSBASE),
                                                  .pke = c->needs & VT_NEED_PKE};

    /* Before the image's page tables, which the processor still walks, are cleared and laid anew. */
    vt_hardware_take();
    vt_longmode_tables((uint8_t *)0, 0, (uintptr_t)vt_payload_stubs);
    vt_longmode_registers(&sregs, 0, &features);
    vt_vcpu_reset(vcpu);
    take_registers(vcpu, &sregs);
    if (vcpu->cr[4] & VT_CR4_OSXSAVE)
        vcpu->xcr0 = real_xcr0() & vcpu->limits.xcr0;
    if (c->needs & VT_NEED_X2APIC)
        vcpu->msr[VT_MSR_APIC_BASE] |= VT_APIC_BASE_X2APIC;
    vcpu->apic.svr |= 0x100;
    vt_vcpu_refresh(vcpu);
    vt_longmode_scratch(scratch, &sregs);
    scratch->cr4 = vcpu->cr[4];
    *mailbox = (struct vt_mailbox){
        .skip_vector = c->needs & VT_NEED_HANDLERS ? c->skip_vector : UINT64_MAX,
        .skip_length = c->skip_length,
        .recover = (uintptr_t)vt_monitor_returned,
        .recover_stack = VT_GUEST_STACK,
    };
    set_kernel_stack(VT_GUEST_PEER_STACK);
    vt_monitor.port_latch = 0xff;
    vt_monitor.msr_user = 0;
}

/* vt_batch returns to the monitor's own code, which is not the guest's: that fault is how it ends. */
static uint64_t push_return(void)
{
    uint64_t *top = (uint64_t *)(VT_GUEST_STACK - 8);

    *top = (uintptr_t)vt_monitor_returned;
    return (uintptr_t)top;
}

void vt_monitor_begin(vt_case_function function, uint64_t iterations)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    memset(vcpu->gpr, 0, sizeof vcpu->gpr);
    vcpu->rip = (uintptr_t)vt_batch;
    vcpu->gpr[VT_RDI] = (uintptr_t)function;
    vcpu->gpr[VT_RSI] = iterations;
    vcpu->gpr[VT_RDX] = VT_GUEST_SCRATCH;
    vcpu->gpr[VT_RCX] = (uintptr_t)mailbox->tsc;
    vcpu->gpr[VT_RSP] = push_return();
    vt_monitor.traps = vt_monitor.calls = vt_monitor.exits = vt_monitor.interrupts = 0;
    memset(vt_monitor.vectors, 0, sizeof vt_monitor.vectors);
}

enum vt_monitor_end vt_monitor_finish(enum vt_monitor_end end)
{
    memcpy(vt_monitor.tsc, mailbox->tsc, sizeof vt_monitor.tsc);
    /* The guest's own handlers took it, and have no answer. */
    if (end == VT_MONITOR_RETURNED && mailbox->state == VT_STATE_EXCEPTION) {
        vt_monitor.vcpu.fault.vector = (uint8_t)mailbox->exception.vector;
        end = VT_MONITOR_FAULT;
    }
    vt_image_restore();
    return end;
}

static enum vt_monitor_end run(vt_case_function function, uint64_t iterations, enum vt_hardware_gate gate,
                               enum vt_monitor_door door)
{
    vt_monitor_begin(function, iterations);
    return vt_monitor_finish(vt_hardware_run((uintptr_t)vt_batch, vt_monitor.vcpu.gpr[VT_RSP], gate, door));
}

enum vt_monitor_end vt_monitor_run(vt_case_function function, uint64_t iterations, enum vt_monitor_door door)
{
    return run(function, iterations, VT_HARDWARE_EMULATING, door);
}

enum vt_monitor_end vt_monitor_run_bare(vt_case_function function, uint64_t iterations,
                                        enum vt_monitor_bare what)
{
    return what == VT_MONITOR_BARE_CALL ? run(function, iterations, VT_HARDWARE_EMULATING, VT_MONITOR_EMPTY)
                                        : run(function, iterations, VT_HARDWARE_BARE, VT_MONITOR_SHUT);
}
