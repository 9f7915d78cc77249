/* The image inside QEMU: waits for states, runs each until it halts. */
#include "tests/judge/judge.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stddef.h>

void vt_image_main(void);
void judge_run(struct judge_registers *registers, uint64_t vmcb);
extern uint8_t judge_timer[];

#define MSR_EFER    0xc0000080
#define CPUID_SVM   (1u << 2)
#define MSR_HSAVE   0xc0010117
#define EFER_SVME   (1u << 12)
#define CR0_WP      (1u << 16)
#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE     (1u << 22)
#define CPUID_PKU   (1u << 3)
#define XAPIC       0xfee00000
#define TIMER       0x20      /* vector */
#define LIMIT_NS    100000000 /* of a half's states together */
#define CLEARING    8         /* runs of a slot until what its code page was translated to is dropped */
#define PAUSE_NS    100000    /* between two looks for work; QEMU's APIC timer runs at 1 GHz */

static struct judge_control *const control = (void *)JUDGE_CONTROL;
static struct judge_slot *const slots = (void *)JUDGE_SLOTS;
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint64_t idt[2 * (TIMER + 1)];

static void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}

static void apic(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(XAPIC + offset) = value;
}

static void open_timer(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof idt - 1, (uintptr_t)idt};
    uint64_t entry = (uintptr_t)judge_timer;

    idt[2 * TIMER] = (entry & 0xffff) | 0x08 << 16 | UINT64_C(0x8e00) << 32 | (entry >> 16 & 0xffff) << 48;
    idt[2 * TIMER + 1] = entry >> 32;
    __asm__ volatile("lidt %0" : : "m"(idtr));
    __asm__ volatile("outb %b0, $0x21; outb %b0, $0xa1"
                     :
                     : "a"(0xff)); /* the firmware left its clock running */
    apic(0xf0, 0x1ff);
    apic(0x3e0, 0xb);
    apic(0x320, TIMER);
}

/* Halted instead of spinning: the test shares its processors with others. */
static void rest(void)
{
    apic(0x380, PAUSE_NS);
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void note_leaf(uint32_t leaf, uint32_t subleaf)
{
    uint32_t *row;

    if (control->leaves >= JUDGE_LEAVES)
        return;
    row = control->cpuid[control->leaves];
    row[0] = leaf;
    row[1] = subleaf;
    __cpuid_count(leaf, subleaf, row[2], row[3], row[4], row[5]);
    control->leaves++;
}

static void note_range(uint32_t range)
{
    uint32_t highest, b, c, d;

    __cpuid(range, highest, b, c, d);
    for (uint32_t leaf = range; leaf <= highest && leaf < range + 16; leaf++) {
        note_leaf(leaf, 0);
        if (leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd)
            for (uint32_t subleaf = 1; subleaf < 4; subleaf++)
                note_leaf(leaf, subleaf);
    }
}

static uint64_t read_xcr0(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | (uint64_t)high << 32;
}

static void write_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static bool has_keys;

/* Enabled here alone: a state decides for itself. */
static uint32_t exchange_pkru(uint32_t value)
{
    uint32_t old;
    uint64_t cr4;

    if (!has_keys)
        return value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PKE));
    __asm__ volatile("rdpkru" : "=a"(old) : "c"(0) : "rdx");
    __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    return old;
}

static void load_debug(const uint64_t *dr)
{
    __asm__ volatile("mov %0, %%dr7; mov %1, %%dr0; mov %2, %%dr1; mov %3, %%dr2; mov %4, %%dr3"
                     :
                     : "r"(UINT64_C(0x400)), "r"(dr[0]), "r"(dr[1]), "r"(dr[2]), "r"(dr[3]));
}

static void store_debug(uint64_t *dr)
{
    __asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
                     : "=r"(dr[0]), "=r"(dr[1]), "=r"(dr[2]), "=r"(dr[3]));
}

/*
 * QEMU looks through all translations of a page when one of its bytes is written, and keeps one of every
 * handler for each value that flags had there. Written over, with what is there, they are gone.
 */
static void drop_translations(struct judge_slot *slot)
{
    volatile uint64_t *code = (volatile uint64_t *)(void *)slot->world;

    for (unsigned i = 0; i < sizeof slot->world / JUDGE_PAGES / sizeof *code; i++) {
        uint64_t same = code[i];
        code[i] = same;
    }
}

static uint64_t last_code[JUDGE_HALVES * JUDGE_HALF][2];

/* What the state before has left there need not be translated again. */
static void write_code(unsigned number)
{
    volatile uint64_t *world = (volatile uint64_t *)(void *)slots[number].world;

    for (unsigned i = 0; i < 2; i++)
        if (last_code[number][i] != slots[number].registers.code[i])
            world[i] = slots[number].registers.code[i];
}

static void note_code(unsigned number)
{
    const volatile uint64_t *world = (const volatile uint64_t *)(const void *)slots[number].world;

    for (unsigned i = 0; i < 2; i++)
        last_code[number][i] = world[i];
}

/* A state that ran out of time leaves the timer pending, which would end the next one as well. */
static void rearm(const struct judge_slot *slot)
{
    if (*(const uint64_t *)(const void *)(slot->vmcb + VMCB_EXIT_CODE) != SVM_EXIT_INTR)
        return;
    __asm__ volatile("sti; nop; cli" : : : "memory");
    apic(0x380, LIMIT_NS);
}

static void run(unsigned number)
{
    static unsigned runs[JUDGE_HALVES * JUDGE_HALF];
    struct judge_slot *slot = &slots[number];
    struct judge_registers *registers = &slot->registers;

    if (!registers->used)
        return;
    if (++runs[number] % CLEARING == 0)
        drop_translations(slot);
    write_code(number);
    load_debug(registers->dr);
    write_xcr0(registers->xcr0);
    exchange_pkru((uint32_t)registers->pkru);
    judge_run(registers, (uintptr_t)slot->vmcb);
    rearm(slot);
    note_code(number);
    store_debug(registers->dr);
    registers->xcr0 = read_xcr0();
    registers->pkru = exchange_pkru(0);
}

static void run_half(unsigned half)
{
    apic(0x380, LIMIT_NS);
    for (unsigned i = 0; i < JUDGE_HALF; i++)
        run(half * JUDGE_HALF + i);
    apic(0x380, 0);
}

static void prepare(void)
{
    uint32_t a, b, c, d;
    uint64_t cr0, cr4;

    __cpuid(0x80000001, a, b, c, d);
    if (!(c & CPUID_SVM)) {
        control->ready = 2;
        return;
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_HSAVE, (uintptr_t)host_save);
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE));
    /* As in the states: entering and leaving them flushes the TLB no oftener than it must. */
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_WP));
    has_keys = __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & CPUID_PKU;
    note_range(0);
    note_range(0x80000000);
    open_timer();
    control->ready = 1;
}

void vt_image_main(void)
{
    prepare();
    for (;;) {
        bool worked = false;

        for (unsigned half = 0; half < JUDGE_HALVES; half++) {
            if (control->done[half] == control->go[half])
                continue;
            run_half(half);
            __asm__ volatile("" : : : "memory");
            control->done[half]++;
            worked = true;
        }
        if (!worked)
            rest();
    }
}
