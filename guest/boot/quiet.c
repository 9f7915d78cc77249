/*
 * Between two entries the machine is the firmware's. While a case runs nothing may interrupt it but itself:
 * both 8259As and all entries of the local vector table are masked, and put back as they were.
 */
#include "guest/boot/core.h"
#include "guest/boot/port.h"

#define PIC_1 0x21
#define PIC_2 0xa1

#define MSR_APIC_BASE 0x1b
#define APIC_ON       (1u << 11)
#define APIC_X2       (1u << 10)
#define APIC_PAGE     UINT64_C(0xffffff000)
#define APIC_EOI      0xb0
#define APIC_SVR      0xf0
#define APIC_VERSION  0x30
#define LVT_MASKED    0x10000u
#define SVR_ENABLE    0x1ffu

/* CMCI, timer, thermal, performance, LINT0, LINT1, error (Intel SDM 3A 11.5.1), and how many entries there
 * must be for each to exist. */
static const struct {
    uint16_t at;
    uint8_t least;
} entries[] = {{0x2f0, 7}, {0x320, 1}, {0x330, 6}, {0x340, 5}, {0x350, 3}, {0x360, 4}, {0x370, 3}};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static struct {
    uint8_t pic[2];
    bool apic, x2;
    uint32_t vector[ENTRIES], spurious;
    uint64_t priority;
} kept;

static uint64_t base(void)
{
    return vt_boot_rdmsr(MSR_APIC_BASE);
}

static uint32_t read_apic(uint32_t at)
{
    return vt_boot_quiet_is_x2apic() ? (uint32_t)vt_boot_rdmsr(0x800 + at / 16)
                                     : *(volatile uint32_t *)(uintptr_t)(VT_GUEST_XAPIC + at);
}

static void write_apic(uint32_t at, uint32_t value)
{
    if (vt_boot_quiet_is_x2apic())
        vt_boot_wrmsr(0x800 + at / 16, value);
    else
        *(volatile uint32_t *)(uintptr_t)(VT_GUEST_XAPIC + at) = value;
}

bool vt_boot_quiet_is_x2apic(void)
{
    return base() & APIC_X2;
}

bool vt_boot_quiet_has_apic(void)
{
    const struct vt_cpuid_bit apic = {1, 0, VT_EDX, 9};
    return vt_boot_has_feature(&apic) && base() & APIC_ON &&
           (base() & APIC_X2 || (base() & APIC_PAGE) == VT_GUEST_XAPIC);
}

static unsigned count_entries(void)
{
    return (read_apic(APIC_VERSION) >> 16 & 0xff) + 1;
}

static void mask_entries(void)
{
    unsigned count = count_entries();
    for (int i = 0; i < ENTRIES; i++) {
        if (count < entries[i].least)
            continue;
        kept.vector[i] = read_apic(entries[i].at);
        write_apic(entries[i].at, kept.vector[i] | LVT_MASKED);
    }
}

void vt_boot_quiet_begin(void)
{
    kept.pic[0] = vt_boot_in(PIC_1);
    kept.pic[1] = vt_boot_in(PIC_2);
    vt_boot_out(PIC_1, 0xff);
    vt_boot_out(PIC_2, 0xff);
    __asm__ volatile("mov %%cr8, %0" : "=r"(kept.priority));
    kept.apic = vt_boot_quiet_has_apic();
    kept.x2 = kept.apic && vt_boot_quiet_is_x2apic();
    if (kept.apic) {
        kept.spurious = read_apic(APIC_SVR);
        mask_entries();
        write_apic(APIC_SVR, SVR_ENABLE);
    }
    /* What firmware's devices send stays below this, what cases send to themselves above. */
    uint64_t priority = vt_boot_info()->firmware == VT_BOOT_EFI ? 0xd : 0;
    vt_boot_scratch()->cr8 = priority;
    __asm__ volatile("mov %0, %%cr8" : : "r"(priority) : "memory");
}

/* A case may have gone to x2APIC mode: what was kept is of the same registers there. */
void vt_boot_quiet_end(void)
{
    if (kept.apic) {
        unsigned count = count_entries();
        for (int i = 0; i < ENTRIES; i++)
            if (count >= entries[i].least)
                write_apic(entries[i].at, kept.vector[i]);
        write_apic(APIC_SVR, kept.spurious);
    }
    __asm__ volatile("mov %0, %%cr8" : : "r"(kept.priority) : "memory");
    vt_boot_out(PIC_1, kept.pic[0]);
    vt_boot_out(PIC_2, kept.pic[1]);
}

void vt_boot_quiet_end_of_interrupt(void)
{
    if (kept.apic)
        write_apic(APIC_EOI, 0);
}
