#include "monitor/translator_pages.h"

#include "guest/image/place.h"
#include "monitor/pages.h"

#include <string.h>

#define PAGE       UINT64_C(0x1000)
#define ENTRIES    512
#define LARGE_BITS 21
#define TABLES     (VT_TRANSLATOR_TABLES_SIZE >> LARGE_BITS) /* page tables */
#define FRAMES     96

#define PRESENT    UINT64_C(0x01)
#define WRITABLE   UINT64_C(0x02)
#define USER       UINT64_C(0x04)
#define DIRTY      UINT64_C(0x40)
#define NO_EXECUTE (UINT64_C(1) << 63)
#define FRAME      UINT64_C(0x000ffffffffff000)

extern uint8_t vt_image_guest[], vt_image_guest_end[];

static uint8_t copy[VT_TRANSLATOR_CODE_MOST] __attribute__((aligned(4096)));
static bool copied; /* and not written to since */
static bool taken;

static uint64_t pointers[ENTRIES] __attribute__((aligned(4096)));
static uint64_t directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t tables[TABLES * ENTRIES] __attribute__((aligned(4096)));
static uint8_t frames[FRAMES][4096] __attribute__((aligned(4096)));
static uint32_t unused[FRAMES], unused_count;

static size_t code_size(void)
{
    return (size_t)(vt_image_guest_end - vt_image_guest);
}

bool vt_translator_pages_open(void)
{
    for (uint64_t i = 0; i < TABLES; i++)
        directory[i] = vt_image_physical(tables + i * ENTRIES) | PRESENT | WRITABLE | USER;
    pointers[ENTRIES - 2] = vt_image_physical(directory) | PRESENT | WRITABLE | USER;
    for (uint32_t i = 0; i < FRAMES; i++)
        unused[unused_count++] = i;
    return code_size() <= sizeof copy;
}

static void set(const void *start, size_t size, uint64_t rights)
{
    for (uint64_t page = (uintptr_t)start; page < (uintptr_t)start + size; page += PAGE)
        vt_pages_set(page, vt_image_physical_address(page) | rights);
}

static uint64_t copy_of(uint64_t page)
{
    return vt_image_physical(copy + (page - (uintptr_t)vt_image_guest));
}

void vt_translator_pages_protect(uint64_t page, bool writable)
{
    if (!taken)
        return;
    uint64_t kept = vt_pages_get(page) & DIRTY;

    vt_pages_set(page,
                 copy_of(page) | PRESENT | USER | vt_pages_no_execute() | (writable ? WRITABLE : 0) | kept);
}

void vt_translator_pages_take(const void *context, size_t context_size, const void *code, size_t size)
{
    if (!copied)
        memcpy(copy, vt_image_guest, code_size());
    copied = taken = true;
    vt_pages_separate(pointers);
    for (uint64_t page = (uintptr_t)vt_image_guest; page < (uintptr_t)vt_image_guest_end; page += PAGE)
        vt_translator_pages_protect(page, true);
    set(context, context_size, PRESENT | USER | WRITABLE | vt_pages_no_execute());
    set(code, size, PRESENT | USER);
}

bool vt_translator_pages_leave(void)
{
    for (uint64_t page = (uintptr_t)vt_image_guest; page < (uintptr_t)vt_image_guest_end; page += PAGE)
        if (vt_pages_get(page) & DIRTY)
            copied = false;
    taken = false;
    vt_pages_take();
    return !copied;
}

static uint64_t *entry_of(uint64_t address)
{
    return &tables[(address - VT_TRANSLATOR_TABLES) / PAGE];
}

bool vt_translator_pages_give(uint64_t chunk, size_t size)
{
    if (unused_count < size / PAGE || chunk < VT_TRANSLATOR_TABLES ||
        chunk + size - VT_TRANSLATOR_TABLES > VT_TRANSLATOR_TABLES_SIZE)
        return false;
    for (uint64_t page = chunk; page < chunk + size; page += PAGE) {
        *entry_of(page) =
            vt_image_physical(frames[unused[--unused_count]]) | PRESENT | USER | vt_pages_no_execute();
        vt_pages_flush(page);
    }
    return true;
}

void vt_translator_pages_withdraw(uint64_t chunk, size_t size)
{
    for (uint64_t page = chunk; page < chunk + size; page += PAGE) {
        uint64_t *entry = entry_of(page);

        unused[unused_count++] = (uint32_t)(((*entry & FRAME) - vt_image_physical(frames)) / PAGE);
        *entry = 0;
        vt_pages_flush(page);
    }
}
