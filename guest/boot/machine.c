#include "guest/boot/core.h"
#include "guest/boot/port.h"
#include "guest/boot/tables.h"
#include "guest/image/image.h"
#include "guest/image/place.h"
#include "guest/longmode.h"
#include "guest/payload.h"

#include <cpuid.h>
#include <linux/kvm.h>

#define MSR_EFER 0xc0000080
/* MCE, LA57, VMXE: whoever set them may depend on them, or refuse to have them cleared. */
#define CR4_KEPT (UINT64_C(1) << 6 | UINT64_C(1) << 12 | UINT64_C(1) << 13)

#define PAGE_ALL      UINT64_C(0x007)
#define PAGE_UNCACHED UINT64_C(0x010)
#define PAGE_LARGE    UINT64_C(0x080)
#define LARGE_PAGE    UINT64_C(0x200000)
#define LOOKS         8

static struct kvm_sregs sregs;

bool vt_boot_has_feature(const struct vt_cpuid_bit *bit)
{
    unsigned registers[4];
    if (bit->leaf == 0)
        return true;
    return __get_cpuid_count(bit->leaf, bit->subleaf, &registers[0], &registers[1], &registers[2],
                             &registers[3]) &&
           (registers[bit->reg] >> bit->bit & 1);
}

bool vt_boot_is_under_hypervisor(void)
{
    const struct vt_cpuid_bit bit = {1, 0, VT_ECX, 31};
    return vt_boot_has_feature(&bit);
}

/* A hypervisor without VT-x or AMD-V may read ring 0's instructions one by one: each takes a thousand times
 * as long. */
#define NOPS             16
#define INTERPRETED_NOPS (NOPS * 200) /* cycles */

static bool interpreted;

bool vt_boot_machine_is_interpreted(void)
{
    return interpreted;
}

static void look_for_interpreter(void)
{
    uint64_t least = UINT64_MAX;

    for (int turn = 0; turn < 5; turn++) {
        uint64_t begin = vt_boot_tsc();
        __asm__ volatile(".rept %c0; nop; .endr" : : "i"(NOPS));
        uint64_t took = vt_boot_tsc() - begin;
        least = took < least ? took : least;
    }
    interpreted = vt_boot_is_under_hypervisor() && least > INTERPRETED_NOPS;
}

static void fill_scratch(bool xsave)
{
    struct vt_scratch *scratch = vt_boot_scratch();

    vt_longmode_scratch(scratch, &sregs);
    if (xsave && !interpreted) { /* KVM's interpreter would end the machine at it */
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        scratch->xcr0 = low | (uint64_t)high << 32;
    }
    /* The descriptor of a busy TSS cannot be loaded: make it available (Intel SDM 2A LTR). */
    *(uint8_t *)(uintptr_t)(VT_GUEST_GDT + VT_SEL_TSS + 5) &= 0xfd;
}

static void write_registers(void)
{
    vt_boot_wrmsr(MSR_EFER, sregs.efer);
    __asm__ volatile("mov %0, %%cr4" : : "r"(sregs.cr4) : "memory");
    __asm__ volatile("mov %0, %%cr0" : : "r"(sregs.cr0) : "memory");
}

void vt_boot_machine_make(void)
{
    const struct vt_cpuid_bit xsave = {1, 0, VT_ECX, 26}, fsgsbase = {7, 0, VT_EBX, 0};
    struct vt_longmode_features features = {.xsave = vt_boot_has_feature(&xsave),
                                            .fsgsbase = vt_boot_has_feature(&fsgsbase)};

    vt_image_base = vt_boot_info()->base;
    vt_longmode_registers(&sregs, 0, &features);
    sregs.cr3 = vt_boot_cr3;
    sregs.cr4 |= vt_boot_caller_cr4 & CR4_KEPT;
    look_for_interpreter();
    *vt_boot_mailbox() = (struct vt_mailbox){.skip_vector = UINT64_MAX};
    write_registers();
    fill_scratch(features.xsave);
}

void vt_boot_machine_enter(void)
{
    write_registers();
    *(uint8_t *)(uintptr_t)(VT_GUEST_GDT + VT_SEL_TSS + 5) &= 0xfd;
    vt_image_load_tables(vt_boot_scratch()->gdtr, vt_boot_scratch()->idtr);
}

uint64_t vt_image_base;

void vt_image_restore(void)
{
    const struct vt_cpuid_bit xsave = {1, 0, VT_ECX, 26};
    uint64_t cr3 = vt_boot_tables((uint8_t *)0, vt_image_base, (uintptr_t)vt_payload_stubs);

    write_registers();
    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
    *vt_boot_mailbox() = (struct vt_mailbox){.skip_vector = UINT64_MAX};
    fill_scratch(vt_boot_has_feature(&xsave));
    vt_image_load_tables(vt_boot_scratch()->gdtr, vt_boot_scratch()->idtr);
}

uint64_t vt_image_vector(void)
{
    return vt_boot_mailbox()->exception.vector;
}

/* Two large pages each, so that what begins in the first may end in the second. */
volatile void *vt_boot_look(uint64_t physical)
{
    static uint64_t look;
    volatile uint64_t *directory = (volatile uint64_t *)VT_BOOT_WINDOWS;
    uint64_t slot = 1 + 2 * (look++ % LOOKS), page = physical & ~(LARGE_PAGE - 1);
    uint64_t at = VT_BOOT_WINDOW + slot * LARGE_PAGE;

    for (uint64_t i = 0; i < 2; i++) {
        directory[slot + i] = (page + i * LARGE_PAGE) | PAGE_ALL | PAGE_LARGE | PAGE_UNCACHED;
        __asm__ volatile("invlpg (%0)" : : "r"(at + i * LARGE_PAGE) : "memory");
    }
    return (volatile void *)(at + (physical & (LARGE_PAGE - 1)));
}

/* Called as a case is, so that an exception ends them. */
static void read_msr(uint64_t msr, struct vt_scratch *scratch)
{
    scratch->sink[0] = vt_boot_rdmsr((uint32_t)msr);
}

static void write_msr(uint64_t msr, struct vt_scratch *scratch)
{
    vt_boot_wrmsr((uint32_t)msr, scratch->sink[0]);
}

bool vt_boot_try_rdmsr(uint32_t msr, uint64_t *value)
{
    uint64_t tsc[2];
    if (!vt_image_batch(read_msr, msr, vt_boot_scratch(), tsc))
        return false;
    *value = vt_boot_scratch()->sink[0];
    return true;
}

bool vt_boot_try_wrmsr(uint32_t msr, uint64_t value)
{
    uint64_t tsc[2];
    vt_boot_scratch()->sink[0] = value;
    return vt_image_batch(write_msr, msr, vt_boot_scratch(), tsc);
}
