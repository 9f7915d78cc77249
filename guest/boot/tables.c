#include "guest/boot/tables.h"
#include "guest/longmode.h"

#include <stdbool.h>
#include <string.h>

#define PAGE_ALL      UINT64_C(0x007) /* present, writable, user */
#define PAGE_UNCACHED UINT64_C(0x010)
#define PAGE_LARGE    UINT64_C(0x080)
#define CR4_LA57      (UINT64_C(1) << 12)
#define DIRECTORIES   (VT_GUEST_TABLES + 0x2000)

static uint64_t *table(uint8_t *memory, uint64_t address)
{
    return (uint64_t *)(void *)(memory + address);
}

static bool has_five_levels(void)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    return cr4 & CR4_LA57;
}

/* Beside vt_longmode_tables: the block where it lies, cached; the window; a fifth level. */
uint64_t vt_boot_tables(uint8_t *memory, uint64_t base, uint64_t stubs)
{
    vt_longmode_tables(memory, base, stubs);
    for (uint64_t at = base; at < base + VT_BOOT_BLOCK; at += VT_BOOT_ALIGNMENT)
        table(memory, DIRECTORIES)[at / VT_BOOT_ALIGNMENT] &= ~PAGE_UNCACHED;
    memset(memory + VT_BOOT_WINDOWS, 0, 0x1000);
    table(memory, VT_BOOT_WINDOWS)[0] = PAGE_ALL | PAGE_LARGE | PAGE_UNCACHED;
    table(memory, VT_GUEST_TABLES + 0x1000)[VT_BOOT_WINDOW >> 30] = (base + VT_BOOT_WINDOWS) | PAGE_ALL;
    memset(memory + VT_BOOT_TOP, 0, 0x1000);
    table(memory, VT_BOOT_TOP)[0] = (base + VT_GUEST_TABLES) | PAGE_ALL;
    return base + (has_five_levels() ? VT_BOOT_TOP : VT_GUEST_TABLES);
}
