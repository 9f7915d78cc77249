/* The pages the guest really has: its own memory and code at ring 3, all else for the monitor alone. */
#include "guest/abi.h"
#include "guest/image/place.h"
#include "monitor/pages.h"

#include <cpuid.h>

#define PAGE        UINT64_C(0x1000)
#define LARGE       UINT64_C(0x200000)
#define ENTRIES     512
#define GIBIBYTES   4
#define FINE        2 /* large pages from 0 on that are mapped by small ones: the image lies there */
#define TABLES_SIZE ((2 + GIBIBYTES) * PAGE)
#define DIRECTORIES (VT_GUEST_TABLES + 2 * PAGE)

#define PRESENT  UINT64_C(0x01)
#define WRITABLE UINT64_C(0x02)
#define USER     UINT64_C(0x04)
#define UNCACHED UINT64_C(0x18)
#define IS_LARGE UINT64_C(0x80)
#define FRAME    UINT64_C(0x000fffffffe00000)

#define CR4_LA57   (UINT64_C(1) << 12)
#define NO_EXECUTE (UINT64_C(1) << 63)
#define CPUID_NX   (1u << 20)

/* Code of the guest, page-aligned on both sides (guest/image/image.lds). */
extern uint8_t vt_image_guest[], vt_image_guest_end[];

static uint64_t top[ENTRIES] __attribute__((aligned(4096))); /* above it where there are five levels */
static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t pointers[ENTRIES] __attribute__((aligned(4096)));
static uint64_t directories[GIBIBYTES * ENTRIES] __attribute__((aligned(4096)));
static uint64_t fine[FINE * ENTRIES] __attribute__((aligned(4096)));

static bool followed;       /* they are no longer as they were made */
static uint64_t data_is_no; /* NO_EXECUTE or 0: of the guest's memory, now */

/* Where the guest is at home. */
struct range {
    uint64_t start, end;
    uint64_t rights;
};

static bool holds(const struct range *range, uint64_t address, unsigned size)
{
    return address >= range->start && address < range->end && size <= range->end - address;
}

static const struct range memory = {VT_GUEST_TABLES, VT_GUEST_STACK, PRESENT | USER | WRITABLE};
static const struct range tables = {VT_GUEST_TABLES, VT_GUEST_TABLES + TABLES_SIZE, PRESENT | USER};
static const struct range touch = {VT_GUEST_TOUCH, VT_GUEST_TOUCH + VT_GUEST_TOUCH_SIZE,
                                   PRESENT | USER | WRITABLE};

static struct range code(void)
{
    return (struct range){(uintptr_t)vt_image_guest, (uintptr_t)vt_image_guest_end, PRESENT | USER};
}

bool vt_pages_is_table(uint64_t address)
{
    return holds(&tables, address, 1);
}

/* The guest may have taken its own large pages away. */
static bool is_mapped(uint64_t address, bool write)
{
    const uint64_t entry = directories[address / LARGE];

    return entry & USER && (!write || entry & WRITABLE);
}

bool vt_pages_is_guest(uint64_t address, unsigned size, bool write)
{
    if (holds(&memory, address, size))
        return true;
    if (holds(&touch, address, size))
        return is_mapped(address, write) && is_mapped(address + size - 1, write);
    const struct range own = code();
    return !write && holds(&own, address, size);
}

static uint64_t fine_entry(uint64_t address)
{
    const struct range own = code();

    if (holds(&tables, address, 1))
        return vt_image_physical_address(address) | tables.rights | data_is_no;
    if (holds(&memory, address, 1))
        return vt_image_physical_address(address) | memory.rights | data_is_no;
    return vt_image_physical_address(address) | (holds(&own, address, 1) ? own.rights : PRESENT | WRITABLE);
}

/* Memory has its two names, and both are cached: a control block goes by the physical one. */
static bool is_memory(uint64_t address)
{
    return address < VT_GUEST_MEMORY || address - vt_image_base < VT_GUEST_MEMORY;
}

static uint64_t large_entry(uint64_t address)
{
    uint64_t frame = vt_image_physical_address(address);

    if (address == VT_GUEST_ABSENT)
        return 0;
    if (holds(&touch, address, 1))
        return frame | touch.rights | IS_LARGE | data_is_no;
    return frame | PRESENT | WRITABLE | IS_LARGE | (is_memory(address) ? 0 : UNCACHED);
}

static void make(void)
{
    const uint64_t upper = PRESENT | WRITABLE | USER;

    top[0] = top[ENTRIES - 1] = vt_image_physical(root) | upper;
    root[ENTRIES - 1] = 0;
    root[0] = vt_image_physical(pointers) | upper;
    for (uint64_t i = 0; i < GIBIBYTES; i++)
        pointers[i] = vt_image_physical(directories + i * ENTRIES) | upper;
    for (uint64_t i = 0; i < GIBIBYTES * ENTRIES; i++)
        directories[i] = large_entry(i * LARGE);
    for (uint64_t i = 0; i < FINE * ENTRIES; i++)
        fine[i] = fine_entry(i * PAGE);
    for (uint64_t i = 0; i < FINE; i++)
        directories[i] = vt_image_physical(fine + i * ENTRIES) | upper;
}

void vt_pages_open(void)
{
    followed = false;
    data_is_no = 0;
    make();
}

static bool has_five_levels(void)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    return cr4 & CR4_LA57;
}

static void take(void)
{
    const uint64_t table = vt_image_physical(has_five_levels() ? top : root);

    __asm__ volatile("mov %0, %%cr3" : : "r"(table) : "memory");
}

void vt_pages_take(void)
{
    if (followed)
        vt_pages_open();
    take();
}

uint64_t vt_pages_no_execute(void)
{
    unsigned a, b, c, d = 0;

    __get_cpuid(0x80000001, &a, &b, &c, &d);
    return d & CPUID_NX ? NO_EXECUTE : 0;
}

void vt_pages_separate(uint64_t *last)
{
    followed = true;
    data_is_no = vt_pages_no_execute();
    make();
    root[ENTRIES - 1] = vt_image_physical(last) | PRESENT | WRITABLE | USER;
    take();
}

uint64_t vt_pages_get(uint64_t address)
{
    return fine[address / PAGE];
}

void vt_pages_set(uint64_t address, uint64_t entry)
{
    followed = true;
    fine[address / PAGE] = entry;
    vt_pages_flush(address);
}

/* A large page of the guest's own memory may lie anywhere; anything else that was not so from the start is
 * none. */
static uint64_t shadow_of(uint64_t entry, uint64_t address)
{
    uint64_t frame = entry & FRAME;

    if (!(entry & PRESENT) || !(entry & IS_LARGE))
        return 0;
    if (holds(&touch, frame, LARGE))
        return vt_image_physical_address(frame) | IS_LARGE | USER | PRESENT | (entry & WRITABLE) | data_is_no;
    return frame == address ? large_entry(address) : 0;
}

void vt_pages_follow(uint64_t address)
{
    uint64_t index = (address - DIRECTORIES) / sizeof(uint64_t), linear = index * LARGE;

    if (address < DIRECTORIES || index < FINE || index >= GIBIBYTES * ENTRIES)
        return;
    uint64_t old = directories[index];
    followed = true;
    directories[index] = shadow_of(*(const uint64_t *)(uintptr_t)(address & ~UINT64_C(7)), linear);
    if (old & PRESENT)
        vt_pages_flush(linear);
}

void vt_pages_flush(uint64_t address)
{
    if (address == ~UINT64_C(0))
        take();
    else
        __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static uint64_t nested_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t nested_pointers[ENTRIES] __attribute__((aligned(4096)));
static uint64_t nested_directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t nested_fine[FINE * ENTRIES] __attribute__((aligned(4096)));

/* Its page tables are its own there: the processor walks them, and sets bits in them. Rights are bits 0 to 2
 * with either vendor: read, write and execute of VT-x (Intel SDM 3C 29.3.2), present, write and user of
 * AMD-V. */
static uint64_t nested_entry(uint64_t address, uint64_t leaf)
{
    const struct range own = code();

    if (holds(&memory, address, 1))
        return vt_image_physical_address(address) | memory.rights | leaf;
    return holds(&own, address, 1) ? vt_image_physical_address(address) | own.rights | leaf : 0;
}

void vt_pages_open_nested(uint64_t leaf)
{
    const uint64_t upper = PRESENT | WRITABLE | USER;

    nested_root[0] = vt_image_physical(nested_pointers) | upper;
    nested_pointers[0] = vt_image_physical(nested_directory) | upper;
    for (uint64_t i = 0; i < FINE * ENTRIES; i++)
        nested_fine[i] = nested_entry(i * PAGE, leaf);
    for (uint64_t i = 0; i < FINE; i++)
        nested_directory[i] = vt_image_physical(nested_fine + i * ENTRIES) | upper;
    for (uint64_t address = touch.start; address < touch.end; address += LARGE)
        nested_directory[address / LARGE] =
            vt_image_physical_address(address) | touch.rights | IS_LARGE | leaf;
}

uint64_t vt_pages_nested_root(void)
{
    return vt_image_physical(nested_root);
}
