/*
 * The image as a PV domain of Xen. It runs at CPL 3: what is privileged faults and
 * Xen emulates it, or reflects the fault; the paravirtual forms ask Xen instead.
 */
#include "guest/image/xenpv.h"
#include "guest/image/choice.h"
#include "guest/image/image.h"
#include "guest/image/xenname.h"

#include <string.h>

#define VIRTUAL_BASE UINT64_C(0xffffffff80000000) /* xenpv.lds */
#define ABSENT       0x10000000000

/* arch-x86/xen-x86_64.h MACH2PHYS_VIRT_START: frame numbers of this domain by machine frame */
static const uint64_t *const machine_to_physical = (const uint64_t *)UINT64_C(0xffff800000000000);

struct start_info {
    char magic[32];
    uint64_t nr_pages;
    uint64_t shared_info; /* machine address */
    uint32_t flags;
    uint64_t store_mfn;
    uint32_t store_evtchn;
    uint64_t console[2];
    uint64_t pt_base, nr_pt_frames; /* address of the first page table; they follow each other */
    uint64_t mfn_list;              /* address of the machine frames by frame number */
    uint64_t mod_start, mod_len;
    char cmd_line[1024];
};

void vt_image_main(const struct start_info *start);

static struct xen_domain *const domain = &vt_image_domain;
static struct vt_scratch *const scratch = &vt_image_domain.scratch;

uint64_t vt_image_vector(void)
{
    return vt_image_mailbox.exception.vector;
}

static uint64_t address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

#define READ(name)                                                                                           \
    static uint64_t read_##name(void)                                                                        \
    {                                                                                                        \
        uint64_t value;                                                                                      \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                               \
        return value;                                                                                        \
    }
READ(cr0)
READ(cr3)
READ(cr4)

static uint64_t frame_of(const struct start_info *start, const void *page)
{
    const uint64_t *frames = (const uint64_t *)(uintptr_t)start->mfn_list;
    return frames[(address(page) - VIRTUAL_BASE) >> 12];
}

/* The entry of the last level that maps the page. */
static uint64_t *entry_of(const struct start_info *start, const void *page)
{
    const uint64_t *table = (const uint64_t *)(uintptr_t)start->pt_base;
    for (int shift = 39; shift > 12; shift -= 9) {
        uint64_t frame = table[address(page) >> shift & 511] >> 12 & 0xffffffffff;
        table = (const uint64_t *)(uintptr_t)(VIRTUAL_BASE + (machine_to_physical[frame] << 12));
    }
    return (uint64_t *)(uintptr_t)&table[address(page) >> 12 & 511];
}

/* A data segment of CPL 3, byte-granular (Intel SDM 3A 3.4.5). */
static uint64_t descriptor(uint64_t limit)
{
    return UINT64_C(0x0040f20000000000) | limit;
}

/* Pages of descriptors may not be writable. */
static void make_descriptors(const struct start_info *start)
{
    const uint64_t gdt = frame_of(start, vt_image_pages.gdt), ldt = frame_of(start, vt_image_pages.ldt);

    ((uint64_t *)(void *)vt_image_pages.gdt)[XEN_OWN_GDT_SELECTOR / 8] = descriptor(XEN_OWN_GDT_LIMIT);
    ((uint64_t *)(void *)vt_image_pages.ldt)[XEN_OWN_LDT_SELECTOR / 8] = descriptor(XEN_OWN_LDT_LIMIT);
    vt_image_call(XEN_UPDATE_VA_MAPPING, address(vt_image_pages.gdt), gdt << 12 | XEN_PAGE_READ,
                  XEN_FLUSH_INVLPG, 0);
    vt_image_call(XEN_UPDATE_VA_MAPPING, address(vt_image_pages.ldt), ldt << 12 | XEN_PAGE_READ,
                  XEN_FLUSH_INVLPG, 0);
    domain->gdt_frame = gdt;
}

static void make_window(const struct start_info *start)
{
    const uint64_t low = address(domain->entries = entry_of(start, vt_image_pages.window)) & 4095;
    const uint64_t table = frame_of(start, domain->entries) << 12;

    for (uint64_t i = 0; i < 2; i++) {
        vt_image_pages.choice[i][0] = (uint8_t)(i + 1);
        domain->choice[i] = frame_of(start, vt_image_pages.choice[i]) << 12 | XEN_PAGE_ALL;
        for (uint64_t page = 0; page < 4; page++)
            domain->updates[i][page] = (struct xen_mmu_update){(table + low + page * 8), domain->choice[i]};
    }
}

static void fill_scratch(void)
{
    scratch->cr0 = read_cr0();
    scratch->cr3 = read_cr3();
    scratch->cr4 = read_cr4();
    scratch->dr7 = 0x400;
    scratch->xcr0 = 1;
    scratch->msr_kernel_read = VT_MSR_KERNEL_READ;
    scratch->msr_kernel_write = VT_MSR_KERNEL_WRITE;
    scratch->port_kernel = VT_PORT_KERNEL;
    scratch->port_user = VT_PORT_USER;
    scratch->code_selector = XEN_KERNEL_CS;
    scratch->data_selector = XEN_KERNEL_DS;
    scratch->absent = ABSENT;
    scratch->page = address(vt_image_pages.window);
    scratch->hypercall = address(vt_image_hypercall);
    scratch->event_mask = address(&vt_image_shared.evtchn_upcall_mask);
    scratch->shared_info = address(&vt_image_shared);
    scratch->pv_clock = address(&vt_image_shared.time);
    scratch->pte = address(domain->entries);
    scratch->pte_value = domain->choice[0];
    scratch->pte_flip = domain->choice[0] ^ domain->choice[1];
    scratch->ldt = address(vt_image_pages.ldt);
}

/*
 * A PV domain is born with a timer of 100 Hz (Xen vcpu.h VCPUOP_set_periodic_timer) that nothing here waits
 * for. Its softirq sends a hypercall that can be continued, as that for traps, out and in again: one more is
 * counted.
 */
static void stop_ticking(void)
{
    vt_image_call(XEN_VCPU_OP, XEN_STOP_PERIODIC_TIMER, 0, 0, 0);
}

static void take_events(void)
{
    struct {
        uint32_t vcpu, port;
    } bind = {0};

    vt_image_call(XEN_SET_CALLBACKS, address(vt_image_callback), address(vt_image_callback), 0, 0);
    vt_image_call(XEN_EVENT_CHANNEL_OP, XEN_EVENT_BIND_IPI, address(&bind), 0, 0);
    domain->port = bind.port;
}

/* start_info.shared_info is a machine address; IOPL 1 makes Xen emulate CLI, STI, IN and OUT. */
static void make_machine(const struct start_info *start)
{
    uint32_t iopl = 1;
    vt_image_mailbox.skip_vector = UINT64_MAX;
    vt_image_call(XEN_SET_TRAP_TABLE, address(vt_image_traps), 0, 0, 0);
    vt_image_call(XEN_PHYSDEV_OP, XEN_SET_IOPL, address(&iopl), 0, 0);
    vt_image_call(XEN_UPDATE_VA_MAPPING, address(&vt_image_shared), start->shared_info | XEN_PAGE_ALL,
                  XEN_FLUSH_INVLPG, 0);
    domain->root = frame_of(start, (const void *)(uintptr_t)start->pt_base);
    make_descriptors(start);
    make_window(start);
    stop_ticking();
    take_events();
    fill_scratch();
}

static bool map_of_xen(void *page, uint64_t frame, bool writable)
{
    return vt_image_call(XEN_UPDATE_VA_MAPPING_OTHERDOMAIN, address(page),
                         frame << 12 | (writable ? XEN_PAGE_ALL : XEN_PAGE_READ), XEN_FLUSH_INVLPG,
                         XEN_DOMID_XEN) == 0;
}

static const char *why_not(const struct vt_case *c)
{
    const uint32_t offered = VT_NEED_PORTS | VT_NEED_HANDLERS | VT_NEED_PAGING;
    if (c->needs & VT_NEED_TABLES)
        return "Xen owns the descriptor tables of a PV domain";
    if (c->needs & VT_NEED_PKE)
        return "Xen offers a PV domain no protection keys";
    if (c->needs & VT_NEED_HOST)
        return "a step of the host's, not of a guest's";
    if (c->needs & VT_NEED_USER)
        return "SYSRET faults and Xen does not emulate it; a SYSCALL of its kernel's is a hypercall";
    if (c->needs & ~offered)
        return "a PV domain has no such device";
    return NULL;
}

/* What only this domain knows of its forms' arguments. */
static void fill_call(const char *name)
{
    const struct {
        const char *name;
        uint64_t call[3];
    } calls[] = {
        {"lgdt", {address(&domain->gdt_frame), 512}},
        {"lidt", {address(vt_image_traps)}},
        {"rdmsr-kernel", {XEN_GET_RUNSTATE, 0, address(&domain->runstate)}},
        {"write-descriptor", {domain->gdt_frame << 12, descriptor(XEN_OWN_GDT_LIMIT)}},
        {"write-pte", {address(vt_image_pages.window)}},
        {"write-4-ptes", {address(domain->updates[0]), address(domain->updates[1])}},
        {"syscall", {address(vt_image_callback)}},
        {"x2apic-self-ipi", {XEN_EVENT_SEND, address(&domain->port)}},
        {"hlt", {XEN_EVENT_SEND, address(&domain->port)}},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].name, name) == 0)
            memcpy(scratch->call, calls[i].call, sizeof scratch->call);
}

static void run_form(const struct vt_case *c)
{
    const struct vt_pv_form *form = vt_guest_pv_form(c, VT_PV_XEN);
    struct vt_image_row row = {
        .name = c->name, .form = "paravirtual", .max_iterations = c->max_iterations, .has_proof = true};

    if (!form)
        return;
    row.body = form->body;
    row.baseline = form->baseline;
    fill_call(c->name);
    row.proved = vt_image_prove(c, form);
    vt_image_measure(&row, scratch);
    vt_image_shared.evtchn_upcall_mask = 1;
}

static void run(const struct vt_case *c)
{
    vt_image_run(c, why_not(c), &vt_image_mailbox, scratch);
    run_form(c);
}

void vt_image_main(const struct start_info *start)
{
    struct vt_image_choice choice;

    vt_image_choose(&choice, start->cmd_line);
    make_machine(start);
    vt_image_name_xen();
    vt_image_witness_open(map_of_xen);
    vt_image_run_chosen(&choice, run);
}
