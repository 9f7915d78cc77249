#include "guest/boot/place.h"
#include "guest/boot/port.h"
#include "guest/longmode.h"

#include <cpuid.h>
#include <string.h>

#define PAGE_ALL      UINT64_C(0x007) /* present, writable, user */
#define PAGE_UNCACHED UINT64_C(0x010)
#define PAGE_LARGE    UINT64_C(0x080)
#define CR4_LA57      (UINT64_C(1) << 12)
#define DIRECTORIES   (VT_GUEST_TABLES + 0x2000)

static uint64_t *table(uint64_t base, uint64_t address)
{
    return (uint64_t *)(base + address);
}

static bool has_five_levels(void)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    return cr4 & CR4_LA57;
}

/* Beside vt_longmode_tables: the block where it lies, cached; the window; a fifth level. */
static uint64_t finish_tables(uint64_t base)
{
    for (uint64_t at = base; at < base + VT_BOOT_BLOCK; at += VT_BOOT_ALIGNMENT)
        table(base, DIRECTORIES)[at / VT_BOOT_ALIGNMENT] &= ~PAGE_UNCACHED;
    memset(table(base, VT_BOOT_WINDOWS), 0, 0x1000);
    table(base, VT_BOOT_WINDOWS)[0] = PAGE_ALL | PAGE_LARGE | PAGE_UNCACHED;
    table(base, VT_GUEST_TABLES + 0x1000)[VT_BOOT_WINDOW >> 30] = (base + VT_BOOT_WINDOWS) | PAGE_ALL;
    memset(table(base, VT_BOOT_TOP), 0, 0x1000);
    table(base, VT_BOOT_TOP)[0] = (base + VT_GUEST_TABLES) | PAGE_ALL;
    return base + (has_five_levels() ? VT_BOOT_TOP : VT_GUEST_TABLES);
}

#define MSR_SEV_STATUS 0xc0010131
#define TDX_LEAF       0x21
#define TDX_B          0x65746e49 /* "Inte" */
#define TDX_D          0x5844546c /* "lTDX" */

/* A guest of SEV (AMD APM 2 15.34.10): the bit that says so is asked for where a hypervisor is, and the leaf
 * announces it. */
static bool is_sev_guest(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 31) || !__get_cpuid(0x8000001f, &a, &b, &c, &d) || !(a & 2))
        return false;
    return vt_boot_rdmsr(MSR_SEV_STATUS) & 1;
}

/* Intel TDX Module Base Specification, 11.2 */
static bool is_tdx_guest(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(TDX_LEAF, 0, &a, &b, &c, &d) && b == TDX_B && d == TDX_D;
}

const char *vt_boot_refusal(void)
{
    if (is_sev_guest() || is_tdx_guest())
        return "vmtoll: this guest's memory is encrypted (SEV, TDX), for which the image lays no page "
               "tables: nothing was "
               "measured\n";
    return NULL;
}

struct vt_boot_info *vt_boot_place(uint64_t base)
{
    struct vt_boot_head *head = (struct vt_boot_head *)(base + VT_BOOT_CORE);
    struct vt_boot_info *info = (struct vt_boot_info *)(base + VT_BOOT_INFO);
    const struct vt_boot_head *from = (const struct vt_boot_head *)vt_boot_core;

    memset((void *)base, 0, VT_BOOT_CORE);
    memcpy(head, from, from->loaded);
    memset((uint8_t *)head + from->loaded, 0, from->size - from->loaded);
    vt_longmode_tables((uint8_t *)base, base, head->stubs);
    head->cr3 = finish_tables(base);
    info->magic = VT_BOOT_MAGIC;
    info->base = base;
    return info;
}

uint64_t vt_boot_enter(const struct vt_boot_info *info, uint64_t what)
{
    struct vt_boot_head *head = (struct vt_boot_head *)(info->base + VT_BOOT_CORE);
    return ((uint64_t(*)(uint64_t))((uint64_t)head + head->enter))(what);
}

/* Volatile: they are put there after the compiler saw them. */
static volatile struct {
    char mark[sizeof VT_BOOT_WORDS_MARK];
    char words[VT_BOOT_WORDS_SIZE];
} own = {VT_BOOT_WORDS_MARK, ""};

const char *vt_boot_choose_line(const char *given)
{
    return given && *given ? given : (const char *)own.words;
}
