#include "monitor/hardware.h"

#include "guest/abi.h"
#include "monitor/pages.h"
#include "monitor/timer.h"
#include "monitor/msr.h"

#include <cpuid.h>

#define CR0_TS         (UINT64_C(1) << 3)
#define CR0_EM         (UINT64_C(1) << 2)
#define CR0_NE         (UINT64_C(1) << 5)
#define CR0_WP         (UINT64_C(1) << 16)
#define CR0_NW         (UINT64_C(1) << 29)
#define CR0_CD         (UINT64_C(1) << 30)
#define CR4_PAE        (UINT64_C(1) << 5)
#define CR4_OSFXSR     (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define CR4_UMIP       (UINT64_C(1) << 11)
#define CR4_FSGSBASE   (UINT64_C(1) << 16)
#define CR4_OSXSAVE    (UINT64_C(1) << 18)
/* MCE, LA57, VMXE: as whoever started the image had them (guest/boot/machine.c). */
#define CR4_KEPT  (UINT64_C(1) << 6 | UINT64_C(1) << 12 | UINT64_C(1) << 13)
#define MSR_EFER  0xc0000080
#define MSR_STAR  0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define EFER_SCE  UINT64_C(1)
#define MSR_FS    0xc0000100
#define MSR_GS    0xc0000101

#define GATE       0x8e
#define STACK_SIZE 8192
#define OWN_STACKS 2 /* for what comes at any time: NMI, #DF, #MC share one; the rest */
#define TSS_NO_MAP 104

extern uint8_t vt_monitor_gates[], vt_monitor_bare[], vt_monitor_syscall[], vt_monitor_empty[];
enum vt_monitor_end vt_monitor_enter(uint64_t rip, uint64_t rsp, uint64_t rflags);
enum vt_monitor_end vt_monitor_inside(enum vt_monitor_end (*inside)(void *context), void *context);
void vt_image_load_tables(const void *gdtr, const void *idtr);

/* As LGDT and LIDT take it. */
struct operand {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static uint64_t gdt[VT_GDT_SIZE / 8] __attribute__((aligned(16)));
static uint64_t idt[2 * VT_MONITOR_GATES] __attribute__((aligned(16)));
static uint8_t tss[TSS_NO_MAP] __attribute__((aligned(16)));
static uint8_t stacks[OWN_STACKS][STACK_SIZE] __attribute__((aligned(16)));
static uint64_t cr4; /* of the monitor's world: what the guest may use, and what makes it fault */
static uint64_t added_cr4;

static void put_gate(unsigned vector, const uint8_t *entry, unsigned stack)
{
    uint64_t address = (uintptr_t)entry;

    idt[2 * vector] = (address & 0xffff) | VT_SEL_CODE0 << 16 | (uint64_t)stack << 32 | (uint64_t)GATE << 40 |
                      (address >> 16 & 0xffff) << 48;
    idt[2 * vector + 1] = address >> 32;
}

/* No gate may be called by the guest: INT n is #GP, and what comes by another vector is no INT n. */
static void make_idt(void)
{
    for (unsigned i = 0; i < VT_MONITOR_GATES; i++)
        put_gate(i, vt_monitor_gates + i * VT_STUB_SIZE, i == 2 || i == 8 || i == 18 ? 1 : 0);
}

static void put_system(unsigned selector, uint64_t base, uint64_t limit, uint64_t type)
{
    gdt[selector / 8] = limit | (base & 0xffffff) << 16 | (0x80 | type) << 40 | (base >> 24 & 0xff) << 56;
    gdt[selector / 8 + 1] = base >> 32;
}

/* LTR marks the TSS busy and takes none that is: made anew for each run. */
static void make_gdt(void)
{
    gdt[VT_SEL_CODE0 / 8] = UINT64_C(0x00af9b000000ffff);
    gdt[VT_SEL_DATA0 / 8] = UINT64_C(0x00cf93000000ffff);
    gdt[VT_SEL_DATA3 / 8] = UINT64_C(0x00cff3000000ffff);
    gdt[VT_SEL_CODE3 / 8] = UINT64_C(0x00affb000000ffff);
    put_system(VT_SEL_TSS, (uintptr_t)tss, sizeof tss - 1, 9);
    put_system(VT_SEL_LDT, (uintptr_t)gdt, 7, 2);
}

/* The I/O map lies behind the segment's end: no port is the guest's. */
static void make_tss(void)
{
    uint64_t rsp0 = (uintptr_t)(stacks[0] + STACK_SIZE), ist1 = (uintptr_t)(stacks[1] + STACK_SIZE);

    __builtin_memcpy(tss + 4, &rsp0, sizeof rsp0);
    __builtin_memcpy(tss + 36, &ist1, sizeof ist1);
    __builtin_memcpy(tss + 102, &(uint16_t){TSS_NO_MAP}, 2);
}

/* PCE, SMEP, SMAP and PKE are off, TSD unless it is added: RDPMC and the instructions of protection keys
 * fault, RDTSC does not. */
static void choose_cr4(void)
{
    unsigned a, b = 0, c = 0, d;
    uint64_t now;

    __asm__ volatile("mov %%cr4, %0" : "=r"(now));
    __cpuid(1, a, b, c, d);
    cr4 = (now & CR4_KEPT) | CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (c >> 26 & 1 ? CR4_OSXSAVE : 0);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        cr4 |= (b & 1 ? CR4_FSGSBASE : 0) | (c >> 2 & 1 ? CR4_UMIP : 0);
}

/* For those who come without a stack of the monitor's. */
extern uint64_t vt_hardware_stack;
uint64_t vt_hardware_stack;

void vt_hardware_open(void)
{
    make_idt();
    make_tss();
    vt_hardware_stack = (uintptr_t)(stacks[0] + STACK_SIZE);
    vt_pages_open();
    choose_cr4();
}

void vt_hardware_add_cr4(uint64_t bits)
{
    added_cr4 = bits;
}

static uint64_t read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static void write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

/* The selectors take the bases with them. */
static void load_segments(void)
{
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(VT_SEL_DATA3));
    vt_msr_write(MSR_FS, vt_monitor.vcpu.segment[VT_FS].base);
    vt_msr_write(MSR_GS, vt_monitor.vcpu.segment[VT_GS].base);
}

/* Pages that the guest may only read are written here, on its behalf; VT-x asks for NE (Intel SDM 3D A.7). */
void vt_hardware_take(void)
{
    write_cr0((read_cr0() & ~(CR0_TS | CR0_EM | CR0_WP | CR0_NW | CR0_CD)) | CR0_NE);
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | added_cr4) : "memory");
    vt_pages_take();
}

/* SYSCALL would enter ring 0 past all gates: shut, it is #UD. */
static void set_door(enum vt_monitor_door door)
{
    const uint64_t efer = vt_msr_read(MSR_EFER) & ~EFER_SCE;

    vt_msr_write(MSR_STAR, (uint64_t)VT_SEL_CODE0 << 32 | (uint64_t)(VT_SEL_DATA3 - 8) << 48);
    vt_msr_write(MSR_LSTAR, (uintptr_t)(door == VT_MONITOR_EMPTY ? vt_monitor_empty : vt_monitor_syscall));
    vt_msr_write(MSR_FMASK, VT_FLAG_IF | VT_FLAG_TF | VT_FLAG_DF | VT_FLAG_NT | VT_FLAG_AC);
    vt_msr_write(MSR_EFER, efer | (door == VT_MONITOR_SHUT ? 0 : EFER_SCE));
}

static void enter_world(enum vt_hardware_gate gate, enum vt_monitor_door door)
{
    const struct operand gdtr = {sizeof gdt - 1, (uintptr_t)gdt}, idtr = {sizeof idt - 1, (uintptr_t)idt};

    make_gdt();
    put_gate(VT_EXCEPTION_GP,
             gate == VT_HARDWARE_BARE ? vt_monitor_bare : vt_monitor_gates + VT_EXCEPTION_GP * VT_STUB_SIZE,
             0);
    set_door(door);
    vt_image_load_tables(&gdtr, &idtr);
    load_segments();
}

enum vt_monitor_end vt_hardware_run(uint64_t rip, uint64_t rsp, enum vt_hardware_gate gate,
                                    enum vt_monitor_door door)
{
    enter_world(gate, door);
    vt_timer_arm();
    enum vt_monitor_end end =
        vt_monitor_enter(rip, rsp, (vt_monitor.vcpu.rflags & VT_FLAGS_USER) | VT_FLAG_ONE | VT_FLAG_IF);
    vt_timer_disarm();
    return end;
}

enum vt_monitor_end vt_hardware_run_inside(enum vt_monitor_end (*inside)(void *context), void *context)
{
    enter_world(VT_HARDWARE_EMULATING, VT_MONITOR_SHUT);
    vt_timer_arm();
    enum vt_monitor_end end = vt_monitor_inside(inside, context);
    vt_timer_disarm();
    return end;
}
