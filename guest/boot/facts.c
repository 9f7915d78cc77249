/* What is said before the first case: who booted it, on what, and the processor's leaves, one a line. */
#include "guest/boot/core.h"
#include "config.h"

#include <cpuid.h>

#define MOST_LEAVES    64
#define MOST_SUBLEAVES 64

static void say_fact(const char *name, const char *value)
{
    vt_boot_say("@fact ");
    vt_boot_say(name);
    vt_boot_say(" ");
    vt_boot_say(value);
    vt_boot_say_end();
}

static void say_leaf(uint32_t leaf, uint32_t subleaf, const unsigned registers[4])
{
    vt_boot_say("@cpuid ");
    vt_boot_say_hex(leaf);
    vt_boot_say(" ");
    vt_boot_say_hex(subleaf);
    for (int i = 0; i < 4; i++) {
        vt_boot_say(" ");
        vt_boot_say_hex(registers[i]);
    }
    vt_boot_say_end();
}

/* Leaves whose subleaves end where a field of a register is 0: caches by type, topology by level. */
static const struct {
    uint32_t leaf;
    uint8_t reg;
    uint32_t mask;
} lists[] = {
    {4, 0, 0x1f}, {0xb, 2, 0xff00}, {0x1f, 2, 0xff00}, {0x8000001d, 0, 0x1f}, {0x80000026, 2, 0xff00}};

static bool ends_list(uint32_t leaf, const unsigned registers[4], bool *is_list)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (lists[i].leaf == leaf) {
            *is_list = true;
            return !(registers[lists[i].reg] & lists[i].mask);
        }
    return false;
}

static void say_subleaves(uint32_t leaf)
{
    uint32_t last = leaf == 0xd || leaf == 0x12 || leaf == 0xf || leaf == 0x10 ? 2 : 0;

    for (uint32_t subleaf = 0; subleaf < MOST_SUBLEAVES; subleaf++) {
        unsigned r[4];
        bool is_list = false;
        __cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
        bool ends = ends_list(leaf, r, &is_list);
        if (subleaf == 0 && (leaf == 7 || leaf == 0x14 || leaf == 0x17 || leaf == 0x18 || leaf == 0x1d))
            last = r[0] < 8 ? r[0] : 8;
        say_leaf(leaf, subleaf, r);
        if (is_list ? ends : subleaf >= last)
            return;
    }
}

static void say_leaves(uint32_t first)
{
    unsigned most, b, c, d;

    __cpuid(first, most, b, c, d);
    for (uint32_t leaf = first; leaf <= most && leaf - first < MOST_LEAVES; leaf++)
        say_subleaves(leaf);
}

static void say_rate(void)
{
    vt_boot_say("@fact tsc-khz ");
    vt_boot_say_number(vt_boot_clock_khz());
    vt_boot_say_end();
}

void vt_boot_facts_say(void)
{
    static const char *const names[] = {"pvh", "multiboot2", "efi"};

    say_fact("version", VT_VERSION);
    say_fact("firmware", names[vt_boot_info()->firmware]);
    say_fact("line", vt_boot_info()->line);
    say_rate();
    say_leaves(0);
    if (vt_boot_is_under_hypervisor())
        say_leaves(0x40000000);
    say_leaves(0x80000000);
}
