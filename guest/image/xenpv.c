/*
 * The image as a PV domain of Xen. It runs at CPL 3: what is privileged faults and
 * Xen emulates it, or reflects the fault; the paravirtual forms ask Xen instead.
 */
#include "guest/abi.h"
#include "guest/image/image.h"
#include "guest/image/witness.h"

/* xen/include/public/xen.h, physdev.h */
#define HYPERVISOR_SET_TRAP_TABLE                0
#define HYPERVISOR_UPDATE_VA_MAPPING             14
#define HYPERVISOR_UPDATE_VA_MAPPING_OTHERDOMAIN 22
#define HYPERVISOR_PHYSDEV_OP                    33
#define PHYSDEVOP_SET_IOPL                       6
#define UVMF_INVLPG                              2
#define DOMID_XEN                                0x7ff2

struct start_info {
    char magic[32];
    uint64_t nr_pages;
    uint64_t shared_info; /* machine address */
};

/* As far as it is used: the first virtual CPU's part of struct shared_info. */
struct vcpu_info {
    uint8_t evtchn_upcall_pending, evtchn_upcall_mask;
    uint64_t evtchn_pending_sel;
    uint64_t cr2, pad;
    uint8_t time[32];
};

void vt_image_main(const struct start_info *start);
void vt_image_hypercall(void);
extern const uint8_t vt_image_traps[];
extern struct vcpu_info vt_image_shared;
extern uint8_t vt_image_page[];
extern struct vt_mailbox vt_image_mailbox;

#define PAGE_ALL  7
#define PAGE_READ 5
#define KERNEL_CS 0xe033
#define KERNEL_DS 0xe02b
#define ABSENT    0x10000000000

static struct vt_scratch scratch;

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

static void fill_scratch(void)
{
    scratch.cr0 = read_cr0();
    scratch.cr3 = read_cr3();
    scratch.cr4 = read_cr4();
    scratch.dr7 = 0x400;
    scratch.xcr0 = 1;
    scratch.msr_kernel_read = VT_MSR_KERNEL_READ;
    scratch.msr_kernel_write = VT_MSR_KERNEL_WRITE;
    scratch.port_kernel = VT_PORT_KERNEL;
    scratch.port_user = VT_PORT_USER;
    scratch.code_selector = KERNEL_CS;
    scratch.data_selector = KERNEL_DS;
    scratch.absent = ABSENT;
    scratch.page = address(vt_image_page);
    scratch.hypercall = address(vt_image_hypercall);
    scratch.event_mask = address(&vt_image_shared.evtchn_upcall_mask);
    scratch.shared_info = address(&vt_image_shared);
    scratch.pv_clock = address(&vt_image_shared.time);
}

/* start_info.shared_info is a machine address; IOPL 1 makes Xen emulate CLI, STI, IN and OUT. */
static void make_machine(const struct start_info *start)
{
    uint32_t iopl = 1;
    vt_image_mailbox.skip_vector = UINT64_MAX;
    vt_image_call(HYPERVISOR_SET_TRAP_TABLE, address(vt_image_traps), 0, 0, 0);
    vt_image_call(HYPERVISOR_PHYSDEV_OP, PHYSDEVOP_SET_IOPL, address(&iopl), 0, 0);
    vt_image_call(HYPERVISOR_UPDATE_VA_MAPPING, address(&vt_image_shared), start->shared_info | PAGE_ALL,
                  UVMF_INVLPG, 0);
    fill_scratch();
}

static bool map_of_xen(void *page, uint64_t frame, bool writable)
{
    return vt_image_call(HYPERVISOR_UPDATE_VA_MAPPING_OTHERDOMAIN, address(page),
                         frame << 12 | (writable ? PAGE_ALL : PAGE_READ), UVMF_INVLPG, DOMID_XEN) == 0;
}

static const char *why_not(const struct vt_case *c)
{
    const uint32_t offered = VT_NEED_PORTS | VT_NEED_HANDLERS;
    if (c->needs & VT_NEED_TABLES)
        return "Xen owns the descriptor tables of a PV domain";
    if (c->needs & ~offered)
        return "a PV domain has no such device";
    return NULL;
}

static void run_plain(const struct vt_case *c)
{
    struct vt_image_row row = {c->name, "plain", c->body, c->baseline, c->max_iterations};
    const char *reason = why_not(c);

    if (reason) {
        vt_image_refuse(&row, reason);
        return;
    }
    vt_image_mailbox.skip_vector = c->needs & VT_NEED_HANDLERS ? c->skip_vector : UINT64_MAX;
    vt_image_mailbox.skip_length = c->skip_length;
    vt_image_measure(&row, &scratch);
    vt_image_mailbox.skip_vector = UINT64_MAX;
}

static void run_form(const struct vt_case *c)
{
    const struct vt_pv_form *form = vt_guest_pv_form(c, VT_PV_XEN);
    struct vt_image_row row = {c->name, "paravirtual", NULL, NULL, c->max_iterations};

    if (!form)
        return;
    row.body = form->body;
    row.baseline = form->baseline;
    vt_image_measure(&row, &scratch);
    vt_image_shared.evtchn_upcall_mask = 1;
}

void vt_image_main(const struct start_info *start)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    make_machine(start);
    vt_image_witness_open(map_of_xen);
    vt_image_say("@stage measuring\n");
    for (size_t i = 0; i < count; i++) {
        vt_image_announce(i + 1, count, cases[i].name);
        run_plain(&cases[i]);
        run_form(&cases[i]);
    }
    vt_image_say("@end\n");
}
