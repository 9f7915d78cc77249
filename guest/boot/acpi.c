/* ACPI 6.5, 5.2: as far as the clocks need it. Tables lie anywhere and say anything: each is bounded and
 * summed. */
#include "guest/boot/core.h"

#define MOST_BYTES  0x100000
#define MOST_TABLES 128

#define FADT_TIMER_PORT 76
#define FADT_FLAGS      112
#define FADT_LONG_TIMER (1u << 8)
#define HPET_ADDRESS    44

static struct {
    uint16_t timer;
    bool long_timer;
    uint64_t hpet;
} found;

uint16_t vt_boot_acpi_timer(void)
{
    return found.timer;
}

bool vt_boot_acpi_timer_is_long(void)
{
    return found.long_timer;
}

uint64_t vt_boot_acpi_hpet(void)
{
    return found.hpet;
}

static uint64_t take(const volatile uint8_t *at, int bytes)
{
    uint64_t value = 0;
    while (bytes--)
        value = value << 8 | at[bytes];
    return value;
}

static bool sums_to_zero(const volatile uint8_t *at, uint32_t size)
{
    uint8_t sum = 0;
    while (size--)
        sum = (uint8_t)(sum + *at++);
    return sum == 0;
}

static bool reads(const volatile uint8_t *at, const char *name)
{
    for (; *name; name++)
        if (*at++ != (uint8_t)*name)
            return false;
    return true;
}

/* NULL: not a table. */
static const volatile uint8_t *look_at_table(uint64_t address, uint32_t *size)
{
    const volatile uint8_t *table = address ? vt_boot_look(address) : NULL;
    if (!table)
        return NULL;
    *size = (uint32_t)take(table + 4, 4);
    return *size >= 36 && *size <= MOST_BYTES && sums_to_zero(table, *size) ? table : NULL;
}

static void read_table(uint64_t address)
{
    uint32_t size;
    const volatile uint8_t *table = look_at_table(address, &size);

    if (!table)
        return;
    if (reads(table, "FACP") && size >= FADT_FLAGS + 4) {
        found.timer = (uint16_t)take(table + FADT_TIMER_PORT, 4);
        found.long_timer = take(table + FADT_FLAGS, 4) & FADT_LONG_TIMER;
    }
    if (reads(table, "HPET") && size >= HPET_ADDRESS + 8)
        found.hpet = take(table + HPET_ADDRESS, 8);
}

/* Addresses of four bytes in an RSDT, of eight in an XSDT. */
static void read_root(uint64_t address, int bytes)
{
    uint32_t size;
    const volatile uint8_t *root = look_at_table(address, &size);

    for (uint32_t i = 0; root && i < MOST_TABLES && 36 + (i + 1) * (uint32_t)bytes <= size; i++) {
        read_table(take(root + 36 + i * (uint32_t)bytes, bytes));
        root = vt_boot_look(address);
    }
}

/* Below 1 MiB on 16 bytes, where a BIOS has it. */
static uint64_t search(void)
{
    const volatile uint8_t *low = (const volatile uint8_t *)VT_BOOT_WINDOW;
    uint64_t extended = take(low + 0x40e, 2) << 4;

    for (uint64_t at = extended; extended >= 0x80000 && extended < 0xa0000 && at < extended + 0x400; at += 16)
        if (reads(low + at, "RSD PTR ") && sums_to_zero(low + at, 20))
            return at;
    for (uint64_t at = 0xe0000; at < 0x100000; at += 16)
        if (reads(low + at, "RSD PTR ") && sums_to_zero(low + at, 20))
            return at;
    return 0;
}

void vt_boot_acpi_find(void)
{
    uint64_t address = vt_boot_info()->rsdp;

    if (!address && vt_boot_info()->firmware == VT_BOOT_MULTIBOOT)
        address = search();
    if (!address)
        return;
    const volatile uint8_t *pointer = vt_boot_look(address);
    if (!reads(pointer, "RSD PTR ") || !sums_to_zero(pointer, 20))
        return;
    uint64_t short_root = take(pointer + 16, 4), long_root = pointer[15] >= 2 ? take(pointer + 24, 8) : 0;
    read_root(long_root ? long_root : short_root, long_root ? 8 : 4);
}
