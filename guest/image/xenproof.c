/*
 * Proofs: what a paravirtual form asked of Xen has happened, seen by other means than the form.
 */
#include "guest/image/image.h"
#include "guest/image/xenpv.h"

#include <string.h>

#define CR0_TS   8
#define DR7_NONE 0x400
#define DR7_LE   0x500 /* one bit more, without effect */

#define BODY_MOST 512 /* bytes: more than a form's body has */

static struct xen_domain *const domain = &vt_image_domain;

static uint64_t address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static uint64_t read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

/* The answer is what the form left in RAX. */
static int64_t once(const struct vt_pv_form *form)
{
    uint64_t tsc[2];
    if (!vt_image_batch(form->body, 1, &domain->scratch, tsc))
        return INT64_MIN;
    return (int64_t)domain->scratch.sink[0];
}

/* Xen tells the flush from one in another domain's name: that one it refuses. */
static bool prove_cache_flush(const struct vt_pv_form *form)
{
    const uint64_t operation[3] = {XEN_FLUSH_CACHE};
    int64_t foreign = (int64_t)vt_image_call(XEN_MMUEXT_OP, address(operation), 1, 0, XEN_DOMID_XEN);
    return foreign == XEN_PERM && once(form) == 0;
}

/* The scheduler wrote down that it was asked to. */
static bool prove_yield(const struct vt_pv_form *form)
{
    struct vt_image_seen seen;

    if (!vt_image_witness_present())
        return false;
    vt_image_witness_begin();
    bool answered = once(form) == 0;
    return vt_image_witness_end(&seen) && answered && seen.yields == 1;
}

static bool prove_version(const struct vt_pv_form *form)
{
    int64_t version = (int64_t)vt_image_call(XEN_VERSION, 0, 0, 0, 0);
    return version > 0 && once(form) == version;
}

/* TS is set by another call, seen set, and cleared by the form. */
static bool prove_task_switched(const struct vt_pv_form *form)
{
    vt_image_call(XEN_FPU_TASKSWITCH, 1, 0, 0, 0);
    bool set = read_cr0() & CR0_TS;
    once(form);
    return set && !(read_cr0() & CR0_TS);
}

static bool prove_fault_address(const struct vt_pv_form *form)
{
    const struct vt_case *fault = vt_guest_find_case("page-fault");
    uint64_t tsc[2];

    vt_image_shared.cr2 = 0;
    return !vt_image_batch(fault->body, 1, &domain->scratch, tsc) &&
           once(form) == (int64_t)domain->scratch.absent;
}

static bool map_window(int choice, uint64_t flush)
{
    return vt_image_call(XEN_UPDATE_VA_MAPPING, address(vt_image_pages.window), domain->choice[choice], flush,
                         0) == 0;
}

static bool window_shows(int page, int choice)
{
    return *(volatile uint8_t *)vt_image_pages.window[page] == vt_image_pages.choice[choice][0];
}

/* An entry changed behind the processor's back: it still shows the old page until the form has run. */
static bool prove_flush(const struct vt_pv_form *form)
{
    map_window(0, XEN_FLUSH_INVLPG);
    bool old = window_shows(0, 0);
    map_window(1, XEN_FLUSH_NONE);
    bool stale = window_shows(0, 0);
    once(form);
    return old && stale && window_shows(0, 1);
}

static bool entry_leads_to(int page, int choice)
{
    const uint64_t frame = UINT64_C(0x000ffffffffff000);
    return ((domain->entries[page] ^ domain->choice[choice]) & frame) == 0;
}

/* The form's first turn leads the entry to the second page: the entry says so, and the processor. */
static bool prove_entry(const struct vt_pv_form *form)
{
    map_window(0, XEN_FLUSH_INVLPG);
    bool before = entry_leads_to(0, 0);
    int64_t answer = once(form);
    vt_image_mmuext(XEN_INVLPG_LOCAL, address(vt_image_pages.window), 0);
    return before && answer == 0 && entry_leads_to(0, 1) && window_shows(0, 1);
}

static bool prove_entries(const struct vt_pv_form *form)
{
    bool all = once(form) == 0;
    for (int page = 0; page < 4; page++)
        all &= entry_leads_to(page, 1);
    return all;
}

static bool prove_debug_read(const struct vt_pv_form *form)
{
    vt_image_call(XEN_SET_DEBUGREG, 7, DR7_LE, 0, 0);
    bool changed = once(form) == DR7_LE;
    vt_image_call(XEN_SET_DEBUGREG, 7, DR7_NONE, 0, 0);
    return changed && once(form) == DR7_NONE;
}

static bool prove_debug_write(const struct vt_pv_form *form)
{
    domain->scratch.dr7 = DR7_LE;
    once(form);
    uint64_t read = vt_image_call(XEN_GET_DEBUGREG, 7, 0, 0, 0);
    domain->scratch.dr7 = DR7_NONE;
    vt_image_call(XEN_SET_DEBUGREG, 7, DR7_NONE, 0, 0);
    return read == DR7_LE;
}

/* LSL: the limit of a descriptor that is there (Intel SDM 2A). */
static bool has_limit(uint64_t selector, uint64_t expected)
{
    uint64_t limit = 0;
    bool found;
    __asm__ volatile("lsl %2, %0" : "+r"(limit), "=@ccz"(found) : "r"(selector));
    return found && limit == expected;
}

static bool prove_ldt(const struct vt_pv_form *form)
{
    vt_image_mmuext(XEN_SET_LDT, 0, 0);
    bool before = has_limit(XEN_OWN_LDT_SELECTOR, XEN_OWN_LDT_LIMIT);
    return once(form) == 0 && !before && has_limit(XEN_OWN_LDT_SELECTOR, XEN_OWN_LDT_LIMIT);
}

static bool prove_gdt(const struct vt_pv_form *form)
{
    vt_image_call(XEN_SET_GDT, address(&domain->gdt_frame), 0, 0, 0);
    bool before = has_limit(XEN_OWN_GDT_SELECTOR, XEN_OWN_GDT_LIMIT);
    return once(form) == 0 && !before && has_limit(XEN_OWN_GDT_SELECTOR, XEN_OWN_GDT_LIMIT);
}

static bool descriptor_is_there(void)
{
    return *(volatile uint64_t *)(void *)vt_image_pages.gdt == domain->scratch.call[1];
}

/* The form writes its descriptor over another. */
static bool prove_descriptor(const struct vt_pv_form *form)
{
    bool before = descriptor_is_there();
    return once(form) == 0 && !before && descriptor_is_there();
}

static void raise(void)
{
    __asm__ volatile("int %0" : : "i"(VT_VECTOR_SOFTWARE) : "memory");
}

/* One trap led elsewhere, and back by the form. */
static bool prove_traps(const struct vt_pv_form *form)
{
    uint64_t others = vt_image_others;

    vt_image_call(XEN_SET_TRAP_TABLE, address(vt_image_other_trap), 0, 0, 0);
    raise();
    bool elsewhere = vt_image_others == others + 1;
    bool answered = once(form) == 0;
    vt_image_mailbox.skip_vector = VT_VECTOR_SOFTWARE;
    vt_image_mailbox.skip_length = 0;
    raise();
    vt_image_mailbox.skip_vector = UINT64_MAX;
    return elsewhere && answered && vt_image_others == others + 1;
}

static void fault_as_process(uint64_t iterations, struct vt_scratch *scratch)
{
    (void)iterations, (void)scratch;
    vt_image_fault_as_process();
}

static bool frame_is_in(const uint8_t *page, uint64_t size)
{
    uint64_t tsc[2];
    vt_image_frame = 0;
    return !vt_image_batch(fault_as_process, 1, &domain->scratch, tsc) && vt_image_frame > address(page) &&
           vt_image_frame < address(page) + size;
}

/* What a process raises comes on the stack that was named: another first, then the form's. */
static bool prove_stack(const struct vt_pv_form *form)
{
    vt_image_mmuext(XEN_NEW_USER_BASEPTR, domain->root, 0);
    vt_image_call(XEN_STACK_SWITCH, XEN_KERNEL_DS,
                  address(vt_image_pages.plain) + sizeof vt_image_pages.plain, 0, 0);
    bool other = frame_is_in(vt_image_pages.plain, sizeof vt_image_pages.plain);
    return once(form) == 0 && other && frame_is_in(domain->scratch.buffer, sizeof domain->scratch.buffer);
}

static void send(void)
{
    vt_image_call(XEN_EVENT_CHANNEL_OP, XEN_EVENT_SEND, address(&domain->port), 0, 0);
}

/* With the mask set an event does not come, not even at a hypercall; without it it does. */
static bool prove_masked(const struct vt_pv_form *form)
{
    uint64_t events = vt_image_events;

    vt_image_shared.evtchn_upcall_mask = 0;
    once(form);
    send();
    bool held = vt_image_events == events && vt_image_shared.evtchn_upcall_pending;
    vt_image_shared.evtchn_upcall_mask = 0;
    vt_image_call(XEN_VERSION, 0, 0, 0, 0);
    return held && vt_image_events == events + 1;
}

static bool prove_unmasked(const struct vt_pv_form *form)
{
    uint64_t events = vt_image_events;

    vt_image_shared.evtchn_upcall_mask = 1;
    send();
    bool held = vt_image_events == events;
    once(form);
    vt_image_call(XEN_VERSION, 0, 0, 0, 0);
    return held && vt_image_events == events + 1;
}

static bool prove_event(const struct vt_pv_form *form)
{
    uint64_t events = vt_image_events;
    return once(form) != INT64_MIN && vt_image_events == events + 1;
}

/* The mask follows the IF that it restores, which is clear. */
static bool prove_return(const struct vt_pv_form *form)
{
    vt_image_shared.evtchn_upcall_mask = 0;
    return once(form) != INT64_MIN && vt_image_shared.evtchn_upcall_mask == 1;
}

/* What a bounced system call leaves on the kernel's stack. */
struct bounced {
    uint64_t rcx, r11, rip, cs, rflags, rsp, ss;
};

/* Xen wrote down who called: a program, for it clears the level of a kernel's CS; and from the form's code.
 */
static bool prove_system_call(const struct vt_pv_form *form)
{
    volatile struct bounced *frame =
        (struct bounced *)(void *)(domain->scratch.buffer + sizeof domain->scratch.buffer) - 1;

    vt_image_mmuext(XEN_NEW_USER_BASEPTR, domain->root, 0);
    memset(domain->scratch.buffer, 0, sizeof domain->scratch.buffer);
    return once(form) != INT64_MIN && (frame->cs & 3) == 3 &&
           frame->rip - (uint64_t)(uintptr_t)form->body < BODY_MOST;
}

static bool prove_segment_base(const struct vt_pv_form *form)
{
    static const uint64_t mark = UINT64_C(0x1122334455667788);
    uint64_t before = domain->scratch.fs_base, found;

    domain->scratch.fs_base = address(&mark);
    once(form);
    domain->scratch.fs_base = before;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(found));
    return found == mark;
}

static bool prove_runstate(const struct vt_pv_form *form)
{
    const struct xen_runstate *runstate = &domain->runstate;

    memset(&domain->runstate, 0xff, sizeof domain->runstate);
    return once(form) == 0 && (uint32_t)runstate->state == 0 && runstate->time[0] > 0 &&
           runstate->time[0] != UINT64_MAX;
}

/* The time goes on, and is later than when Xen last let the domain run. */
static bool prove_clock(const struct vt_pv_form *form)
{
    vt_image_call(XEN_VCPU_OP, XEN_GET_RUNSTATE, 0, address(&domain->runstate), 0);
    int64_t first = once(form), second = once(form);
    return first > (int64_t)domain->runstate.entered && second > first && second - first < 10000000;
}

static const struct {
    const char *name;
    bool (*prove)(const struct vt_pv_form *form);
} proofs[] = {
    {"rdtscp", prove_clock},
    {"vmcall", prove_version},
    {"vmmcall", prove_version},
    {"mov-to-cr0", prove_task_switched},
    {"clts", prove_task_switched},
    {"mov-from-cr2", prove_fault_address},
    {"mov-to-cr3", prove_flush},
    {"invlpg", prove_flush},
    {"wbinvd", prove_cache_flush},
    {"pause", prove_yield},
    {"mov-from-dr7", prove_debug_read},
    {"mov-to-dr7", prove_debug_write},
    {"lldt", prove_ldt},
    {"lgdt", prove_gdt},
    {"lidt", prove_traps},
    {"ltr", prove_stack},
    {"write-descriptor", prove_descriptor},
    {"write-pte", prove_entry},
    {"write-4-ptes", prove_entries},
    {"iret", prove_return},
    {"syscall", prove_system_call},
    {"cli", prove_masked},
    {"sti", prove_unmasked},
    {"x2apic-self-ipi", prove_event},
    {"hlt", prove_event},
    {"wrmsr-fsbase", prove_segment_base},
    {"rdmsr-kernel", prove_runstate},
};

bool vt_image_prove(const struct vt_case *c, const struct vt_pv_form *form)
{
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++)
        if (strcmp(proofs[i].name, c->name) == 0)
            return proofs[i].prove(form);
    return false;
}
