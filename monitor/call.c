#include "monitor/call.h"

#include "guest/abi.h"
#include "monitor/monitor.h"
#include "monitor/pages.h"
#include "monitor/msr.h"

#include <string.h>

/* xen/include/public/xen.h */
enum {
    MMU_UPDATE = 1,
    SET_GDT = 2,
    STACK_SWITCH = 3,
    SET_CALLBACKS = 4,
    FPU_TASKSWITCH = 5,
    SET_DEBUGREG = 8,
    GET_DEBUGREG = 9,
    UPDATE_DESCRIPTOR = 10,
    UPDATE_VA_MAPPING = 14,
    XEN_VERSION = 17,
    IRET = 23,
    SET_SEGMENT_BASE = 25,
    MMUEXT_OP = 26,
    SCHED_OP = 29,
    CALLS = 32,
};
enum { NEW_BASEPTR = 5, INVLPG_LOCAL = 7, FLUSH_CACHE = 12, SET_LDT = 13 };

#define ENOSYS (-38)
#define EINVAL (-22)
#define EFAULT (-14)

#define VERSION     0x40011 /* 4.17 */
#define PAGE_SHIFT  12
#define LARGE_SHIFT 21
#define EVENT_MASK  (VT_GUEST_PV + 1) /* of struct vcpu_info: evtchn_upcall_mask */
#define ARGUMENTS   (VT_GUEST_PV + 0x100)
#define UPDATES     4
#define MSR_FS      0xc0000100
#define DIRECTORIES (VT_GUEST_TABLES + 0x2000)

/* xen/include/public/arch-x86/xen-x86_64.h, xen.h */
#define IN_SYSCALL 0x100 /* of iret_context.flags: rcx and r11 are RIP and RFLAGS, as SYSRET has it */
#define PROGRAM_CS 0xe033
#define PROGRAM_SS 0xe02b

/* What a hypercall keeps, as gates.S pushes it; its number is the first argument of the function. */
struct vt_call_registers {
    uint64_t rdi, rsi, rdx, r8, r9, r10, rcx, r11;
};

/* What the registers and the stack are when it returns, the guest finds; and its answer in RAX. */
typedef int64_t server_function(struct vt_call_registers *registers, uint64_t number);

static server_function called;
extern server_function *vt_call_server; /* of the SYSCALL to come: its kernel's, or its program's */
extern uint64_t vt_monitor_guest_rsp;   /* gates.S */
extern const uint8_t vt_monitor_stub[];

server_function *vt_call_server = called;

/* Where the guest's kernel is called when its program makes a system call. */
static uint64_t callback;

/* struct iret_context */
struct context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/* What its kernel then finds on its stack. */
struct bounced {
    uint64_t rcx, r11, rip, cs, rflags, rsp, ss;
};

/* struct mmu_update */
struct update {
    uint64_t entry, value;
};

/* struct mmuext_op */
struct extended {
    uint32_t command, pad;
    uint64_t first, second;
};

static bool read_guest(void *to, uint64_t from, unsigned size)
{
    if (!vt_pages_is_guest(from, size, false))
        return false;
    memcpy(to, (const void *)(uintptr_t)from, size);
    return true;
}

/* An entry of the guest's page tables, or a descriptor: memory that is the guest's. */
static int64_t write_word(uint64_t address, uint64_t value)
{
    if (address & 7 || !vt_pages_is_guest(address, 8, true))
        return EINVAL;
    *(uint64_t *)(uintptr_t)address = value;
    if (vt_pages_is_table(address))
        vt_pages_follow(address);
    return 0;
}

static int64_t mmu_update(struct vt_call_registers *r)
{
    struct update update;

    for (uint64_t i = 0; i < r->rsi; i++) {
        if (!read_guest(&update, r->rdi + i * sizeof update, sizeof update))
            return EFAULT;
        int64_t status = write_word(update.entry & ~UINT64_C(3), update.value);
        if (status != 0)
            return status;
    }
    return 0;
}

static int64_t set_gdt(struct vt_call_registers *r)
{
    uint64_t frame;

    if (!read_guest(&frame, r->rdi, sizeof frame))
        return EFAULT;
    if (r->rsi == 0 || r->rsi > 512)
        return EINVAL;
    vt_monitor.vcpu.gdtr = (struct vt_table_register){frame << PAGE_SHIFT, (uint16_t)(r->rsi * 8 - 1), {0}};
    return 0;
}

/* The stack for the handlers of what comes from ring 3. */
static int64_t stack_switch(struct vt_call_registers *r)
{
    const struct vt_segment *tss = &vt_monitor.vcpu.segment[VT_TR];

    if (!vt_pages_is_guest(tss->base + 4, 8, true))
        return EFAULT;
    memcpy((void *)(uintptr_t)(tss->base + 4), &r->rsi, sizeof r->rsi);
    return 0;
}

static int64_t fpu_taskswitch(struct vt_call_registers *r)
{
    uint64_t *cr0 = &vt_monitor.vcpu.cr[0];

    *cr0 = r->rdi ? *cr0 | VT_CR0_TS : *cr0 & ~VT_CR0_TS;
    return 0;
}

static int64_t set_debugreg(struct vt_call_registers *r)
{
    if (r->rdi > 7 || r->rdi == 4 || r->rdi == 5 || r->rsi >> 32)
        return EINVAL;
    vt_monitor.vcpu.dr[r->rdi] = r->rdi == 7 ? (r->rsi & 0xffff27ff) | 0x400 : r->rsi;
    return 0;
}

static int64_t get_debugreg(struct vt_call_registers *r)
{
    return r->rdi < 8 && r->rdi != 4 && r->rdi != 5 ? (int64_t)vt_monitor.vcpu.dr[r->rdi] : EINVAL;
}

static int64_t update_descriptor(struct vt_call_registers *r)
{
    return write_word(r->rdi, r->rsi);
}

static int64_t update_va_mapping(struct vt_call_registers *r)
{
    return write_word(DIRECTORIES + (r->rdi >> LARGE_SHIFT) * 8, r->rsi);
}

static int64_t set_callbacks(struct vt_call_registers *r)
{
    callback = r->rdx;
    return 0;
}

/* The stack that the guest's TSS names, for what comes from its program. */
static struct bounced *kernel_stack(void)
{
    const uint64_t place = vt_monitor.vcpu.segment[VT_TR].base + 4;

    if (!vt_pages_is_guest(place, 8, false))
        return NULL;
    const uint64_t top = *(const uint64_t *)(uintptr_t)place, bottom = top - sizeof(struct bounced);
    return vt_pages_is_guest(bottom, sizeof(struct bounced), true) ? (struct bounced *)(uintptr_t)bottom
                                                                   : NULL;
}

/* The kernel cannot be called. */
static int64_t shut_down(void)
{
    vt_monitor.vcpu.fault.vector = VT_EXCEPTION_DF;
    vt_monitor_leave(VT_MONITOR_FAULT);
}

/* A system call of the program's is its kernel's to answer: the monitor hands it on. */
static int64_t bounce(struct vt_call_registers *r, uint64_t rax)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    struct bounced *frame = kernel_stack();

    vt_call_server = called;
    if (vcpu->cpl != 3)
        return called(r, rax);
    vt_monitor.traps++;
    if (!frame)
        return shut_down();
    *frame = (struct bounced){r->rcx, r->r11, r->rcx, PROGRAM_CS, r->r11, vt_monitor_guest_rsp, PROGRAM_SS};
    vt_monitor_guest_rsp = (uintptr_t)frame;
    vcpu->cpl = 0;
    r->rcx = callback;
    return (int64_t)rax;
}

/* Of the returns that Xen offers the one from a system call. SYSRET to what is not canonical would be the
 * monitor's own fault. */
static int64_t return_to_program(struct vt_call_registers *r)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    const struct context *context = (const struct context *)(uintptr_t)vt_monitor_guest_rsp;

    if (!vt_pages_is_guest(vt_monitor_guest_rsp, sizeof *context, false))
        return EFAULT;
    if (context->flags != IN_SYSCALL || (context->cs & 3) != 3 || !vt_vcpu_fits(context->rip, false) ||
        !vt_vcpu_fits(callback, false))
        return EINVAL;
    vcpu->cpl = 3;
    vcpu->interrupt_flag = context->rflags & VT_FLAG_IF;
    r->rcx = context->rip;
    r->r11 = (context->rflags & VT_FLAGS_USER) | VT_FLAG_ONE | VT_FLAG_IF;
    vt_monitor_guest_rsp = context->rsp;
    vt_call_server = bounce;
    return (int64_t)context->rax;
}

static int64_t version(struct vt_call_registers *r)
{
    return r->rdi == 0 ? VERSION : ENOSYS;
}

static int64_t set_segment_base(struct vt_call_registers *r)
{
    if (r->rdi != 0 || !vt_vcpu_is_loadable(&vt_monitor.vcpu, r->rsi))
        return EINVAL;
    vt_monitor.vcpu.segment[VT_FS].base = r->rsi;
    vt_msr_write(MSR_FS, r->rsi);
    return 0;
}

static int64_t extend(const struct extended *op)
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;

    switch (op->command) {
    case NEW_BASEPTR:
        vcpu->cr[3] = op->first << PAGE_SHIFT;
        vt_pages_flush(~UINT64_C(0));
        return 0;
    case INVLPG_LOCAL:
        vt_pages_flush(op->first);
        return 0;
    case FLUSH_CACHE:
        return 0;
    case SET_LDT:
        vcpu->segment[VT_LDTR] = (struct vt_segment){.selector = VT_SEL_LDT,
                                                     .rights = op->second ? 0x82 : 0,
                                                     .limit = (uint32_t)(op->second * 8 - 1),
                                                     .base = op->first};
        return 0;
    default:
        return ENOSYS;
    }
}

static int64_t mmuext_op(struct vt_call_registers *r)
{
    struct extended op;

    for (uint64_t i = 0; i < r->rsi; i++) {
        if (!read_guest(&op, r->rdi + i * sizeof op, sizeof op))
            return EFAULT;
        int64_t status = extend(&op);
        if (status != 0)
            return status;
    }
    return 0;
}

static int64_t sched_op(struct vt_call_registers *r)
{
    return r->rdi == 0 ? 0 : ENOSYS;
}

typedef int64_t call_function(struct vt_call_registers *registers);

static call_function *const functions[CALLS] = {
    [MMU_UPDATE] = mmu_update,
    [SET_GDT] = set_gdt,
    [STACK_SWITCH] = stack_switch,
    [SET_CALLBACKS] = set_callbacks,
    [FPU_TASKSWITCH] = fpu_taskswitch,
    [SET_DEBUGREG] = set_debugreg,
    [GET_DEBUGREG] = get_debugreg,
    [UPDATE_DESCRIPTOR] = update_descriptor,
    [UPDATE_VA_MAPPING] = update_va_mapping,
    [XEN_VERSION] = version,
    [IRET] = return_to_program,
    [SET_SEGMENT_BASE] = set_segment_base,
    [MMUEXT_OP] = mmuext_op,
    [SCHED_OP] = sched_op,
};

static int64_t called(struct vt_call_registers *registers, uint64_t number)
{
    vt_monitor.calls++;
    return number < CALLS && functions[number] ? functions[number](registers) : ENOSYS;
}

/* Arguments of the forms that take them from S_CALL, by case. */
static const struct {
    const char *name;
    uint64_t call[2];
} offered[] = {
    {"vmcall", {0}},
    {"vmmcall", {0}},
    {"mov-to-cr0", {0}},
    {"clts", {0}},
    {"mov-from-dr7", {0}},
    {"mov-to-dr7", {0}},
    {"mov-to-cr3", {0}},
    {"invlpg", {0}},
    {"wbinvd", {0}},
    {"lldt", {0}},
    {"ltr", {0}},
    {"lgdt", {ARGUMENTS, VT_GDT_SIZE / 8}},
    {"wrmsr-fsbase", {0}},
    {"pause", {0}},
    {"syscall", {0}},
    {"write-descriptor", {VT_GUEST_GDT + VT_SEL_TSS, 0}},
    {"write-pte", {VT_GUEST_ABSENT, 0}},
    {"write-4-ptes", {ARGUMENTS, ARGUMENTS + UPDATES * sizeof(struct update)}},
};

enum { OFFERED = sizeof offered / sizeof offered[0] };

static size_t find(const struct vt_case *c)
{
    size_t i = 0;

    while (i < OFFERED && strcmp(offered[i].name, c->name) != 0)
        i++;
    return i;
}

bool vt_call_offers(const struct vt_case *c)
{
    return find(c) < OFFERED && vt_guest_pv_form(c, VT_PV_XEN);
}

/* Two lists of four entries, which lead to one page and to another. */
static void lay_updates(const struct vt_scratch *scratch)
{
    struct update *list = (struct update *)ARGUMENTS;

    for (uint64_t i = 0; i < 2 * UPDATES; i++)
        list[i] = (struct update){scratch->pte + i % UPDATES * 8,
                                  i < UPDATES ? scratch->pte_value : scratch->pte_value ^ scratch->pte_flip};
}

void vt_call_prepare(const struct vt_case *c)
{
    struct vt_scratch *scratch = (struct vt_scratch *)VT_GUEST_SCRATCH;
    const size_t place = find(c);

    vt_call_server = called;
    callback = 0;
    memset((void *)VT_GUEST_PV, 0, 0x200);
    *(uint8_t *)EVENT_MASK = 1;
    scratch->hypercall = (uintptr_t)vt_monitor_stub;
    scratch->event_mask = EVENT_MASK;
    scratch->ldt = VT_GUEST_LDT;
    if (place == OFFERED)
        return;
    memcpy(scratch->call, offered[place].call, sizeof offered[place].call);
    if (strcmp(c->name, "write-4-ptes") == 0)
        lay_updates(scratch);
    else if (strcmp(c->name, "lgdt") == 0)
        *(uint64_t *)ARGUMENTS = VT_GUEST_GDT >> PAGE_SHIFT;
    else if (strcmp(c->name, "write-descriptor") == 0)
        scratch->call[1] = *(const uint64_t *)(VT_GUEST_GDT + VT_SEL_TSS);
}
