#include "guest/boot/place.h"
#include "guest/boot/port.h"
#include "guest/boot/tables.h"

#include <cpuid.h>
#include <stdbool.h>
#include <string.h>

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
    head->cr3 = vt_boot_tables((uint8_t *)base, base, head->stubs);
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
