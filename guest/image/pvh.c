/*
 * The image at ring 0: on an emulated processor without a hypervisor, started by QEMU or by GRUB, or as a PVH
 * domain of Xen. The machine it makes for the cases is the one the kvm engine makes
 * (guest/abi.h), without the devices.
 */
#include "guest/abi.h"
#include "guest/image/choice.h"
#include "guest/image/image.h"
#include "guest/image/place.h"
#include "guest/image/pvhstart.h"
#include "guest/image/road.h"
#include "guest/image/witness.h"
#include "guest/image/xenname.h"
#include "guest/longmode.h"
#include "guest/payload.h"

#include <cpuid.h>
#include <linux/kvm.h>
#include <string.h>

void vt_image_main(uint64_t from, uint32_t multiboot);
void vt_image_load_tables(const void *gdtr, const void *idtr);
extern uint8_t vt_image_hypercalls[];

/* xen/include/public/xen.h, memory.h, arch-x86/cpuid.h */
#define HYPERVISOR_MEMORY_OP        12
#define MEMORY_ADD_TO_PHYSMAP_BATCH 23
#define MAP_SPACE_FOREIGN           4
#define DOMID_SELF                  0x7ff0
#define DOMID_XEN                   0x7ff2
#define HYPERVISOR_LEAVES           0x40000000
#define HYPERCALL_LEAF              2
#define XEN_SIGNATURE_B             0x566e6558 /* "XenV" */
#define XEN_SIGNATURE_C             0x65584d4d /* "MMXe" */
#define XEN_SIGNATURE_D             0x4d4d566e /* "nVMM" */

#define MSR_APIC_BASE 0x1b
#define MSR_EFER      0xc0000080
#define APIC_X2       (1u << 10)
#define APIC_SVR      0xf0
#define SVR_ENABLE    0x1ff
#define X2APIC_TIMER  0x832
#define LVT_MASKED    0x10000
#define CR4_PKE       (UINT64_C(1) << 22)

uint64_t vt_image_base; /* it runs where it is linked */

static struct vt_mailbox *const mailbox = (struct vt_mailbox *)VT_GUEST_MAILBOX;
static struct vt_scratch *const scratch = (struct vt_scratch *)VT_GUEST_SCRATCH;

static uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* struct xen_add_to_physmap_batch */
struct physmap_batch {
    uint16_t domain, space, count, foreign_domain;
    uint64_t frames, places, errors;
};

uint64_t vt_image_vector(void)
{
    return mailbox->exception.vector;
}

static bool has_feature(const struct vt_cpuid_bit *bit)
{
    unsigned registers[4];
    if (bit->leaf == 0)
        return true;
    return __get_cpuid_count(bit->leaf, bit->subleaf, &registers[0], &registers[1], &registers[2],
                             &registers[3]) &&
           (registers[bit->reg] >> bit->bit & 1);
}

/* Firmware left its clock running, and its vectors are exceptions' here. */
static void mask_interrupts(void)
{
    __asm__ volatile("outb %%al, $0x21; outb %%al, $0xa1" : : "a"(0xff));
}

void vt_image_restore(void)
{
    const struct vt_cpuid_bit xsave = {1, 0, VT_ECX, 26}, fsgsbase = {7, 0, VT_EBX, 0};
    struct vt_longmode_features features = {.xsave = has_feature(&xsave), .fsgsbase = has_feature(&fsgsbase)};
    struct kvm_sregs sregs = {0};

    vt_longmode_tables((uint8_t *)0, 0, (uint64_t)(uintptr_t)vt_payload_stubs);
    vt_longmode_registers(&sregs, 0, &features);
    wrmsr(MSR_EFER, sregs.efer);
    __asm__ volatile("mov %0, %%cr4" : : "r"(sregs.cr4) : "memory");
    __asm__ volatile("mov %0, %%cr3" : : "r"(sregs.cr3) : "memory");
    __asm__ volatile("mov %0, %%cr0" : : "r"(sregs.cr0) : "memory");
    mask_interrupts();
    *mailbox = (struct vt_mailbox){.skip_vector = UINT64_MAX};
    vt_longmode_scratch(scratch, &sregs);
    /* The descriptor of a busy TSS cannot be loaded: make it available (Intel SDM 2A LTR). */
    *(uint8_t *)(uintptr_t)(VT_GUEST_GDT + VT_SEL_TSS + 5) &= 0xfd;
    vt_image_load_tables(scratch->gdtr, scratch->idtr);
}

/* Mode bits of IA32_APIC_BASE go from xAPIC to x2APIC and never back: the catalogue has xAPIC's cases first.
 */
static void set_apic_mode(uint32_t needs)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    if (needs & VT_NEED_X2APIC && !(base & APIC_X2)) {
        wrmsr(MSR_APIC_BASE, base | APIC_X2);
        wrmsr(0x800 + APIC_SVR / 16, SVR_ENABLE);
    }
    if (needs & VT_NEED_XAPIC)
        *(volatile uint32_t *)(uintptr_t)(VT_GUEST_XAPIC + APIC_SVR) = SVR_ENABLE;
}

static void set_pke(uint32_t needs)
{
    uint64_t old, cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(old));
    cr4 = needs & VT_NEED_PKE ? old | CR4_PKE : old & ~CR4_PKE;
    if (cr4 != old)
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

static bool is_under_xen(void)
{
    unsigned a, b, c, d;
    __cpuid(HYPERVISOR_LEAVES, a, b, c, d);
    return b == XEN_SIGNATURE_B && c == XEN_SIGNATURE_C && d == XEN_SIGNATURE_D;
}

static const char *why_not(const struct vt_case *c)
{
    const uint32_t absent = VT_NEED_EVENTFD | VT_NEED_COALESCED | VT_NEED_MSR_FILTER | VT_NEED_DISCARD |
                            VT_NEED_PM_TIMER | VT_NEED_ANY_LENGTH;
    if (c->needs & absent)
        return "needs KVM's devices around it";
    if (c->needs & VT_NEED_HOST)
        return "a step of the host's, not of a guest's";
    if (c->needs & (VT_NEED_PEER | VT_NEED_PARTNER))
        return "the machine has one processor";
    if (c->needs & VT_NEED_HYPERVISOR)
        return "set up for a guest of KVM's alone";
    /* helper_write_crN interrupts the processor without the lock that tcg_handle_interrupt asserts. */
    if (c->needs & VT_NEED_PRIORITY && is_under_xen())
        return "QEMU's SVM asserts and ends when a lowered task priority lets a virtual interrupt through";
    if (!has_feature(&c->feature))
        return "the processor does not announce it";
    return NULL;
}

static bool map_of_xen(void *page, uint64_t frame, bool writable)
{
    uint64_t place = (uint64_t)(uintptr_t)page >> 12;
    int32_t failure = 0;
    struct physmap_batch batch = {DOMID_SELF,
                                  MAP_SPACE_FOREIGN,
                                  1,
                                  DOMID_XEN,
                                  (uint64_t)(uintptr_t)&frame,
                                  (uint64_t)(uintptr_t)&place,
                                  (uint64_t)(uintptr_t)&failure};
    (void)writable;
    return vt_image_call(HYPERVISOR_MEMORY_OP, MEMORY_ADD_TO_PHYSMAP_BATCH, (uint64_t)(uintptr_t)&batch, 0,
                         0) == 0 &&
           failure == 0;
}

/* Xen fills the page whose address is written to the MSR it names. */
static void open_hypercalls(void)
{
    unsigned a, b, c, d;
    __cpuid(HYPERVISOR_LEAVES + HYPERCALL_LEAF, a, b, c, d);
    wrmsr(b, (uint64_t)(uintptr_t)vt_image_hypercalls);
}

static struct vt_image_choice choice;

static void run(const struct vt_case *c)
{
    const char *reason = why_not(c);
    if (!reason) {
        set_apic_mode(c->needs);
        set_pke(c->needs);
    }
    if (vt_image_takes(&choice, VT_IMAGE_PLAIN))
        vt_image_run(c, reason, mailbox, scratch);
    __asm__ volatile("cli");
    if (!reason && c->needs & VT_NEED_DEADLINE)
        wrmsr(X2APIC_TIMER, LVT_MASKED);
    /* Xen as a road has rows of its own (lab xen); what a road costs below it is another question. */
    if (!is_under_xen())
        vt_image_run_roads(c, &choice);
}

/* What it was told lies in memory that is the machine's, once it is made. */
void vt_image_main(uint64_t from, uint32_t multiboot)
{
    if (multiboot)
        vt_image_say_to(VT_PORT_DEBUG);
    vt_image_choose(&choice, multiboot ? vt_image_line_of_multiboot(from) : vt_image_line_of_pvh(from));
    vt_image_restore();
    if (is_under_xen()) {
        open_hypercalls();
        vt_image_name_xen();
        vt_image_witness_open(map_of_xen);
    }
    vt_image_run_chosen(&choice, run);
}
