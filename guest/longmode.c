#include "guest/longmode.h"
#include "guest/abi.h"

#include <string.h>

#define PAGE_PRESENT  UINT64_C(0x001)
#define PAGE_WRITE    UINT64_C(0x002)
#define PAGE_USER     UINT64_C(0x004)
#define PAGE_UNCACHED UINT64_C(0x010)
#define PAGE_LARGE    UINT64_C(0x080)
#define PAGE_ALL      (PAGE_PRESENT | PAGE_WRITE | PAGE_USER)

#define LARGE_PAGE (UINT64_C(1) << 21)
#define ENTRIES    512
#define GIBIBYTES  4

#define CR0_PE (UINT64_C(1) << 0)
#define CR0_MP (UINT64_C(1) << 1)
#define CR0_ET (UINT64_C(1) << 4)
#define CR0_NE (UINT64_C(1) << 5)
#define CR0_WP (UINT64_C(1) << 16)
#define CR0_PG (UINT64_C(1) << 31)

#define CR4_PAE        (UINT64_C(1) << 5)
#define CR4_PCE        (UINT64_C(1) << 8)
#define CR4_OSFXSR     (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define CR4_VMXE       (UINT64_C(1) << 13)
#define CR4_FSGSBASE   (UINT64_C(1) << 16)
#define CR4_OSXSAVE    (UINT64_C(1) << 18)
#define CR4_PKE        (UINT64_C(1) << 22)

#define EFER_SCE  (UINT64_C(1) << 0)
#define EFER_LME  (UINT64_C(1) << 8)
#define EFER_LMA  (UINT64_C(1) << 10)
#define EFER_SVME (UINT64_C(1) << 12)

/* A task-state segment with an I/O permission map for the ports below 0x600 (Intel SDM 1 19.5.2). */
#define TSS_FIXED 104
#define TSS_MAP   (0x600 / 8)
#define TSS_SIZE  (TSS_FIXED + TSS_MAP + 1)

static uint64_t *entries(uint8_t *memory, uint64_t address)
{
    return (uint64_t *)(void *)(memory + address);
}

/* Identity map of 4 GiB; above the memory slot everything is a device and is mapped uncached. */
static void page_tables(uint8_t *memory, uint64_t base)
{
    uint64_t pml4 = VT_GUEST_TABLES, pdpt = pml4 + 0x1000, directory = pdpt + 0x1000;

    memset(memory + pml4, 0, 0x2000);
    entries(memory, pml4)[0] = (base + pdpt) | PAGE_ALL;
    for (uint64_t i = 0; i < GIBIBYTES; i++)
        entries(memory, pdpt)[i] = (base + directory + i * 0x1000) | PAGE_ALL;
    for (uint64_t i = 0; i < GIBIBYTES * ENTRIES; i++) {
        uint64_t address = i * LARGE_PAGE;
        uint64_t place = address < VT_GUEST_MEMORY ? base + address : address | PAGE_UNCACHED;
        entries(memory, directory)[i] = place | PAGE_ALL | PAGE_LARGE;
    }
    entries(memory, directory)[VT_GUEST_ABSENT / LARGE_PAGE] = 0;
}

/* System descriptors are 16 bytes in 64-bit mode: Intel SDM 3A 3.5.2, AMD APM 2 4.8.3. */
static void system_descriptor(uint64_t *slot, uint64_t base, uint64_t limit, uint64_t type)
{
    slot[0] = limit | (base & 0xffffff) << 16 | (0x80 | type) << 40 | (base >> 24 & 0xff) << 56;
    slot[1] = base >> 32;
}

static void descriptor_tables(uint8_t *memory)
{
    uint64_t *gdt = entries(memory, VT_GUEST_GDT);
    uint64_t stack = VT_GUEST_TRAP_STACK;

    memset(gdt, 0, VT_GDT_SIZE);
    gdt[VT_SEL_CODE0 / 8] = UINT64_C(0x00af9b000000ffff);
    gdt[VT_SEL_DATA0 / 8] = UINT64_C(0x00cf93000000ffff);
    gdt[VT_SEL_DATA3 / 8] = UINT64_C(0x00cff3000000ffff);
    gdt[VT_SEL_CODE3 / 8] = UINT64_C(0x00affb000000ffff);
    system_descriptor(&gdt[VT_SEL_TSS / 8], VT_GUEST_TSS, TSS_SIZE - 1, 0xb);
    system_descriptor(&gdt[VT_SEL_LDT / 8], VT_GUEST_LDT, 7, 0x2);
    memset(memory + VT_GUEST_TSS, 0, TSS_SIZE);
    memcpy(memory + VT_GUEST_TSS + 4, &stack, sizeof stack);
    /* All ports allowed: a backend that does not keep IOPL 3 still lets CPL 3 reach them. */
    memcpy(memory + VT_GUEST_TSS + 102, &(uint16_t){TSS_FIXED}, 2);
    memory[VT_GUEST_TSS + TSS_SIZE - 1] = 0xff;
    memset(memory + VT_GUEST_LDT, 0, 8);
}

/* Interrupt gates of DPL 3, so that INT n and INT3 work at every level. */
static void interrupt_table(uint8_t *memory, uint64_t stubs)
{
    uint64_t *idt = entries(memory, VT_GUEST_IDT);

    for (uint64_t i = 0; i < VT_VECTORS; i++) {
        uint64_t entry = stubs + i * VT_STUB_SIZE;
        idt[2 * i] =
            (entry & 0xffff) | VT_SEL_CODE0 << 16 | UINT64_C(0xee00) << 32 | (entry >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = entry >> 32;
    }
}

void vt_longmode_tables(uint8_t *memory, uint64_t base, uint64_t stubs)
{
    page_tables(memory, base);
    descriptor_tables(memory);
    interrupt_table(memory, stubs);
}

void vt_longmode_registers(struct kvm_sregs *sregs, int cpl, const struct vt_longmode_features *features)
{
    struct kvm_segment code = {.limit = 0xffffffff,
                               .selector = cpl ? VT_SEL_CODE3 : VT_SEL_CODE0,
                               .type = 0xb,
                               .present = 1,
                               .dpl = (uint8_t)cpl,
                               .s = 1,
                               .l = 1,
                               .g = 1};
    struct kvm_segment data = {.limit = 0xffffffff,
                               .selector = cpl ? VT_SEL_DATA3 : VT_SEL_DATA0,
                               .type = 3,
                               .present = 1,
                               .dpl = (uint8_t)cpl,
                               .db = 1,
                               .s = 1,
                               .g = 1};

    sregs->cs = code;
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->tr = (struct kvm_segment){
        .base = VT_GUEST_TSS, .limit = TSS_SIZE - 1, .selector = VT_SEL_TSS, .type = 0xb, .present = 1};
    sregs->ldt = (struct kvm_segment){
        .base = VT_GUEST_LDT, .limit = 7, .selector = VT_SEL_LDT, .type = 2, .present = 1};
    sregs->gdt = (struct kvm_dtable){.base = VT_GUEST_GDT, .limit = VT_GDT_SIZE - 1};
    sregs->idt = (struct kvm_dtable){.base = VT_GUEST_IDT, .limit = VT_VECTORS * 16 - 1};
    sregs->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
    sregs->cr2 = 0;
    sregs->cr3 = VT_GUEST_TABLES;
    sregs->cr4 = CR4_PAE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | (features->fsgsbase ? CR4_FSGSBASE : 0) |
                 (features->xsave ? CR4_OSXSAVE : 0) | (features->pke ? CR4_PKE : 0) |
                 (features->vmx ? CR4_VMXE : 0);
    sregs->cr8 = 0;
    sregs->efer = EFER_SCE | EFER_LME | EFER_LMA | (features->svm ? EFER_SVME : 0);
    memset(sregs->interrupt_bitmap, 0, sizeof sregs->interrupt_bitmap);
}

/* As LGDT and LIDT take it: 16 bits of limit, 64 of base. */
static void fill_operand(uint8_t operand[16], const struct kvm_dtable *table)
{
    memcpy(operand, &table->limit, sizeof table->limit);
    memcpy(operand + sizeof table->limit, &table->base, sizeof table->base);
}

void vt_longmode_scratch(struct vt_scratch *scratch, const struct kvm_sregs *sregs)
{
    *scratch = (struct vt_scratch){
        .cr0 = sregs->cr0,
        .cr3 = sregs->cr3,
        .cr4 = sregs->cr4,
        .cr8 = sregs->cr8,
        .dr7 = 0x400,
        .xcr0 = 1,
        .msr_user = VT_MSR_USER,
        .msr_kernel_read = VT_MSR_KERNEL_READ,
        .msr_kernel_write = VT_MSR_KERNEL_WRITE,
        .port_kernel = VT_PORT_KERNEL,
        .port_user = VT_PORT_USER,
        .port_eventfd = VT_PORT_EVENTFD,
        .mmio_user = VT_GUEST_MMIO + VT_MMIO_USER,
        .mmio_eventfd = VT_GUEST_MMIO + VT_MMIO_EVENTFD,
        .mmio_coalesced = VT_GUEST_MMIO + VT_MMIO_COALESCED,
        .xapic = VT_GUEST_XAPIC,
        .code_selector = sregs->cs.selector,
        .data_selector = sregs->ds.selector,
        .tss_selector = VT_SEL_TSS,
        .ldt_selector = VT_SEL_LDT,
        .tss_descriptor = VT_GUEST_GDT + VT_SEL_TSS,
        .absent = VT_GUEST_ABSENT,
        .touch = VT_GUEST_TOUCH,
        .page = VT_GUEST_TOUCH,
        .pte = VT_GUEST_FREE_ENTRY,
        .pte_value = VT_GUEST_ABSENT,
        .pte_flip = VT_GUEST_ABSENT,
        .port_elcr = VT_PORT_ELCR,
        .port_pm_timer = VT_PORT_PM_TIMER,
        .port_match = VT_PORT_MATCH,
        .mmio_match = VT_GUEST_MMIO + VT_MMIO_MATCH,
        .mmio_any = VT_GUEST_MMIO + VT_MMIO_ANY,
    };
    fill_operand(scratch->gdtr, &sregs->gdt);
    fill_operand(scratch->idtr, &sregs->idt);
}
