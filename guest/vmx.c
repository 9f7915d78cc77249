#include "guest/vmx.h"
#include "guest/abi.h"
#include "guest/vmcs.h"

#include <string.h>

/* Capability MSRs, and of the first four the ones that bit 55 of IA32_VMX_BASIC puts in their place (A.2). */
#define MSR_PIN       0x481
#define MSR_PROCESSOR 0x482
#define MSR_EXIT      0x483
#define MSR_ENTRY     0x484
#define MSR_SECONDARY 0x48b
#define MSR_EPT_VPID  0x48c
#define TRUE_CONTROLS 0xc /* from an MSR to its other */
#define BASIC_TRUE    (UINT64_C(1) << 55)
#define REVISION      UINT32_C(0x7fffffff)

#define MAY(bit) (UINT64_C(1) << (32 + (bit))) /* of a capability MSR: the control may be 1 */

/* IA32_VMX_EPT_VPID_CAP: INVEPT and INVVPID, each of a single context (A.10). */
#define INVEPTS  (UINT64_C(1) << 20 | UINT64_C(1) << 25)
#define INVVPIDS (UINT64_C(1) << 32 | UINT64_C(1) << 41)

/* Controls (25.6 to 25.8). */
#define SECONDARY   (UINT32_C(1) << 31)
#define MSR_BITMAPS (UINT32_C(1) << 28)
#define EPT         (UINT32_C(1) << 1)
#define LONG_HOST   (UINT32_C(1) << 9)
#define LONG_GUEST  (UINT32_C(1) << 9)

/*
 * What KVM asks for, where it is offered (arch/x86/kvm/vmx/vmx.c, with EPT). External interrupts, NMIs; the
 * TSC's offset, HLT, MWAIT, RDPMC, the task priority's shadow, debug registers, ports, MONITOR; EPT, RDTSCP,
 * VPID, WBINVD, unrestricted guest, INVPCID, XSAVES; debug controls saved, interrupts acknowledged, PAT;
 * debug controls and PAT loaded. #DB, #UD, #AC and #MC.
 */
#define PIN_OF_KVM        UINT32_C(0x29)
#define PROCESSOR_OF_KVM  (UINT32_C(0x21a00c88) | SECONDARY | MSR_BITMAPS)
#define SECONDARY_OF_KVM  UINT32_C(0x1010ea)
#define EXIT_OF_KVM       (UINT32_C(0x88004) | LONG_HOST)
#define ENTRY_OF_KVM      (UINT32_C(0x4004) | LONG_GUEST)
#define EXCEPTIONS_OF_KVM 0x60042
#define CR0_OF_GUEST      UINT64_C(0x8)     /* TS */
#define CR4_OF_GUEST      UINT64_C(0x1078e) /* PVI, TSD, DE, PGE, PCE, OSFXSR, OSXMMEXCPT, FSGSBASE */

#define EPT_ALL        UINT64_C(0x007) /* read, write, execute */
#define EPT_WRITE_BACK UINT64_C(0x030)
#define EPT_LARGE      UINT64_C(0x080)
#define EPT_POINTER    UINT64_C(0x01e) /* write-back, four levels */
#define ENTRIES        512

#define DR7_RESET  UINT64_C(0x400)
#define PAT_RESET  UINT64_C(0x0007040600070406)
#define NO_LINK    UINT64_MAX
#define SEGMENTS   8
#define UNUSABLE   (UINT64_C(1) << 16)
#define FIELDS_MAX (0x1000 / sizeof(struct vt_vmx_field))

int vt_vmx_read_capabilities(struct vt_vmx_capabilities *capabilities, vt_vmx_reader *read, void *context)
{
    *capabilities = (struct vt_vmx_capabilities){0};
    int status = read(context, VT_VMX_BASIC_MSR, &capabilities->basic);
    uint32_t other = capabilities->basic & BASIC_TRUE ? TRUE_CONTROLS : 0;

    if (status == 0)
        status = read(context, MSR_PIN + other, &capabilities->pin);
    if (status == 0)
        status = read(context, MSR_PROCESSOR + other, &capabilities->processor);
    if (status == 0)
        status = read(context, MSR_EXIT + other, &capabilities->exit);
    if (status == 0)
        status = read(context, MSR_ENTRY + other, &capabilities->entry);
    if (status == 0 && capabilities->processor & MAY(31))
        status = read(context, MSR_SECONDARY, &capabilities->secondary);
    if (status == 0 && capabilities->secondary & (MAY(1) | MAY(5)))
        status = read(context, MSR_EPT_VPID, &capabilities->ept_vpid);
    return status;
}

bool vt_vmx_has_ept(const struct vt_vmx_capabilities *capabilities)
{
    return capabilities->secondary & MAY(1) && (capabilities->ept_vpid & INVEPTS) == INVEPTS;
}

bool vt_vmx_has_vpid(const struct vt_vmx_capabilities *capabilities)
{
    return capabilities->secondary & MAY(5) && (capabilities->ept_vpid & INVVPIDS) == INVVPIDS;
}

/* As many of the wanted controls as are allowed, and those that must be (A.3 to A.5). */
static uint64_t allowed(uint64_t capability, uint32_t wanted)
{
    return (wanted & (uint32_t)(capability >> 32)) | (uint32_t)capability;
}

struct list {
    struct vt_vmx_field *field;
    size_t count;
};

static void put(struct list *list, uint64_t encoding, uint64_t value)
{
    if (list->count + 1 < FIELDS_MAX)
        list->field[list->count++] = (struct vt_vmx_field){encoding, value};
}

/* Access rights as in a descriptor's bits 55:40 (25.4.1). */
static uint64_t rights(const struct kvm_segment *s)
{
    return !s->present ? UNUSABLE
                       : s->type | (uint64_t)s->s << 4 | (uint64_t)s->dpl << 5 | (uint64_t)s->present << 7 |
                             (uint64_t)s->avl << 12 | (uint64_t)s->l << 13 | (uint64_t)s->db << 14 |
                             (uint64_t)s->g << 15;
}

static void put_segments(struct list *list, const struct kvm_sregs *sregs)
{
    const struct kvm_segment *segments[SEGMENTS] = {&sregs->es, &sregs->cs, &sregs->ss,  &sregs->ds,
                                                    &sregs->fs, &sregs->gs, &sregs->ldt, &sregs->tr};

    for (unsigned i = 0; i < SEGMENTS; i++) {
        put(list, VT_VMCS_GUEST_SELECTOR + 2 * i, segments[i]->selector);
        put(list, VT_VMCS_GUEST_LIMIT + 2 * i, segments[i]->limit);
        put(list, VT_VMCS_GUEST_RIGHTS + 2 * i, rights(segments[i]));
        put(list, VT_VMCS_GUEST_BASE + 2 * i, segments[i]->base);
    }
}

static void put_guest(struct list *list, const struct kvm_sregs *sregs, const struct vt_vmx_inner *inner)
{
    const struct vt_vmx_field fields[] = {
        {VT_VMCS_GUEST_GDTR_LIMIT, sregs->gdt.limit},
        {VT_VMCS_GUEST_GDTR_BASE, sregs->gdt.base},
        {VT_VMCS_GUEST_IDTR_LIMIT, sregs->idt.limit},
        {VT_VMCS_GUEST_IDTR_BASE, sregs->idt.base},
        {VT_VMCS_GUEST_CR0, sregs->cr0},
        {VT_VMCS_GUEST_CR3, sregs->cr3},
        {VT_VMCS_GUEST_CR4, sregs->cr4},
        {VT_VMCS_CR0_SHADOW, sregs->cr0},
        {VT_VMCS_CR4_SHADOW, sregs->cr4},
        {VT_VMCS_GUEST_DR7, DR7_RESET},
        {VT_VMCS_GUEST_RFLAGS, 2},
        {VT_VMCS_GUEST_RIP, inner->rip},
        {VT_VMCS_GUEST_RSP, inner->rsp},
        {VT_VMCS_GUEST_DEBUGCTL, 0},
        {VT_VMCS_GUEST_SYSENTER_CS, 0},
        {VT_VMCS_GUEST_SYSENTER_ESP, 0},
        {VT_VMCS_GUEST_SYSENTER_EIP, 0},
        {VT_VMCS_INTERRUPTIBILITY, 0},
        {VT_VMCS_ACTIVITY, 0},
        {VT_VMCS_PENDING_DEBUG, 0},
        {VT_VMCS_LINK, NO_LINK},
    };

    put_segments(list, sregs);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put(list, fields[i].encoding, fields[i].value);
}

/* Where the hypervisor goes on. */
static void put_host(struct list *list, const struct kvm_sregs *sregs)
{
    const struct vt_vmx_field fields[] = {
        {VT_VMCS_HOST_ES, sregs->es.selector},
        {VT_VMCS_HOST_CS, sregs->cs.selector},
        {VT_VMCS_HOST_SS, sregs->ss.selector},
        {VT_VMCS_HOST_DS, sregs->ds.selector},
        {VT_VMCS_HOST_FS, sregs->fs.selector},
        {VT_VMCS_HOST_GS, sregs->gs.selector},
        {VT_VMCS_HOST_TR, sregs->tr.selector},
        {VT_VMCS_HOST_CR0, sregs->cr0},
        {VT_VMCS_HOST_CR3, sregs->cr3},
        {VT_VMCS_HOST_CR4, sregs->cr4},
        {VT_VMCS_HOST_FS_BASE, sregs->fs.base},
        {VT_VMCS_HOST_GS_BASE, sregs->gs.base},
        {VT_VMCS_HOST_TR_BASE, sregs->tr.base},
        {VT_VMCS_HOST_GDTR_BASE, sregs->gdt.base},
        {VT_VMCS_HOST_IDTR_BASE, sregs->idt.base},
        {VT_VMCS_HOST_SYSENTER_CS, 0},
        {VT_VMCS_HOST_SYSENTER_ESP, 0},
        {VT_VMCS_HOST_SYSENTER_EIP, 0},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put(list, fields[i].encoding, fields[i].value);
}

/* Nothing that the processor does not insist on, and nested paging where it is asked for. */
static void put_least_controls(struct list *list, const struct vt_vmx_capabilities *c, enum vt_inner kind,
                               uint64_t base)
{
    bool ept = kind != VT_INNER_SHADOWED && vt_vmx_has_ept(c);
    /* Without bitmaps each access to an MSR exits. */
    uint32_t bitmaps = kind == VT_INNER_RUNS ? MSR_BITMAPS : 0;

    put(list, VT_VMCS_PIN_CONTROLS, allowed(c->pin, 0));
    put(list, VT_VMCS_PROCESSOR_CONTROLS, allowed(c->processor, bitmaps | (ept ? SECONDARY : 0)));
    put(list, VT_VMCS_EXIT_CONTROLS, allowed(c->exit, LONG_HOST));
    put(list, VT_VMCS_ENTRY_CONTROLS, allowed(c->entry, LONG_GUEST));
    put(list, VT_VMCS_EXCEPTIONS, 0);
    put(list, VT_VMCS_CR0_MASK, 0);
    put(list, VT_VMCS_CR4_MASK, 0);
    if (bitmaps)
        put(list, VT_VMCS_MSR_BITMAP, base + VT_GUEST_NESTED + VT_NESTED_BITMAP);
    if (!ept)
        return;
    put(list, VT_VMCS_SECONDARY_CONTROLS, allowed(c->secondary, EPT));
    put(list, VT_VMCS_EPT_POINTER, vt_vmx_ept_pointer(base));
}

static void put_controls_of_kvm(struct list *list, const struct vt_vmx_capabilities *c, uint64_t base)
{
    const struct vt_vmx_field fields[] = {
        {VT_VMCS_PIN_CONTROLS, allowed(c->pin, PIN_OF_KVM)},
        {VT_VMCS_PROCESSOR_CONTROLS, allowed(c->processor, PROCESSOR_OF_KVM)},
        {VT_VMCS_SECONDARY_CONTROLS, allowed(c->secondary, SECONDARY_OF_KVM)},
        {VT_VMCS_EXIT_CONTROLS, allowed(c->exit, EXIT_OF_KVM)},
        {VT_VMCS_ENTRY_CONTROLS, allowed(c->entry, ENTRY_OF_KVM)},
        {VT_VMCS_EXCEPTIONS, EXCEPTIONS_OF_KVM},
        {VT_VMCS_CR0_MASK, ~CR0_OF_GUEST},
        {VT_VMCS_CR4_MASK, ~CR4_OF_GUEST},
        {VT_VMCS_MSR_BITMAP, base + VT_GUEST_NESTED + VT_NESTED_BITMAP},
        {VT_VMCS_VIRTUAL_APIC, base + VT_GUEST_NESTED + VT_NESTED_APIC},
        {VT_VMCS_TPR_THRESHOLD, 0},
        {VT_VMCS_TSC_OFFSET, 0},
        {VT_VMCS_VPID, VT_NESTED_ASID},
        {VT_VMCS_GUEST_PAT, PAT_RESET},
        {VT_VMCS_HOST_PAT, PAT_RESET},
        {VT_VMCS_EPT_POINTER, vt_vmx_ept_pointer(base)},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put(list, fields[i].encoding, fields[i].value);
}

static void put_controls(struct list *list, const struct vt_vmx_capabilities *capabilities,
                         enum vt_inner kind, uint64_t base)
{
    static const uint64_t none[] = {
        VT_VMCS_FAULT_MASK,       VT_VMCS_FAULT_MATCH,       VT_VMCS_CR3_TARGETS, VT_VMCS_EXIT_MSRS_STORED,
        VT_VMCS_EXIT_MSRS_LOADED, VT_VMCS_ENTRY_MSRS_LOADED, VT_VMCS_ENTRY_EVENT};

    if (kind == VT_INNER_AS_KVM)
        put_controls_of_kvm(list, capabilities, base);
    else
        put_least_controls(list, capabilities, kind, base);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        put(list, none[i], 0);
}

uint64_t vt_vmx_ept_pointer(uint64_t base)
{
    return (base + VT_GUEST_NESTED + VT_NESTED_TABLES) | EPT_POINTER;
}

/* One gibibyte, each address itself. */
static void nested_tables(uint8_t *memory, uint64_t base)
{
    const uint64_t pml4 = VT_GUEST_NESTED + VT_NESTED_TABLES, pdpt = pml4 + 0x1000, directory = pdpt + 0x1000;
    uint64_t *entries = (uint64_t *)(void *)(memory + directory);

    *(uint64_t *)(void *)(memory + pml4) = (base + pdpt) | EPT_ALL;
    *(uint64_t *)(void *)(memory + pdpt) = (base + directory) | EPT_ALL;
    for (uint64_t i = 0; i < ENTRIES; i++)
        entries[i] = i << 21 | EPT_ALL | EPT_WRITE_BACK | EPT_LARGE;
}

void vt_vmx_fill(uint8_t *memory, uint64_t base, const struct kvm_sregs *sregs,
                 const struct vt_vmx_capabilities *capabilities, const struct vt_vmx_inner *inner)
{
    static const uint32_t regions[] = {VT_NESTED_SAVE, VT_NESTED_INNER, VT_NESTED_OWN};
    const uint32_t revision = (uint32_t)capabilities->basic & REVISION;
    uint8_t *pages = memory + VT_GUEST_NESTED;
    struct list list = {.field = (void *)(pages + VT_NESTED_FIELDS)};

    memset(pages, 0, VT_NESTED_SIZE);
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++)
        memcpy(pages + regions[i], &revision, sizeof revision);
    if (inner->kind == VT_INNER_AS_KVM)
        memset(pages + VT_NESTED_BITMAP, 0xff, VT_NESTED_BITMAP_SIZE);
    nested_tables(memory, base);
    put_guest(&list, sregs, inner);
    put_host(&list, sregs);
    put_controls(&list, capabilities, inner->kind, base);
    list.field[list.count].encoding = VT_VMX_FIELDS_END;
}
